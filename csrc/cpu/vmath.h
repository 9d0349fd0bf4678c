// Elementary functions on vectors, float and double, the same on every instruction set up to the
// rounding of fma. All of them are total: NaN goes through, infinities, zeros, denormals and overflow
// give what the C library gives. Maximum errors (ulp, over the whole range unless a range is given),
// checked by tests/ops/test_vmath.py:
//
//              float   double                       float   double
//   exp        1.5     2                  sin, cos   2       3
//   expm1      2       3.5                pow        1       1
//   log        1       1                  sqrt       0.5     0.5
//   log1p      2       2                  rsqrt      2       2
//   tanh       3       3.5                softplus   2       2.5
//   sigmoid    2.5     3                  erf        3       3.5
//
// sin, cos beyond |x| = 6e6 and pow of doubles ask the C library, lane by lane. Polynomials are minimax
// fits of relative error, lowest coefficient first.
#pragma once
#include "cpu/simd.h"
#include "ops/attrs.h"

HB_CPU_BEGIN

#if defined(__AVX512F__)
// The zero-masking forms with all lanes: GCC 12's plain ones are reported as reading uninitialised memory.
constexpr __mmask16 kAll16 = 0xffff;
constexpr __mmask8 kAll8 = 0xff;
#endif

template <class T> struct IntOf;
template <> struct IntOf<float> { using type = int32_t; };
template <> struct IntOf<double> { using type = int64_t; };
template <> struct IntOf<int32_t> { using type = int32_t; };
template <> struct IntOf<int64_t> { using type = int64_t; };
template <class T> struct UnsignedOf;
template <> struct UnsignedOf<float> { using type = uint32_t; };
template <> struct UnsignedOf<double> { using type = uint64_t; };
template <class T> using Bits = Vec<typename IntOf<T>::type>;  // also what comparisons give: 0 or -1

// Adding and subtracting this rounds to an integer, which is then also in the low bits of the sum.
template <class T> constexpr T kRound = sizeof(T) == 4 ? T(0x1.8p23) : T(0x1.8p52);

template <class T> HB_INLINE Bits<T> to_bits(Vec<T> x) { return (Bits<T>)x; }
template <class T> HB_INLINE Vec<T> from_bits(Bits<T> x) { return (Vec<T>)x; }

#include "core/log_sine.inc"

template <class T> HB_INLINE Bits<T> sign_bit(Vec<T> x) { return to_bits<T>(x) & to_bits<T>(splat<T>(T(-0.0))); }
template <class T> HB_INLINE Vec<T> abs(Vec<T> x) {
  return from_bits<T>(to_bits<T>(x) & ~to_bits<T>(splat<T>(T(-0.0))));
}
// Magnitude of a non-negative `x` with the sign of `s`.
template <class T> HB_INLINE Vec<T> with_sign(Vec<T> x, Vec<T> s) {
  return from_bits<T>(to_bits<T>(x) | sign_bit<T>(s));
}
// Bounds that let NaN through. x86's min and max give their second operand if either is NaN; compilers
// do not make them of comparisons of whole vectors.
template <class T> HB_INLINE Vec<T> at_most(Vec<T> x, T hi) {
#if defined(__AVX512F__)
  if constexpr (__is_same(T, float)) return (Vec<T>)_mm512_maskz_min_ps(kAll16, (__m512)splat<T>(hi), (__m512)x);
  if constexpr (__is_same(T, double)) return (Vec<T>)_mm512_maskz_min_pd(kAll8, (__m512d)splat<T>(hi), (__m512d)x);
#elif defined(__AVX2__)
  if constexpr (__is_same(T, float)) return (Vec<T>)_mm256_min_ps((__m256)splat<T>(hi), (__m256)x);
  if constexpr (__is_same(T, double)) return (Vec<T>)_mm256_min_pd((__m256d)splat<T>(hi), (__m256d)x);
#endif
  return splat<T>(hi) < x ? splat<T>(hi) : x;
}
template <class T> HB_INLINE Vec<T> at_least(Vec<T> x, T lo) {
#if defined(__AVX512F__)
  if constexpr (__is_same(T, float)) return (Vec<T>)_mm512_maskz_max_ps(kAll16, (__m512)splat<T>(lo), (__m512)x);
  if constexpr (__is_same(T, double)) return (Vec<T>)_mm512_maskz_max_pd(kAll8, (__m512d)splat<T>(lo), (__m512d)x);
#elif defined(__AVX2__)
  if constexpr (__is_same(T, float)) return (Vec<T>)_mm256_max_ps((__m256)splat<T>(lo), (__m256)x);
  if constexpr (__is_same(T, double)) return (Vec<T>)_mm256_max_pd((__m256d)splat<T>(lo), (__m256d)x);
#endif
  return splat<T>(lo) > x ? splat<T>(lo) : x;
}

