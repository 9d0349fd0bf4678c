// The activations that products, convolutions, normalizations and recurrent cells apply to their results, beside
// `linear`, which changes nothing. Enum, names, kernels and Python's tables derive from this list.
//
// X(name, op, forward, slope)
//
// `op` is the elementwise op that computes the same, so that rewrites can move it into the op before it. `forward` is
// an expression of `Vec<T> x`. `slope` is one of `Vec<T> y = forward` and of the gradient `Vec<T> d` that arrives, and
// gives activation'(x) * d; or `none` where y does not tell the slope: such an activation cannot be a recurrent cell's,
// whose gradients keep results only. Where a slope is zero the gradient is dropped, not multiplied: 0 * inf is nan.
#pragma once

#define HB_ACTIVATIONS(X)                                                                              \
  X(relu, relu, relu<T>(x), y > T(0) ? d : Vec<T>{})                                                   \
  X(sigmoid, sigmoid, sigmoid<T>(x), (y * (T(1) - y)) * d)                                             \
  X(hard_sigmoid, hard_sigmoid, hard_sigmoid<T>(x), ((y > T(0)) & (y < T(1))) ? d * T(0.2) : Vec<T>{}) \
  X(tanh, tanh, tanh<T>(x), fma<T>(-y, y, splat<T>(T(1))) * d)                                         \
  X(softplus, softplus, softplus<T>(x), -expm1<T>(-y) * d)                                             \
  X(softsign, softsign, softsign<T>(x), ((T(1) - abs<T>(y)) * (T(1) - abs<T>(y))) * d)                 \
  X(elu, elu, elu<T>(x, T(1)), y > T(0) ? d : (y + T(1)) * d)                                          \
  X(selu, selu, selu<T>(x), (y > T(0) ? splat<T>(T(kSeluScale)) : y + T(kSeluScale * kSeluAlpha)) * d) \
  X(exponential, exp, exp<T>(x), (y * d))                                                              \
  X(hard_swish, hard_swish, hard_swish<T>(x), none)
