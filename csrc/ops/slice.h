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

// The input `begin`, whose values are read where they lie: by a device's kernels in its own memory.
struct SliceBegin {
  const void* data;
  DType dtype;
  int32_t count;

  // The first element on an axis of n.
  HB_INLINE int64_t at(const SliceAttrs& a, int axis, int64_t n) const {
    if (axis >= count) return 0;
    const int64_t value = dtype == DType::int64 ? static_cast<const int64_t*>(data)[axis]
                                                : int64_t{static_cast<const int32_t*>(data)[axis]};
    return slice_begin(n, value, a.stride(axis), a.begin_open(axis));
  }
};

// Whether `count` elements from `begin` on all lie on an axis of n. Where `begin` was not known at bind, only this says
// so.
HB_INLINE bool slice_fits(int64_t n, int64_t begin, int64_t stride, int64_t count) {
  if (count == 0) return true;
  const int64_t room = stride > 0 ? n - 1 - begin : begin;
  return begin >= 0 && room >= 0 && count - 1 <= (stride == 1 ? room : room / (stride > 0 ? stride : -stride));
}

}  // namespace hornbeam
