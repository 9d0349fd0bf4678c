// How much memory a tensor takes, where its shape came from a caller and may be absurd.
#pragma once
#include "core/shape.h"

namespace hornbeam {

// Far above any machine's memory, and far below where sums of a program's sizes overflow.
constexpr int64_t kMaxBytes = int64_t{1} << 46;

inline bool is_addressable(DType dtype, const Shape& shape) {
  int64_t bytes = item_size(dtype);
  bool empty = false, fits = true;
  for (int i = 0; i < shape.rank; ++i) {
    empty = empty || shape[i] == 0;
    fits = fits && !__builtin_mul_overflow(bytes, shape[i], &bytes) && bytes <= kMaxBytes;
  }
  return fits || empty;
}

}  // namespace hornbeam
