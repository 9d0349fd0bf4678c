// Gradients of activations from their results: every one of them is a function of y = activation(x).
#pragma once
#include "cpu/vmath.h"

HB_CPU_BEGIN

// d * activation'(x).
template <Activation A, class T> HB_INLINE Vec<T> activation_grad(Vec<T> y, Vec<T> d) {
  static_assert(has_slope(A), "the result of this activation does not tell its slope");
  [[maybe_unused]] const Vec<T> none{};  // of the list, in branches that are discarded
#define HB_SLOPE(name, op, forward, slope)           \
  if constexpr (A == Activation::name) return slope; \
  else
  HB_ACTIVATIONS(HB_SLOPE)
#undef HB_SLOPE
  if constexpr (A == Activation::linear) return d;
  else static_assert(static_cast<int>(A) < 0, "an activation without a slope");
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
#define HB_ROW(name, ...)                                                                         \
  case Activation::name:                                                                          \
    if constexpr (has_slope(Activation::name)) activation_grad_row<Activation::name, T>(y, d, n); \
    return;
      HB_ACTIVATIONS(HB_ROW)
#undef HB_ROW
  }
}

HB_CPU_END
