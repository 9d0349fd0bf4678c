// Output pixel i lies at i * in / out of the input: neither corners nor pixel centres are aligned. 'nearest' takes the
// pixel below, 'bilinear' lies between it and the next one. Plain data: kernels include it.
#pragma once
#include "core/dtype.h"

namespace hornbeam {

// Where an output index reads along an axis: (1 - part) of `low` and part of `high`.
template <class T>
struct ResizeSource {
  int64_t low, high;
  T part;
};

template <class T>
struct ResizeAxis {
  int64_t in, out;
  int64_t between;  // not 0: bilinear
  T scale = static_cast<T>(in) / static_cast<T>(out);

  // In float32 with the roundings of TensorFlow 1, which knew no other.
  HB_INLINE ResizeSource<T> source(int64_t i) const {
    const T at = sizeof(T) == 4 ? static_cast<T>(i) * scale : static_cast<T>(i * in) / static_cast<T>(out);
    const int64_t below = static_cast<int64_t>(at), low = below < in ? below : in - 1;
    if (!between) return {low, low, 0};
    return {low, low + 1 < in ? low + 1 : low, at - static_cast<T>(low)};
  }
  // No output before this one reads from cell `from` on; one too few for what rounding does to positions.
  HB_INLINE int64_t first_reader(int64_t from) const {
    const int64_t o = (from - 1) * out / in - 1;
    return o > 0 ? o : 0;
  }
};

}  // namespace hornbeam
