// How much memory a tensor takes, where its shape came from a caller and may be absurd.
#pragma once
#include "core/shape.h"

namespace hornbeam {

// Far above any machine's memory, and far below where sums of a program's sizes overflow.
constexpr int64_t kMaxBytes = int64_t{1} << 46;

// Whether that is possible. Dims of 0 do not make the others harmless, as products of some of a shape's dims are taken
// everywhere; so no such product overflows. Unknown dims are left out.
inline bool is_addressable(DType dtype, const Shape& shape) {
  int64_t bytes = item_size(dtype);
  for (int i = 0; i < shape.rank; ++i)
    if (shape[i] > 0 && (__builtin_mul_overflow(bytes, shape[i], &bytes) || bytes > kMaxBytes)) return false;
  return true;
}

}  // namespace hornbeam
