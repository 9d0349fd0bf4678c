// What the shape rules of conv and depthwise share.
#pragma once
#include "ops/conv.h"
#include "ops/ints.h"

namespace hornbeam {

inline void want_sizes(const char* op, const Ints& v, int n, const char* what) {
  bool good = v.rank == n;
  for (int i = 0; good && i < n; ++i) good = v[i] >= 1;
  if (!good)
    op_error(op,
             std::string(what) + " must be " + (n == 2 ? "two" : "three") + " positive integers, got " + shape_str(v));
}

// Output positions along one axis; unknown if the input or the kernel is.
inline int64_t conv_length(const char* op, int64_t in, int64_t size, int64_t stride, int64_t dilation,
                           Padding padding) {
  if (in < 0 || size < 0) return kUnknown;
  const int64_t reach = size ? size_product(op, size - 1, dilation) + 1 : 0;
  if (size == 0 || (padding == Padding::valid && in < reach))
    op_error(op, "a kernel that reaches over " + std::to_string(reach) + " cells does not fit an input of " +
                     std::to_string(in) + " with padding 'valid'");
  return window_length(in, size, stride, dilation, padding);
}

// (batch, spatial sizes...) of the output of a window op over x; `kernel` begins with its spatial sizes.
template <class A>
Shape conv_output(const char* op, const A& a, const Shape& x, const Shape& kernel) {
  const int n = x.rank - 2;
  want_sizes(op, a.strides, n, "strides");
  want_sizes(op, a.dilation, n, "dilation");
  Shape y, reads;
  y.push(x[0]);
  for (int i = 0; i < n; ++i) {
    y.push(conv_length(op, x[1 + i], kernel[i], a.strides[i], a.dilation[i], a.padding));
    if (y[-1] != kUnknown) reads.push(x[1 + i] + (kernel[i] - 1) * a.dilation[i]);
  }
  reads.push(x[-1]);
  if (!is_addressable(DType::float64, reads))  // kernels copy what a group of outputs reads, with the zeros around
    op_error(op, "a kernel of " + shape_str(kernel) + " with dilation " + shape_str(a.dilation) +
                     " reaches over more than there is memory for");
  return y;
}

// The gradients' dy must be what the forward op gives for x.
template <class A>
void want_conv_output(const char* op, const A& a, const Shape& x, const Shape& kernel, const Shape& dy) {
  const Shape y = conv_output(op, a, x, kernel);
  for (int i = 0; i < y.rank; ++i) same_dim(op, y[i], dy[i], "of dy and of the output for x");
}

// (batch, spatial axes..., channels), with n spatial axes.
inline void want_image(const char* op, const TypeInfo& t, int n, const char* what) {
  want_float(op, t);
  want_rank(op, t, n + 2, what);
}

// The bias, if there is one, is input `at`.
inline void want_bias(const char* op, const std::vector<TypeInfo>& in, size_t at, int64_t channels) {
  if (in.size() <= at || !in[at].present) return;
  want_same_dtype(op, in[0], in[at]);
  want_rank(op, in[at], 1, "bias");
  same_dim(op, in[at].shape[0], channels, "of bias and of the output channels");
}

// An input gradient's shape, from its integer input.
inline Shape image_shape_argument(const char* op, const TypeInfo& ints, int n) {
  const Shape s = shape_from(op, ints);
  if (s.rank != n + 2)
    op_error(op, "x_shape must hold " + std::to_string(n + 2) + " integers, got " + std::to_string(s.rank));
  return s;
}

}  // namespace hornbeam
