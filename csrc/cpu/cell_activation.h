// Activations on the buffers of recurrent cells, chosen at run time. tanh and sigmoid are half of a
// cell's work and have leaner forms here than in vmath.h.
#pragma once
#include "cpu/vmath.h"

HB_CPU_BEGIN

// a / d for d in [1, 2^100), within 1 ulp. A division of 16 floats occupies AVX-512's divider for 16
// cycles; an estimate of 1 / d, refined, and the remainder are done in half of that.
template <class T>
HB_INLINE Vec<T> quotient(Vec<T> a, Vec<T> d) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const vf estimate = (vf)_mm512_maskz_rcp14_ps(static_cast<__mmask16>(-1), (__m512)d);
    const vf inverse = fma<float>(fma<float>(-estimate, d, splat<float>(1)), estimate, estimate);
    const vf q = a * inverse;
    return fma<float>(fma<float>(-q, d, a), inverse, q);
  }
#endif
  return a / d;
}

// vmath.h's tanh, 1 ulp wider.
template <class T>
HB_INLINE Vec<T> cell_tanh(Vec<T> x) {
  const Vec<T> e = expm1_bounded<T>(at_most<T>(abs<T>(x), sizeof(T) == 4 ? T(10) : T(20)) * T(2));
  return with_sign<T>(quotient<T>(e, e + T(2)), x);
}

// vmath.h's sigmoid, 1 ulp wider, down to x = -60: below it stays at e^-60, which no gate can tell from 0,
// and 2^n needs no care for denormals.
template <class T>
HB_INLINE Vec<T> cell_sigmoid(Vec<T> x) {
  const ExpParts<T> parts = exp_parts<T>(at_least<T>(-abs<T>(x), T(-60)));
  const Vec<T> power = pow2<T>(parts.n), e = fma<T>(parts.expm1_r, power, power);
  return quotient<T>(x < T(0) ? e : splat<T>(T(1)), e + T(1));
}

// x[0..n) in place, n rounded up to whole vectors.
template <class T>
static __attribute__((noinline)) void activate_cells(Activation a, T* x, int64_t n) {
  const int64_t whole = (n + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
  if (a == Activation::tanh)
    for (int64_t i = 0; i < whole; i += kLanes<T>) store<T>(x + i, cell_tanh<T>(load<T>(x + i)));
  else if (a == Activation::sigmoid)
    for (int64_t i = 0; i < whole; i += kLanes<T>) store<T>(x + i, cell_sigmoid<T>(load<T>(x + i)));
  else activate<T>(a, x, whole);
}

HB_CPU_END
