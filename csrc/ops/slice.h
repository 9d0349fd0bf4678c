#pragma once
#include "ops/attrs.h"

namespace hornbeam {

// begin and end are inputs; strides has one entry for each of theirs, or none for all ones.
// Bit i of a mask leaves that side of axis i open. Later axes are taken whole.
struct SliceAttrs {
  Ints strides;
  int64_t begin_mask = 0, end_mask = 0;
  HB_FIELDS(HB_F(strides) HB_F(begin_mask) HB_F(end_mask))

  HB_INLINE int64_t stride(int axis) const { return axis < strides.rank ? strides.dim[axis] : 1; }
  HB_INLINE bool begin_open(int axis) const { return begin_mask >> axis & 1; }
  HB_INLINE bool end_open(int axis) const { return end_mask >> axis & 1; }
};

// The first element that `begin` means on an axis of n, as Python's slice.indices has it.
HB_INLINE int64_t slice_begin(int64_t n, int64_t begin, int64_t stride, bool open) {
  if (open) return stride > 0 ? 0 : n - 1;
  if (begin < 0) begin += n;
  const int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? n : n - 1;
  return begin < low ? low : begin > high ? high : begin;
}

}  // namespace hornbeam
