// Element types. Plain data: included by kernel files that are compiled once per instruction set.
#pragma once
#include <cstdint>

// Kernel files must not emit weak symbols (the linker could pick the AVX-512 copy for everyone),
// so every function in a shared header is inlined by force.
#ifdef __CUDACC__
#define HB_INLINE __host__ __device__ __forceinline__
#else
#define HB_INLINE inline __attribute__((always_inline))
#endif

namespace hornbeam {

enum class DType : int32_t { boolean, uint8, int8, uint16, int16, int32, int64, float16, float32, float64 };
constexpr int kDTypeCount = 10;

HB_INLINE int64_t item_size(DType t) {
  switch (t) {
    case DType::boolean:
    case DType::uint8:
    case DType::int8: return 1;
    case DType::uint16:
    case DType::int16:
    case DType::float16: return 2;
    case DType::int32:
    case DType::float32: return 4;
    default: return 8;
  }
}
HB_INLINE bool is_float(DType t) { return t >= DType::float16; }

}  // namespace hornbeam
