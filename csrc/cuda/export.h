// HB_GPU_KERNELS(family, {...}, ...) in csrc/cuda/<family>.cu: what this device runs of that family's ops. Ops without
// a kernel are host steps (core/device.h).
#pragma once
#include "cpu/kernel.h"

namespace hornbeam {

// Kernel::run of an op with float32 and float64 inputs, of whose empty results nothing is to be computed.
template <void (*kFloat)(const KernelCall&), void (*kDouble)(const KernelCall&)>
void run_floats(const KernelCall& call) {
  if (call.out[0].shape.count() == 0) return;
  call.in[0].dtype == DType::float64 ? kDouble(call) : kFloat(call);
}

}  // namespace hornbeam

#define HB_GPU_KERNELS(family, ...)                          \
  namespace { constexpr Kernel kKernels[] = {__VA_ARGS__}; } \
  extern const KernelList kernels_##family;                  \
  const KernelList kernels_##family = {kKernels, static_cast<int32_t>(sizeof kKernels / sizeof *kKernels)};
