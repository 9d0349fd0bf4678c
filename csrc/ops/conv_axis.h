// What a convolution is along one axis, seen from its output. Plain data: kernels include it. Forward, and each phase
// of a strided backward-data, are the same sum in these terms:
//
//     y[out0 + o*out_step] = sum over t < taps of x[o*step + start + t*gap] * w[tap0 + t*tap_step]
//
// for o in [0, out), where reads outside [0, in) count as zero.
#pragma once
#include "ops/conv.h"
#include "ops/window.h"

namespace hornbeam {

struct ConvAxis {
  int64_t in, out, taps;
  int64_t step, start, gap;
  int64_t tap0, tap_step;
  int64_t out0, out_step;

  // The depth that images do not have.
  static HB_INLINE ConvAxis flat() { return {1, 1, 1, 1, 0, 1, 0, 1, 0, 1}; }
  HB_INLINE int64_t first_read(int64_t o) const { return o * step + start; }
  // Cells from the first to the last that `count` neighbouring outputs read.
  HB_INLINE int64_t span(int64_t count) const { return (count - 1) * step + (taps - 1) * gap + 1; }
  // Taps of output o that read inside the input: [tap_begin, tap_end), maybe empty.
  HB_INLINE int64_t tap_begin(int64_t o) const {
    const int64_t r = first_read(o);
    return r >= 0 ? 0 : (gap - 1 - r) / gap;
  }
  HB_INLINE int64_t tap_end(int64_t o) const {
    const int64_t left = in - 1 - first_read(o);
    if (left < 0) return 0;
    return left / gap + 1 < taps ? left / gap + 1 : taps;
  }
  // Outputs whose tap t reads inside the input: [out_begin, out_end), maybe empty.
  HB_INLINE int64_t out_begin(int64_t t) const {
    const int64_t r = start + t * gap;
    return r >= 0 ? 0 : (step - 1 - r) / step;
  }
  HB_INLINE int64_t out_end(int64_t t) const {
    const int64_t left = in - 1 - start - t * gap;
    if (left < 0) return 0;
    return left / step + 1 < out ? left / step + 1 : out;
  }
};

HB_INLINE ConvAxis forward_axis(int64_t in, int64_t out, int64_t size, int64_t stride, int64_t dilation,
                                Padding padding) {
  return {in, out, size, stride, -pad_before(in, out, size, stride, dilation, padding), dilation, 0, 1, 0, 1};
}

// Backward-data: input cell i gets dy[o] * w[k] wherever o*stride + k*dilation - pad == i. The cells
// i = phase, phase + stride, ... meet the same taps k, so they are a stride-1 convolution over dy
// with those taps in reverse; there are `stride` such phases (some may have no tap: zeros).
HB_INLINE ConvAxis backward_axis(int64_t in, int64_t out, int64_t size, int64_t stride, int64_t dilation,
                                 Padding padding, int64_t phase) {
  const int64_t pad = pad_before(in, out, size, stride, dilation, padding);
  int64_t g = stride, rest = dilation;  // gcd
  while (rest) {
    const int64_t t = g % rest;
    g = rest;
    rest = t;
  }
  const int64_t k_step = stride / g, gap = dilation / g;
  int64_t k0 = 0;
  while (k0 < k_step && (phase + pad - k0 * dilation) % stride != 0) ++k0;
  const int64_t taps = k0 < k_step && k0 < size ? (size - k0 + k_step - 1) / k_step : 0;
  const int64_t start = taps ? (phase + pad - k0 * dilation) / stride - (taps - 1) * gap : 0;
  return {out,
          in > phase ? (in - phase + stride - 1) / stride : 0,
          taps,
          1,
          start,
          gap,
          k0 + (taps - 1) * k_step,
          -k_step,
          phase,
          stride};
}

// Where a spatial axis (0: depth, 1: height, 2: width) of a tensor of this rank has its entry in a list of
// spatial sizes; -1 for the depth that images do not have.
HB_INLINE int place_of(int axis, int rank) { return axis - (5 - rank); }

template <class A>
HB_INLINE ConvAxis forward_axis_of(const A& a, const Shape& x, const Shape& y, const Shape& kernel, int axis) {
  const int i = place_of(axis, x.rank);
  if (i < 0) return ConvAxis::flat();
  return forward_axis(x[1 + i], y[1 + i], kernel[i], a.strides[i], a.dilation[i], a.padding);
}
HB_INLINE ConvAxis backward_axis_of(const ConvAttrs& a, const Shape& x, const Shape& dy, const Shape& kernel, int axis,
                                    int64_t phase) {
  const int i = place_of(axis, x.rank);
  if (i < 0) return ConvAxis::flat();
  return backward_axis(x[1 + i], dy[1 + i], kernel[i], a.strides[i], a.dilation[i], a.padding, phase);
}

}  // namespace hornbeam