template <class T> HB_INLINE Vec<T> sqrt(Vec<T> x) {
  Vec<T> r;
  for (int i = 0; i < kLanes<T>; ++i) r[i] = sizeof(T) == 4 ? __builtin_sqrtf(x[i]) : __builtin_sqrt(x[i]);
  return r;
}
template <class T> HB_INLINE Vec<T> rsqrt(Vec<T> x) { return T(1) / sqrt<T>(x); }
template <class T> HB_INLINE Vec<T> floor(Vec<T> x) {
  Vec<T> r;
  for (int i = 0; i < kLanes<T>; ++i) r[i] = sizeof(T) == 4 ? __builtin_floorf(x[i]) : __builtin_floor(x[i]);
  return r;
}
template <class T> HB_INLINE Vec<T> ceil(Vec<T> x) {
  Vec<T> r;
  for (int i = 0; i < kLanes<T>; ++i) r[i] = sizeof(T) == 4 ? __builtin_ceilf(x[i]) : __builtin_ceil(x[i]);
  return r;
}
// Half to even.
template <class T> HB_INLINE Vec<T> round(Vec<T> x) {
  Vec<T> r;
  for (int i = 0; i < kLanes<T>; ++i) r[i] = sizeof(T) == 4 ? __builtin_rintf(x[i]) : __builtin_rint(x[i]);
  return r;
}

// ---- exp -----------------------------------------------------------------------------------------
// 2^n for integral n within the exponents of normal numbers.
template <class T> HB_INLINE Vec<T> pow2(Vec<T> n) {
  return from_bits<T>(to_bits<T>(n + (kRound<T> + T(kExponentBias<T>))) << kMantissaBits<T>);
}

// x = n ln 2 + r with |r| <= ln 2 / 2, and expm1(r) = r + r^2 (1/2 + r/6 + ...). ln 2 is split so that
// n * (its high part) is exact, with or without fma.
template <class T> struct ExpParts { Vec<T> n, expm1_r; };
template <class T> HB_INLINE ExpParts<T> exp_parts(Vec<T> x) {
  constexpr T kHigh = sizeof(T) == 4 ? T(0x1.62e4p-1) : T(0x1.62e42fefa4p-1);
  constexpr T kLow = sizeof(T) == 4 ? T(1.4286068203094172e-6) : T(-1.7239444525614834773e-13);
  const Vec<T> n = fma<T>(x, splat<T>(T(1.442695040888963407)), splat<T>(kRound<T>)) - kRound<T>;
  const Vec<T> r = fma<T>(n, splat<T>(-kLow), fma<T>(n, splat<T>(-kHigh), x));
  Vec<T> p;
  if constexpr (sizeof(T) == 4)
    p = poly<T>(r, 0.4999999815, 0.1666654342, 0.04166720071, 0.00836654712, 0.001388251625);
  else
    p = poly<T>(r, 0.50000000000000000, 0.16666666666666589, 0.041666666666576468, 0.00833333333338973415,
                0.00138888889316670636, 0.00019841269718708194, 2.48015051427590875e-5, 2.75574076888114514e-6,
                2.76260928061870778e-7, 2.50537747545954689e-8);
  return {n, fma<T>(r * r, p, r)};
}

