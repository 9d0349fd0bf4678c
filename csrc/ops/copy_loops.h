// What an op that only moves data does, as a nest of loops: out[i, j, ...] = in[i, j, ...], each side with strides of
// its own. Transposes permute the strides, reversals negate them, tiling and broadcasting set them to zero. Plain data:
// kernels of all devices include it.
#pragma once
#include "ops/layout.h"

namespace hornbeam {

// Outermost first; strides in elements.
struct CopyLoops {
  static constexpr int kMax = 2 * kMaxRank;
  int32_t rank = 0;
  int64_t n[kMax], src[kMax], dst[kMax];
  int64_t src_first = 0, dst_first = 0;  // where the loops begin

  // Adds the next inner loop; one that continues the loop around it is merged into it.
  HB_INLINE void add(int64_t count, int64_t src_stride, int64_t dst_stride) {
    if (count == 1) return;
    if (rank && src[rank - 1] == src_stride * count && dst[rank - 1] == dst_stride * count) {
      n[rank - 1] *= count;
    } else {
      n[rank++] = count;
    }
    src[rank - 1] = src_stride;
    dst[rank - 1] = dst_stride;
  }
  HB_INLINE int64_t count() const {
    int64_t all = 1;
    for (int i = 0; i < rank; ++i) all *= n[i];
    return all;
  }
};

HB_INLINE int64_t row_stride(const Shape& s, int axis) { return s.count(axis + 1, s.rank); }

HB_INLINE CopyLoops transpose_loops(const TransposeAttrs& a, const Shape& x, const Shape& y) {
  CopyLoops loops;
  for (int i = 0; i < y.rank; ++i) loops.add(y[i], row_stride(x, static_cast<int>(a.perm.dim[i])), row_stride(y, i));
  return loops;
}

HB_INLINE CopyLoops reverse_loops(const AxesAttrs& a, const Shape& x) {
  bool reversed[kMaxRank] = {};
  for (int i = 0; i < a.axes.rank; ++i) reversed[a.axes.dim[i] < 0 ? a.axes.dim[i] + x.rank : a.axes.dim[i]] = true;
  CopyLoops loops;
  for (int i = 0; i < x.rank; ++i) {
    const int64_t stride = row_stride(x, i);
    loops.add(x[i], reversed[i] ? -stride : stride, stride);
    if (reversed[i]) loops.src_first += (x[i] - 1) * stride;
  }
  return loops;
}

// y has elements.
HB_INLINE CopyLoops tile_loops(const Shape& x, const Shape& y) {
  CopyLoops loops;
  for (int i = 0; i < x.rank; ++i) {
    loops.add(y[i] / x[i], 0, x[i] * row_stride(y, i));
    loops.add(x[i], row_stride(x, i), row_stride(y, i));
  }
  return loops;
}

HB_INLINE CopyLoops broadcast_loops(const Shape& x, const Shape& y) {
  CopyLoops loops;
  for (int i = 0; i < y.rank; ++i) {
    const int from = i - (y.rank - x.rank);
    loops.add(y[i], from >= 0 && x[from] != 1 ? row_stride(x, from) : 0, row_stride(y, i));
  }
  return loops;
}

// What lies between the borders.
HB_INLINE CopyLoops pad_loops(const PadAttrs& a, const Shape& x, const Shape& y) {
  CopyLoops loops;
  for (int i = 0; i < x.rank; ++i) {
    loops.add(x[i], row_stride(x, i), row_stride(y, i));
    loops.dst_first += a.before.dim[i] * row_stride(y, i);
  }
  return loops;
}

}  // namespace hornbeam
