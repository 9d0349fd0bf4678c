// What the shape rules of conv and depthwise share.
#pragma once
#include "ops/conv.h"
#include "ops/op.h"

namespace hornbeam {

inline void want_pair(const char* op, const Ints& v, const char* what) {
  if (v.rank != 2 || v[0] < 1 || v[1] < 1)
    op_error(op, std::string(what) + " must be two positive integers, got " + shape_str(v));
}

// Output positions along one axis; unknown if the input or the kernel is.
inline int64_t conv_length(const char* op, int64_t in, int64_t size, int64_t stride, int64_t dilation,
                           Padding padding) {
  if (in < 0 || size < 0) return kUnknown;
  const int64_t reach = (size - 1) * dilation + 1;
  if (size == 0 || (padding == Padding::valid && in < reach))
    op_error(op, "a kernel that reaches over " + std::to_string(size ? reach : 0) + " cells does not fit an input of " +
                     std::to_string(in) + " with padding 'valid'");
  return window_length(in, size, stride, dilation, padding);
}

// (batch, height, width) of the output of a window op over x; `kernel` holds height and width.
template <class A>
Shape conv_output(const char* op, const A& a, const Shape& x, int64_t kh, int64_t kw) {
  want_pair(op, a.strides, "strides");
  want_pair(op, a.dilation, "dilation");
  Shape y;
  y.push(x[0]);
  y.push(conv_length(op, x[1], kh, a.strides[0], a.dilation[0], a.padding));
  y.push(conv_length(op, x[2], kw, a.strides[1], a.dilation[1], a.padding));
  return y;
}

// The gradients' dy must be what the forward op gives for x.
template <class A>
void want_conv_output(const char* op, const A& a, const Shape& x, int64_t kh, int64_t kw, const Shape& dy) {
  const Shape y = conv_output(op, a, x, kh, kw);
  for (int i = 0; i < 3; ++i) same_dim(op, y[i], dy[i], "of dy and of the output for x");
}

inline void want_image(const char* op, const TypeInfo& t, const char* what) {
  want_float(op, t);
  want_rank(op, t, 4, what);
}

inline void want_bias(const char* op, const std::vector<TypeInfo>& in, int64_t channels) {
  if (in.size() < 3 || !in[2].present) return;
  want_same_dtype(op, in[0], in[2]);
  want_rank(op, in[2], 1, "bias");
  same_dim(op, in[2].shape[0], channels, "of bias and of the output channels");
}

// An input gradient's shape, from its integer input.
inline Shape image_shape_argument(const char* op, const TypeInfo& ints) {
  const std::vector<int64_t> v = shape_argument(op, ints);
  if (v.size() != 4) op_error(op, "x_shape must hold 4 integers, got " + std::to_string(v.size()));
  Shape s;
  for (int64_t d : v) s.push(dim_of_value(d));
  return s;
}

}  // namespace hornbeam
