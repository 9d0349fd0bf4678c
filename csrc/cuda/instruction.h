// One instruction of the elementwise interpreter on one element: what csrc/cpu/elementwise_rows.h does to vectors.
#pragma once
#include "cuda/scalar.h"
#include "ops/elementwise.h"

namespace hornbeam::scalar {

uint32_t unsigned_of(int32_t);
uint64_t unsigned_of(int64_t);
template <class I> using Unsigned = decltype(unsigned_of(I{}));

// Python's signs, and 0 for a divisor of 0. Integers wrap around.
template <class I> HB_INLINE I int_floor_div(I a, I b) {
  using U = Unsigned<I>;
  if (b == 0) return 0;
  if (b == -1) return static_cast<I>(U(0) - static_cast<U>(a));
  const I q = a / b;
  return q - (q * b != a && (a < 0) != (b < 0));
}
template <class I> HB_INLINE I int_mod(I a, I b) {
  if (b == 0 || b == -1) return 0;
  const I r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
template <class I> HB_INLINE I int_pow(I base, I exponent) {
  using U = Unsigned<I>;
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  U r = 1, b = static_cast<U>(base);
  for (; exponent; exponent >>= 1, b *= b)
    if (exponent & 1) r *= b;
  return static_cast<I>(r);
}

// fmod is exact; the quotient that belongs to it is not always the floor of the rounded a / b.
template <class F> HB_INLINE F float_mod(F a, F b) {
  const F r = remainder(a, b);
  if (r == 0) return with_sign(F(0), b);
  return (r < 0) != (b < 0) ? r + b : r;
}
template <class F> HB_INLINE F float_floor_div(F a, F b) {
  const F quotient = a / b;
  if (b == 0) return quotient;
  const F r = remainder(a, b);
  const F whole = (a - r) / b - (r != 0 && (r < 0) != (b < 0) ? F(1) : F(0));  // an integer but for rounding
  if (whole == 0) return with_sign(F(0), quotient);
  const F down = floor(whole);
  return whole - down > F(0.5) ? down + F(1) : down;
}

template <Opcode op, class T> HB_INLINE T evaluate_number(T a, T b, T c) {
  if constexpr (op == Opcode::sign) return a != a ? a : T(T(a > T(0)) - T(a < T(0)));
  else if constexpr (op == Opcode::relu) return at_least(a, T(0));
  else if constexpr (op == Opcode::relu_grad) return b > T(0) ? a : T(0);
  else if constexpr (op == Opcode::select) return a != T(0) ? b : c;
  else if constexpr (op == Opcode::maximum) return a >= b || a != a ? a : b;  // NaN wins
  else if constexpr (op == Opcode::minimum) return a <= b || a != a ? a : b;
  else if constexpr (op == Opcode::equal) return T(a == b);
  else if constexpr (op == Opcode::not_equal) return T(a != b);
  else if constexpr (op == Opcode::less) return T(a < b);
  else if constexpr (op == Opcode::less_equal) return T(a <= b);
  else if constexpr (op == Opcode::greater) return T(a > b);
  else if constexpr (op == Opcode::greater_equal) return T(a >= b);
  else if constexpr (op == Opcode::logical_and) return T(a != T(0) && b != T(0));
  else if constexpr (op == Opcode::logical_or) return T(a != T(0) || b != T(0));
  else if constexpr (op == Opcode::logical_not) return T(a == T(0));
  else if constexpr (op == Opcode::is_nan) return T(a != a);
  else static_assert(static_cast<int>(op) < 0, "an instruction that nothing computes");
}

template <Opcode op, class I> HB_INLINE I evaluate_integer(I a, I b, I c) {
  using U = Unsigned<I>;
  if constexpr (op == Opcode::neg) return I(U(0) - U(a));
  else if constexpr (op == Opcode::abs) return a < 0 ? I(U(0) - U(a)) : a;
  else if constexpr (op == Opcode::square) return I(U(a) * U(a));
  else if constexpr (op == Opcode::mul) return I(U(a) * U(b));
  else if constexpr (op == Opcode::add) return I(U(a) + U(b));
  else if constexpr (op == Opcode::sub) return I(U(a) - U(b));
  else if constexpr (op == Opcode::floor_div) return int_floor_div(a, b);
  else if constexpr (op == Opcode::mod) return int_mod(a, b);
  else if constexpr (op == Opcode::pow) return int_pow(a, b);
  else if constexpr (op == Opcode::is_inf) return 0;
  else if constexpr (op == Opcode::floor || op == Opcode::ceil || op == Opcode::round) return a;
  else return evaluate_number<op>(a, b, c);
}

template <Opcode op, class T> HB_INLINE T evaluate_float(T a, T b, T c) {
  if constexpr (op == Opcode::neg) return -a;
  else if constexpr (op == Opcode::abs) return abs(a);
  else if constexpr (op == Opcode::square) return a * a;
  else if constexpr (op == Opcode::add) return a + b;
  else if constexpr (op == Opcode::sub) return a - b;
  else if constexpr (op == Opcode::mul) return a * b;
  else if constexpr (op == Opcode::div) return a / b;
  else if constexpr (op == Opcode::floor_div) return float_floor_div(a, b);
  else if constexpr (op == Opcode::mod) return float_mod(a, b);
  else if constexpr (op == Opcode::pow) return pow(a, b);
  else if constexpr (op == Opcode::is_inf) return T(abs(a) == kInf<T>);
  else if constexpr (op == Opcode::floor) return floor(a);
  else if constexpr (op == Opcode::ceil) return ceil(a);
  else if constexpr (op == Opcode::round) return round(a);
  else if constexpr (op == Opcode::sqrt) return sqrt(a);
  else if constexpr (op == Opcode::rsqrt) return T(1) / sqrt(a);
  else if constexpr (op == Opcode::reciprocal) return T(1) / a;
  else if constexpr (op == Opcode::expm1) return expm1(a);
  else if constexpr (op == Opcode::log) return log(a);
  else if constexpr (op == Opcode::log1p) return log1p(a);
  else if constexpr (op == Opcode::sin) return sin(a);
  else if constexpr (op == Opcode::cos) return cos(a);
  else if constexpr (op == Opcode::erf) return erf(a);
  else if constexpr (op == Opcode::elu) return elu(a, b);  // its alpha is an operand here
  else {
    [[maybe_unused]] const T x = a;  // of the list
#define HB_FORWARD(name, instruction, forward, slope)      \
  if constexpr (op == Opcode::instruction) return forward; \
  else
    HB_ACTIVATIONS(HB_FORWARD)
#undef HB_FORWARD
    return evaluate_number<op>(a, b, c);
  }
}

// Integers take the instructions of domain `number` only; c counts in select alone.
template <Opcode op, class T> HB_INLINE T evaluate(T a, T b, T c) {
  if constexpr (kIsFloat<T>) return evaluate_float<op>(a, b, c);
  else return evaluate_integer<op>(a, b, c);
}

// Whether an instruction is many of the machine's.
HB_INLINE constexpr bool is_long(Opcode op) {
  switch (op) {
    case Opcode::floor_div:
    case Opcode::mod:
    case Opcode::pow:
    case Opcode::sqrt:
    case Opcode::rsqrt:
    case Opcode::reciprocal:
    case Opcode::div:
    case Opcode::exp:
    case Opcode::expm1:
    case Opcode::log:
    case Opcode::log1p:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::tanh:
    case Opcode::sigmoid:
    case Opcode::softplus:
    case Opcode::softsign:
    case Opcode::elu:
    case Opcode::selu:
    case Opcode::erf: return true;
    default: return false;
  }
}

}  // namespace hornbeam::scalar
