// The elementary functions and activations on one number: the names and formulas of cpu/vmath.h, so that the list of
// activations (ops/activation_list.h) means the same here, a vector being one number. Compiled without contraction,
// arithmetic has the CPU's bits. Functions are CUDA's, within 2 ulp (pow 4).
#pragma once
#include <math.h>

#include "core/limits.h"
#include "cuda/called.h"
#include "ops/attrs.h"

namespace hornbeam::scalar {

template <class T> using Vec = T;
template <class T> constexpr T kInf = T(__builtin_huge_val());

#define HB_UNARY(name, function, FLOAT, DOUBLE)               \
  FLOAT float name##_of(float x) { return ::function##f(x); } \
  DOUBLE double name##_of(double x) { return ::function(x); } \
  template <class T> HB_INLINE T name(T x) { return name##_of(x); }
#define HB_BINARY(name, function, FLOAT, DOUBLE)                           \
  FLOAT float name##_of(float x, float y) { return ::function##f(x, y); }  \
  DOUBLE double name##_of(double x, double y) { return ::function(x, y); } \
  template <class T> HB_INLINE T name(T x, T y) { return name##_of(x, y); }
HB_UNARY(exp, exp, HB_INLINE, HB_CALLED)
HB_UNARY(expm1, expm1, HB_INLINE, HB_CALLED)
HB_UNARY(log, log, HB_INLINE, HB_CALLED)
HB_UNARY(log1p, log1p, HB_INLINE, HB_CALLED)
HB_UNARY(sin, sin, HB_CALLED, HB_CALLED)
HB_UNARY(cos, cos, HB_CALLED, HB_CALLED)
HB_UNARY(tanh, tanh, HB_INLINE, HB_CALLED)
HB_UNARY(erf, erf, HB_INLINE, HB_CALLED)
HB_UNARY(sqrt, sqrt, HB_INLINE, HB_INLINE)
HB_UNARY(floor, floor, HB_INLINE, HB_INLINE)
HB_UNARY(ceil, ceil, HB_INLINE, HB_INLINE)
HB_UNARY(round, rint, HB_INLINE, HB_INLINE)  // half to even
HB_UNARY(abs, fabs, HB_INLINE, HB_INLINE)
HB_BINARY(pow, pow, HB_CALLED, HB_CALLED)
HB_BINARY(remainder, fmod, HB_CALLED, HB_CALLED)
HB_BINARY(with_sign, copysign, HB_INLINE, HB_INLINE)
#undef HB_UNARY
#undef HB_BINARY
HB_INLINE float fma_of(float a, float b, float c) { return ::fmaf(a, b, c); }
HB_INLINE double fma_of(double a, double b, double c) { return ::fma(a, b, c); }
template <class T> HB_INLINE T fma(T a, T b, T c) { return fma_of(a, b, c); }

template <class T> HB_INLINE T splat(T x) { return x; }
// Bounds that let NaN through.
template <class T> HB_INLINE T at_most(T x, T hi) { return hi < x ? hi : x; }
template <class T> HB_INLINE T at_least(T x, T lo) { return lo > x ? lo : x; }

// ---- activations ---------------------------------------------------------------------------------------
constexpr double kSeluAlpha = 1.6732632423543772848170429916717, kSeluScale = 1.0507009873554804934193349852946;

template <class T> HB_INLINE T relu(T x) { return at_least(x, T(0)); }
template <class T> HB_INLINE T sigmoid(T x) {
  const T e = exp(-abs(x));
  return (x < T(0) ? e : T(1)) / (e + T(1));
}
template <class T> HB_INLINE T softplus(T x) { return at_least(x, T(0)) + log1p(exp(-abs(x))); }
template <class T> HB_INLINE T hard_sigmoid(T x) { return at_most(at_least(x * T(0.2) + T(0.5), T(0)), T(1)); }
template <class T> HB_INLINE T hard_swish(T x) {
  return x <= T(-3) ? T(0) : x * (at_most(x + T(3), T(6)) * T(1.0 / 6));
}
template <class T> HB_INLINE T softsign(T x) { return abs(x) == kInf<T> ? with_sign(T(1), x) : x / (abs(x) + T(1)); }
template <class T> HB_INLINE T elu(T x, T alpha) { return x > T(0) ? x : expm1(x) * alpha; }
template <class T> HB_INLINE T selu(T x) {
  return x > T(0) ? x * T(kSeluScale) : expm1(x) * T(kSeluAlpha * kSeluScale);
}

template <class T> HB_INLINE T activate(Activation a, T x) {
  switch (a) {
    case Activation::linear: return x;
#define HB_CASE(name, op, forward, slope) \
  case Activation::name: return forward;
      HB_ACTIVATIONS(HB_CASE)
#undef HB_CASE
  }
  return x;
}

}  // namespace hornbeam::scalar
