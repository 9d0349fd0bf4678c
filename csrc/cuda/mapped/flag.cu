#include "cuda/mapped/flag.h"

#include "cuda/gpu.h"

namespace hornbeam {

static __global__ void write_flag(const uint64_t* number, uint64_t* flag) {
  // Who sees the flag sees what the kernels before this one wrote to the host's memory.
  __threadfence_system();
  *static_cast<volatile uint64_t*>(flag) = *static_cast<const volatile uint64_t*>(number);
}

void raise_flag(Lane& lane, const uint64_t* number, uint64_t* flag) {
  launch(lane, "raise_flag", write_flag, dim3(1), dim3(1), 0, number, flag);
}

}  // namespace hornbeam
