// Pooling windows along one axis, cut at its ends. Plain data: kernels include it.
#pragma once
#include "ops/pool.h"
#include "ops/window.h"

namespace hornbeam {

struct PoolAxis {
  int64_t in, out, size, stride, pad;

  HB_INLINE int64_t begin(int64_t o) const { return o * stride > pad ? o * stride - pad : 0; }
  HB_INLINE int64_t end(int64_t o) const {
    const int64_t e = o * stride - pad + size;
    return e < in ? e : in;
  }
  // Windows that touch cells [from, to) are [first_window(from), end_window(to)).
  HB_INLINE int64_t first_window(int64_t from) const {
    const int64_t past = from + pad - size;
    return past < 0 ? 0 : past / stride + 1;
  }
  HB_INLINE int64_t end_window(int64_t to) const {
    const int64_t e = (to - 1 + pad) / stride + 1;
    return e < out ? e : out;
  }
  // No cell is in two windows, and none of their cells is padding.
  HB_INLINE bool tiled() const { return pad == 0 && (size == stride || out == 1) && (out - 1) * stride + size <= in; }
};

// Of height (0) or width (1); `in` is the shape of the images, `out` that of what they are pooled to.
HB_INLINE PoolAxis pool_axis(const PoolAttrs& a, const Shape& in, const Shape& out, int i) {
  return {in[1 + i], out[1 + i], a.size[i], a.strides[i],
          pad_before(in[1 + i], out[1 + i], a.size[i], a.strides[i], 1, a.padding)};
}

}  // namespace hornbeam