// x 2^n, rounded once, where 2^n itself may lie outside the normal numbers.
template <class T> HB_INLINE Vec<T> scale(Vec<T> x, Vec<T> n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_maskz_scalef_ps(kAll16, (__m512)x, (__m512)n);
  else return (Vec<T>)_mm512_maskz_scalef_pd(kAll8, (__m512d)x, (__m512d)n);
#else
  const Vec<T> half = n * T(0.5) + kRound<T> - kRound<T>;  // in this order: it rounds to an integer
  return x * pow2<T>(half) * pow2<T>(n - half);
#endif
}

template <class T> HB_INLINE Vec<T> exp(Vec<T> x) {
  constexpr T kLow = sizeof(T) == 4 ? T(-104) : T(-746), kHigh = sizeof(T) == 4 ? T(89) : T(710);
  const Vec<T> bounded = at_least<T>(at_most<T>(x, kHigh), kLow);
  const ExpParts<T> e = exp_parts<T>(bounded);
  return scale<T>(e.expm1_r + T(1), e.n);
}

// Where x is known to be neither too small nor too large for 2^n.
template <class T> HB_INLINE Vec<T> expm1_bounded(Vec<T> x) {
  const ExpParts<T> e = exp_parts<T>(x);
  const Vec<T> s = pow2<T>(e.n);
  return fma<T>(e.expm1_r, s, s - T(1));
}
template <class T> HB_INLINE Vec<T> expm1(Vec<T> x) {
  const ExpParts<T> e = exp_parts<T>(at_least<T>(at_most<T>(x, sizeof(T) == 4 ? T(89) : T(710)), T(-40)));
  const Vec<T> half = pow2<T>(e.n - T(1));  // 2^n itself overflows just before the result does
  const Vec<T> r = fma<T>(e.expm1_r, half, half - T(0.5)) * T(2);
  return x == T(0) ? x : r;  // keeps -0
}

// ---- log1p ---------------------------------------------------------------------------------------
// For finite x > -1. What rounding 1 + x lost (an exact two-sum) is added to f.
template <class T> HB_INLINE Vec<T> log1p_inside(Vec<T> x) {
  const Vec<T> u = x + T(1), v = u - T(1);
  const Vec<T> lost = (T(1) - (u - v)) + (x - v);
  const LogParts<T> p = log_parts<T>(u);
  return log_join<T>(p.k, p.f + lost * pow2<T>(at_least<T>(-p.k, T(-100))));
}
template <class T> HB_INLINE Vec<T> log1p(Vec<T> x) {
  const Vec<T> r = log_ends<T>(x + T(1), log1p_inside<T>(x));
  return x == T(0) ? x : r;
}

// ---- sigmoids ------------------------------------------------------------------------------------
template <class T> HB_INLINE Vec<T> tanh(Vec<T> x) {
  const Vec<T> e = expm1_bounded<T>(at_most<T>(abs<T>(x), sizeof(T) == 4 ? T(10) : T(20)) * T(2));
  return with_sign<T>(e / (e + T(2)), x);
}

// e^-|x| never overflows, and keeps the relative error small on both sides.
template <class T> HB_INLINE Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> e = exp<T>(-abs<T>(x));
  return (x < T(0) ? e : splat<T>(T(1))) / (e + T(1));
}

template <class T> HB_INLINE Vec<T> softplus(Vec<T> x) {
  const Vec<T> r = log1p_inside<T>(exp<T>(-abs<T>(x)));
  return at_least<T>(x, T(0)) + r;
}

