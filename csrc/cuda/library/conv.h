// A convolution as cuDNN has it, as plain data; perform.h carries it out by definition.
#pragma once
#include "ops/conv.h"
#include "ops/window.h"

namespace hornbeam {

constexpr int kConvAxes = 3;  // at most

// Dims are N, C, spatial... whatever the layout, which the strides say.
struct ConvTensor {
  int64_t dim[2 + kConvAxes], stride[2 + kConvAxes];

  HB_INLINE int64_t count() const {
    int64_t n = 1;
    for (int64_t d : dim) n *= d;
    return n;
  }
};

enum class ConvKind : int32_t { forward, data, filter };

// Forward, y is x convolved with w, plus the bias of each channel, and then relu. `data` makes x of y and w, and
// `filter` w of x and y, as gradients. Dims beyond the `axes` spatial ones are 1, with a stride of 0.
struct Conv {
  ConvKind kind;
  DType dtype;
  int32_t tf32, axes, bias, relu;
  ConvTensor x, w, y;
  int64_t pre[kConvAxes], post[kConvAxes], stride[kConvAxes], dilation[kConvAxes];

  int rank() const { return 2 + axes; }
  HB_FIELDS(HB_F(kind) HB_F(dtype) HB_F(tf32) HB_F(axes) HB_F(bias) HB_F(relu) HB_F(x.dim) HB_F(x.stride) HB_F(w.dim)
                HB_F(w.stride) HB_F(y.dim) HB_F(y.stride) HB_F(pre) HB_F(post) HB_F(stride) HB_F(dilation))
};

// Of the three tensors, one is written.
struct ConvData {
  void *x, *w, *y;
  const void* bias;
};

// Channels-last memory: (N, spatial..., C).
inline ConvTensor channels_last(const Shape& s) {
  ConvTensor t;
  for (int64_t& d : t.dim) d = 1;
  for (int64_t& d : t.stride) d = 0;
  int64_t step = 1;
  for (int i = s.rank; i-- > 0; step *= s[i]) {
    const int at = i == 0 ? 0 : i == s.rank - 1 ? 1 : i + 1;
    t.dim[at] = s[i], t.stride[at] = step;
  }
  return t;
}

// Weights are (spatial..., C, K) to the op, and (K, spatial..., C) to the library: what is packed (library_convs.h).
inline ConvTensor packed_weights(const Shape& spatial, int64_t channels, int64_t filters, int axes) {
  Shape s;
  s.push(filters);
  for (int i = 0; i < axes; ++i) s.push(spatial[i]);
  s.push(channels);
  return channels_last(s);
}

// `kernel` begins with the spatial sizes; `a` is of either kind of attributes.
template <class A>
Conv conv_of(ConvKind kind, const A& a, DType dtype, const Shape& x, const Shape& kernel, const Shape& y) {
  Conv c{};
  c.kind = kind, c.dtype = dtype, c.axes = x.rank - 2;
  c.x = channels_last(x);
  c.w = packed_weights(kernel, x[-1], y[-1], c.axes);
  c.y = channels_last(y);
  for (int i = 0; i < c.axes; ++i) {
    const int64_t reach = (kernel[i] - 1) * a.dilation[i] + 1;
    c.stride[i] = a.strides[i], c.dilation[i] = a.dilation[i];
    c.pre[i] = pad_before(x[1 + i], y[1 + i], kernel[i], a.strides[i], a.dilation[i], a.padding);
    const int64_t post = (y[1 + i] - 1) * a.strides[i] + reach - x[1 + i] - c.pre[i];
    c.post[i] = post > 0 ? post : 0;
  }
  return c;
}

}  // namespace hornbeam
