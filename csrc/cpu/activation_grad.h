// Gradients of activations from their results: every one of them is a function of y = activation(x).
#pragma once
#include "cpu/vmath.h"

HB_CPU_BEGIN

// d * activation'(x). Where the slope is zero the gradient is dropped, not multiplied: 0 * inf is nan.
template <Activation A, class T>
HB_INLINE Vec<T> activation_grad(Vec<T> y, Vec<T> d) {
  if constexpr (A == Activation::relu) return y > T(0) ? d : Vec<T>{};
  else if constexpr (A == Activation::sigmoid) return d * (y * (T(1) - y));
  else if constexpr (A == Activation::hard_sigmoid) return ((y > T(0)) & (y < T(1))) ? d * T(0.2) : Vec<T>{};
  else if constexpr (A == Activation::tanh) return d * fma<T>(-y, y, splat<T>(T(1)));
  else if constexpr (A == Activation::softplus) return d * -expm1<T>(-y);
  else if constexpr (A == Activation::softsign) return d * ((T(1) - abs<T>(y)) * (T(1) - abs<T>(y)));
  else if constexpr (A == Activation::elu) return y > T(0) ? d : d * (y + T(1));
  else if constexpr (A == Activation::selu)
    return d * (y > T(0) ? splat<T>(T(kSeluScale)) : y + T(kSeluScale * kSeluAlpha));
  else if constexpr (A == Activation::exponential) return d * y;
  else return d;
}

template <Activation A, class T>
static void activation_grad_row(const T* y, T* d, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) store<T>(d + i, activation_grad<A, T>(load<T>(y + i), load<T>(d + i)));
  if (i == n) return;
  const int tail = int(n - i);
  store_tail<T>(d + i, activation_grad<A, T>(load_tail<T>(y + i, tail), load_tail<T>(d + i, tail)), tail);
}
// d[0..n) in place, the activation chosen at run time.
template <class T>
static void activation_grad(Activation a, const T* y, T* d, int64_t n) {
  switch (a) {
    case Activation::linear: return;
    case Activation::relu: return activation_grad_row<Activation::relu, T>(y, d, n);
    case Activation::sigmoid: return activation_grad_row<Activation::sigmoid, T>(y, d, n);
    case Activation::hard_sigmoid: return activation_grad_row<Activation::hard_sigmoid, T>(y, d, n);
    case Activation::tanh: return activation_grad_row<Activation::tanh, T>(y, d, n);
    case Activation::softplus: return activation_grad_row<Activation::softplus, T>(y, d, n);
    case Activation::softsign: return activation_grad_row<Activation::softsign, T>(y, d, n);
    case Activation::elu: return activation_grad_row<Activation::elu, T>(y, d, n);
    case Activation::selu: return activation_grad_row<Activation::selu, T>(y, d, n);
    case Activation::exponential: return activation_grad_row<Activation::exponential, T>(y, d, n);
  }
}

HB_CPU_END