// ---- erf -----------------------------------------------------------------------------------------
// x F(x^2) near 0, and 1 - exp(G(|x|)) further out, where G = log(erfc) is almost a parabola.
template <class T> HB_INLINE Vec<T> erf(Vec<T> x) {
  const Vec<T> a = at_most<T>(abs<T>(x), sizeof(T) == 4 ? T(4) : T(6));
  const Vec<T> z = a * a, u = a - T(1.25);
  Vec<T> f, g;
  if constexpr (sizeof(T) == 4) {
    f = poly<T>(z, 1.128379167, -0.3761263498, 0.1128371503, -0.02686050847, 0.005203859179, -0.0008175639482,
                8.513104804e-5);
    g = poly<T>(u, -2.562653667, -3.067723974, -0.8708098556, -0.03268604442, 0.007788470921, -0.001608913285,
                0.0002608167651, -2.828903396e-5, 1.478185725e-6);
  } else {
    f = poly<T>(z, 1.12837916709551257, -0.37612638903183728, 0.11283791670953704, -0.0268661706448066314,
                0.00522397762160319321, -0.000854832675491865454, 0.000120553210421741511, -1.49252997392939043e-5,
                1.64552139322417467e-6, -1.62754761448875101e-7, 1.40460476015423039e-8, -8.48185096587525339e-10);
    g = poly<T>(u, -2.562653661922125665, -3.067723941669178746, -0.8708101640586344117, -0.03268700868639887379,
                0.007791961608009870347, -0.001606950894144748126, 0.0002467839551656423341, -1.004213562361009419e-5,
                -1.082994257331475692e-5, 5.16665677514168802e-6, -1.448842591341538794e-6, 2.566289905903421637e-7,
                -7.722510018037891749e-9, -1.432605699564622425e-8, 6.424658172693688346e-9, -1.731562486708850363e-9,
                3.352330498606936257e-10, -4.791570201243209258e-11, 4.966163710729880098e-12,
                -3.540490051808597208e-13, 1.554599832562693511e-14, -3.169716680612501703e-16);
  }
  return a < T(0.9) ? x * f : with_sign<T>(T(1) - exp<T>(g), x);
}

// ---- sin, cos ------------------------------------------------------------------------------------
HB_INLINE void widen(vf x, vd& lo, vd& hi) {
  typedef float Half __attribute__((vector_size(HB_VECTOR_BYTES / 2)));
  Half h[2];
  __builtin_memcpy(h, &x, sizeof x);
  lo = __builtin_convertvector(h[0], vd);
  hi = __builtin_convertvector(h[1], vd);
}
HB_INLINE vf narrow(vd lo, vd hi) {
  typedef float Half __attribute__((vector_size(HB_VECTOR_BYTES / 2)));
  const Half h[2] = {__builtin_convertvector(lo, Half), __builtin_convertvector(hi, Half)};
  vf x;
  __builtin_memcpy(&x, h, sizeof x);
  return x;
}

constexpr double kTrigLimit = 6e6;  // quarter turns fit 22 bits, so that n * (high part of pi / 2) is exact

template <class T> struct TrigParts { Vec<T> n, r; };  // x = n pi / 2 + r
HB_INLINE TrigParts<double> trig_parts(vd x) {
  const vd n = fma<double>(x, splat<double>(0.6366197723675813430755), splat<double>(kRound<double>)) - kRound<double>;
  vd r = fma<double>(n, splat<double>(-0x1.921fb544p+0), x);
  r = fma<double>(n, splat<double>(-0x1.0b4611a8p-34), r);
  return {n, fma<double>(n, splat<double>(0x1.d9cceba3f91f2p-66), r)};
}
// In double: float has too few bits to cancel x against n pi / 2.
HB_INLINE TrigParts<float> trig_parts(vf x) {
  vd lo, hi;
  widen(x, lo, hi);
  const TrigParts<double> a = trig_parts(lo), b = trig_parts(hi);
  return {narrow(a.n, b.n), narrow(a.r, b.r)};
}

template <class T, bool kCos> HB_INLINE Vec<T> sin_or_cos(Vec<T> x) {
  const TrigParts<T> p = trig_parts(x);
  Vec<T> r = sin_in_quadrant<T>(to_bits<T>(p.n + kRound<T>) + kCos, p.r);
  const Bits<T> far = ~(abs<T>(x) <= T(kTrigLimit));
  typename IntOf<T>::type any = 0;
  for (int i = 0; i < kLanes<T>; ++i) any |= far[i];
  if (__builtin_expect(any != 0, 0))
    for (int i = 0; i < kLanes<T>; ++i)
      if (far[i]) r[i] = kCos ? T(__builtin_cos(x[i])) : T(__builtin_sin(x[i]));
  return kCos ? r : x == T(0) ? x : r;  // keeps -0
}
template <class T> HB_INLINE Vec<T> sin(Vec<T> x) { return sin_or_cos<T, false>(x); }
template <class T> HB_INLINE Vec<T> cos(Vec<T> x) { return sin_or_cos<T, true>(x); }

