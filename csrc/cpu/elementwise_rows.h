// One row function per instruction of the elementwise interpreter and compute type.
#pragma once
#include "cpu/vmath.h"
#include "ops/elementwise.h"

HB_CPU_BEGIN

// Where an instruction reads: `step` is kLanes<T>, or 0 for one vector that holds a scalar.
template <class T> struct Operand {
  const T* p;
  int64_t step;
};

// Integers wrap around.
template <class T> struct UnsignedOf;
template <> struct UnsignedOf<int32_t> { using type = uint32_t; };
template <> struct UnsignedOf<int64_t> { using type = uint64_t; };
template <class T> using Wrap = Vec<typename UnsignedOf<T>::type>;

// Python's signs, and 0 for a divisor of 0.
template <class I> HB_INLINE I floor_div_lane(I a, I b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<I>(0 - static_cast<typename UnsignedOf<I>::type>(a));
  const I q = a / b;
  return q - (q * b != a && (a < 0) != (b < 0));
}
template <class I> HB_INLINE I mod_lane(I a, I b) {
  if (b == 0 || b == -1) return 0;
  const I r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
template <class I> HB_INLINE I pow_lane(I base, I exponent) {
  using U = typename UnsignedOf<I>::type;
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  U r = 1, b = static_cast<U>(base);
  for (; exponent; exponent >>= 1, b *= b)
    if (exponent & 1) r *= b;
  return static_cast<I>(r);
}

// fmod is exact; the quotient that belongs to it is not always the floor of the rounded a / b.
HB_INLINE double remainder_lane(double a, double b) { return __builtin_fmod(a, b); }
HB_INLINE float remainder_lane(float a, float b) { return __builtin_fmodf(a, b); }
HB_INLINE double copysign_lane(double a, double b) { return __builtin_copysign(a, b); }
HB_INLINE float copysign_lane(float a, float b) { return __builtin_copysignf(a, b); }
HB_INLINE double floor_lane(double a) { return __builtin_floor(a); }
HB_INLINE float floor_lane(float a) { return __builtin_floorf(a); }
template <class F> HB_INLINE F float_mod_lane(F a, F b) {
  const F r = remainder_lane(a, b);
  if (r == 0) return copysign_lane(F(0), b);
  return (r < 0) != (b < 0) ? r + b : r;
}
template <class F> HB_INLINE F float_floor_div_lane(F a, F b) {
  const F quotient = a / b;
  if (b == 0) return quotient;
  const F r = remainder_lane(a, b);
  const F whole = (a - r) / b - (r != 0 && (r < 0) != (b < 0) ? F(1) : F(0));  // an integer but for rounding
  if (whole == 0) return copysign_lane(F(0), quotient);
  const F down = floor_lane(whole);
  return whole - down > F(0.5) ? down + F(1) : down;
}
HB_INLINE float mod_lane(float a, float b) { return float_mod_lane(a, b); }
HB_INLINE double mod_lane(double a, double b) { return float_mod_lane(a, b); }
HB_INLINE float floor_div_lane(float a, float b) { return float_floor_div_lane(a, b); }
HB_INLINE double floor_div_lane(double a, double b) { return float_floor_div_lane(a, b); }

// 1 where the comparison holds, else 0.
template <class T> HB_INLINE Vec<T> truth(Bits<T> mask) { return (Vec<T>)(mask & (Bits<T>)splat<T>(T(1))); }

// One instruction on one vector each.
template <Opcode op, class T> HB_INLINE Vec<T> evaluate(Vec<T> a, Vec<T> b, Vec<T> c) {
  constexpr bool kFloat = __is_same(T, float) || __is_same(T, double);
  const Vec<T> zero{};
  if constexpr (op == Opcode::neg) {
    if constexpr (kFloat) return -a;
    else return (Vec<T>)(-(Wrap<T>)a);
  } else if constexpr (op == Opcode::abs) {
    if constexpr (kFloat) return abs<T>(a);
    else return a < zero ? (Vec<T>)(-(Wrap<T>)a) : a;
  } else if constexpr (op == Opcode::sign) {
    const Vec<T> s = truth<T>(a > zero) - truth<T>(a < zero);
    return a != a ? a : s;
  } else if constexpr (op == Opcode::square || op == Opcode::mul) {
    const Vec<T> other = op == Opcode::square ? a : b;
    if constexpr (kFloat) return a * other;
    else return (Vec<T>)((Wrap<T>)a * (Wrap<T>)other);
  } else if constexpr (op == Opcode::add) {
    if constexpr (kFloat) return a + b;
    else return (Vec<T>)((Wrap<T>)a + (Wrap<T>)b);
  } else if constexpr (op == Opcode::sub) {
    if constexpr (kFloat) return a - b;
    else return (Vec<T>)((Wrap<T>)a - (Wrap<T>)b);
  } else if constexpr (op == Opcode::floor || op == Opcode::ceil || op == Opcode::round) {
    if constexpr (!kFloat) return a;
    else return op == Opcode::floor ? floor<T>(a) : op == Opcode::ceil ? ceil<T>(a) : round<T>(a);
  } else if constexpr (op == Opcode::relu) return at_least<T>(a, T(0));
  else if constexpr (op == Opcode::relu_grad) return b > zero ? a : zero;
  else if constexpr (op == Opcode::select) return a != zero ? b : c;
  else if constexpr (op == Opcode::maximum) return ((a >= b) | (a != a)) ? a : b;  // NaN wins
  else if constexpr (op == Opcode::minimum) return ((a <= b) | (a != a)) ? a : b;
  else if constexpr (op == Opcode::equal) return truth<T>(a == b);
  else if constexpr (op == Opcode::not_equal) return truth<T>(a != b);
  else if constexpr (op == Opcode::less) return truth<T>(a < b);
  else if constexpr (op == Opcode::less_equal) return truth<T>(a <= b);
  else if constexpr (op == Opcode::greater) return truth<T>(a > b);
  else if constexpr (op == Opcode::greater_equal) return truth<T>(a >= b);
  else if constexpr (op == Opcode::logical_and) return truth<T>((a != zero) & (b != zero));
  else if constexpr (op == Opcode::logical_or) return truth<T>((a != zero) | (b != zero));
  else if constexpr (op == Opcode::logical_not) return truth<T>(a == zero);
  else if constexpr (op == Opcode::is_nan) return truth<T>(a != a);
  else if constexpr (op == Opcode::is_inf) {
    if constexpr (kFloat) return truth<T>(abs<T>(a) == kInf<T>);
    else return zero;
  } else if constexpr (op == Opcode::floor_div || op == Opcode::mod || (op == Opcode::pow && !kFloat)) {
    Vec<T> r;
    for (int i = 0; i < kLanes<T>; ++i) {
      if constexpr (op == Opcode::floor_div) r[i] = floor_div_lane(T(a[i]), T(b[i]));
      else if constexpr (op == Opcode::mod) r[i] = mod_lane(T(a[i]), T(b[i]));
      else r[i] = pow_lane(T(a[i]), T(b[i]));
    }
    return r;
  } else if constexpr (op == Opcode::elu) {
    return a > zero ? a : expm1<T>(a) * b;  // its alpha is an operand here
  } else {                                  // floats only
    const Vec<T> x = a;                     // of the list
#define HB_FORWARD(name, instruction, forward, slope)      \
  if constexpr (op == Opcode::instruction) return forward; \
  else
    HB_ACTIVATIONS(HB_FORWARD)
#undef HB_FORWARD
    if constexpr (op == Opcode::sqrt) return sqrt<T>(a);
    else if constexpr (op == Opcode::rsqrt) return rsqrt<T>(a);
    else if constexpr (op == Opcode::reciprocal) return T(1) / a;
    else if constexpr (op == Opcode::expm1) return expm1<T>(a);
    else if constexpr (op == Opcode::log) return log<T>(a);
    else if constexpr (op == Opcode::log1p) return log1p<T>(a);
    else if constexpr (op == Opcode::sin) return sin<T>(a);
    else if constexpr (op == Opcode::cos) return cos<T>(a);
    else if constexpr (op == Opcode::erf) return erf<T>(a);
    else if constexpr (op == Opcode::div) return a / b;
    else if constexpr (op == Opcode::pow) return pow<T>(a, b);
    else static_assert(static_cast<int>(op) < 0, "an instruction that nothing computes");
  }
}

// dst[0..n) where n is a multiple of kLanes<T>, from the operands values[arg[0]], values[arg[1]], ... dst may
// be what an operand reads.
template <class T> using RowFunction = void (*)(T* dst, const Operand<T>* values, const int16_t* arg, int64_t n);

template <int kArity, class T, class F>
HB_INLINE void for_vectors(T* dst, const Operand<T>* values, const int16_t* arg, int64_t n, const F& f) {
  const T* p[kArity];
  int64_t step[kArity];
  for (int k = 0; k < kArity; ++k) {
    p[k] = values[arg[k]].p;
    step[k] = values[arg[k]].step;
  }
  for (int64_t i = 0; i < n; i += kLanes<T>) {
    Vec<T> x[4] = {};
    for (int k = 0; k < kArity; ++k) {
      x[k] = load<T>(p[k]);
      p[k] += step[k];
    }
    store<T>(dst + i, f(x));
  }
}

template <Opcode op, class T> static void row(T* dst, const Operand<T>* values, const int16_t* arg, int64_t n) {
  constexpr int kArity = kInstructions[static_cast<int>(op)].arity;
  for_vectors<kArity, T>(dst, values, arg, n, [](const Vec<T>* x) { return evaluate<op, T>(x[0], x[1], x[2]); });
}

// The row function of each opcode; null where an instruction does not take the type.
template <Opcode op, class T> static constexpr RowFunction<T> row_or_none() {
  constexpr bool kFloat = __is_same(T, float) || __is_same(T, double);
  if constexpr (!kFloat && kInstructions[static_cast<int>(op)].floating) return nullptr;
  else return row<op, T>;
}
#define HB_X(name, arity, domain, result) row_or_none<Opcode::name, HB_T>(),
#define HB_T float
static constexpr RowFunction<float> float_rows[] = {HB_ELEMENTWISE(HB_X)};
#undef HB_T
#define HB_T double
static constexpr RowFunction<double> double_rows[] = {HB_ELEMENTWISE(HB_X)};
#undef HB_T
#define HB_T int32_t
static constexpr RowFunction<int32_t> int32_rows[] = {HB_ELEMENTWISE(HB_X)};
#undef HB_T
#define HB_T int64_t
static constexpr RowFunction<int64_t> int64_rows[] = {HB_ELEMENTWISE(HB_X)};
#undef HB_T
#undef HB_X

template <class T> HB_INLINE const RowFunction<T>* rows() {
  if constexpr (__is_same(T, float)) return float_rows;
  else if constexpr (__is_same(T, double)) return double_rows;
  else if constexpr (__is_same(T, int32_t)) return int32_rows;
  else return int64_rows;
}

HB_CPU_END