// ---- pow -----------------------------------------------------------------------------------------
// exp(y log |x|) in double serves float; double itself would need twice the digits of log.
HB_INLINE vd pow_for_float(vd x, vd y) {
  const vd a = abs<double>(x), whole = floor<double>(y), half = y * 0.5;
  vd r = exp<double>(y * log<double>(a));
  const Bits<double> integral = whole == y, odd = integral & (floor<double>(half) != half);
  r = from_bits<double>(to_bits<double>(r) | (sign_bit<double>(x) & odd));
  r = (~integral & (x < 0) & (x > -kInf<double>)) ? splat<double>(kNan<double>) : r;
  const Bits<double> one = (y == 0) | (x == 1) | ((a == 1) & (abs<double>(y) == kInf<double>));
  return one ? splat<double>(1) : r;
}
HB_INLINE vf pow_lanes(vf x, vf y) {
  vd x0, x1, y0, y1;
  widen(x, x0, x1);
  widen(y, y0, y1);
  return narrow(pow_for_float(x0, y0), pow_for_float(x1, y1));
}
HB_INLINE vd pow_lanes(vd x, vd y) {
  vd r;
  for (int i = 0; i < kLanes<double>; ++i) r[i] = __builtin_pow(x[i], y[i]);
  return r;
}
template <class T> HB_INLINE Vec<T> pow(Vec<T> x, Vec<T> y) { return pow_lanes(x, y); }

// ---- activations ---------------------------------------------------------------------------------
constexpr double kSeluAlpha = 1.6732632423543772848170429916717, kSeluScale = 1.0507009873554804934193349852946;

template <class T> HB_INLINE Vec<T> relu(Vec<T> x) { return at_least<T>(x, T(0)); }
template <class T> HB_INLINE Vec<T> hard_sigmoid(Vec<T> x) {
  return at_most<T>(at_least<T>(x * T(0.2) + T(0.5), T(0)), T(1));
}
template <class T> HB_INLINE Vec<T> hard_swish(Vec<T> x) {
  return x <= T(-3) ? Vec<T>{} : x * (at_most<T>(x + T(3), T(6)) * T(1.0 / 6));
}
template <class T> HB_INLINE Vec<T> softsign(Vec<T> x) {
  // x / inf is 0, but the limit is 1.
  return abs<T>(x) == kInf<T> ? with_sign<T>(splat<T>(T(1)), x) : x / (abs<T>(x) + T(1));
}
template <class T> HB_INLINE Vec<T> elu(Vec<T> x, T alpha) { return x > T(0) ? x : expm1<T>(x) * alpha; }
template <class T> HB_INLINE Vec<T> selu(Vec<T> x) {
  return x > T(0) ? x * T(kSeluScale) : expm1<T>(x) * T(kSeluAlpha * kSeluScale);
}

template <Activation A, class T> HB_INLINE Vec<T> apply_activation(Vec<T> x) {
#define HB_FORWARD(name, op, forward, slope)           \
  if constexpr (A == Activation::name) return forward; \
  else
  HB_ACTIVATIONS(HB_FORWARD)
#undef HB_FORWARD
  if constexpr (A == Activation::linear) return x;
  else static_assert(static_cast<int>(A) < 0, "an activation that nothing computes");
}

template <Activation A, class T> static void activate_row(T* row, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) store<T>(row + i, apply_activation<A, T>(load<T>(row + i)));
  if (i < n) store_tail<T>(row + i, apply_activation<A, T>(load_tail<T>(row + i, int(n - i))), int(n - i));
}
// row[0..n) in place, the activation chosen at run time.
template <class T> static void activate(Activation a, T* row, int64_t n) {
  switch (a) {
    case Activation::linear: return;
#define HB_ROW(name, ...) \
  case Activation::name: return activate_row<Activation::name, T>(row, n);
      HB_ACTIVATIONS(HB_ROW)
#undef HB_ROW
  }
}

HB_CPU_END
