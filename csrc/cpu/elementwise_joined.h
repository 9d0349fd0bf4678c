// Rows that do two or three of a program's additions, subtractions, products and quotients in one go. Every
// operation still rounds by itself, so results are those of the single rows; what is saved is the way
// of the values between them through L1, which costs more than the arithmetic.
#pragma once
#include "cpu/elementwise_rows.h"

HB_CPU_BEGIN

// Position among add, sub, mul, div; other opcodes lie outside [0, 4).
constexpr int kArithmetic = 4;
HB_INLINE int arithmetic(Opcode op) { return static_cast<int>(op) - static_cast<int>(Opcode::add); }
constexpr Opcode arithmetic_op(int i) { return static_cast<Opcode>(static_cast<int>(Opcode::add) + i); }
static_assert(arithmetic_op(1) == Opcode::sub && arithmetic_op(2) == Opcode::mul && arithmetic_op(3) == Opcode::div);

// second(first(a, b), c), or second(c, first(a, b)) where kRight.
template <int first, int second, bool kRight, class T>
static void pair_row(T* dst, const Operand<T>* values, const int16_t* arg, int64_t n) {
  for_vectors<3, T>(dst, values, arg, n, [](const Vec<T>* x) {
    const Vec<T> t = evaluate<arithmetic_op(first), T>(x[0], x[1], x[1]);
    return kRight ? evaluate<arithmetic_op(second), T>(x[2], t, t) : evaluate<arithmetic_op(second), T>(t, x[2], t);
  });
}

// a b + c d, a b - c d: moving averages.
template <Opcode op, class T>
static void products_row(T* dst, const Operand<T>* values, const int16_t* arg, int64_t n) {
  for_vectors<4, T>(dst, values, arg, n,
                    [](const Vec<T>* x) { return evaluate<op, T>(x[0] * x[1], x[2] * x[3], x[0]); });
}

template <class T> struct PairRows { RowFunction<T> of[kArithmetic][kArithmetic][2]; };
#define HB_PAIR(T, i, j) {pair_row<i, j, false, T>, pair_row<i, j, true, T>}
#define HB_PAIRS(T, i) {HB_PAIR(T, i, 0), HB_PAIR(T, i, 1), HB_PAIR(T, i, 2), HB_PAIR(T, i, 3)}
static constexpr PairRows<float> float_pairs = {
    {HB_PAIRS(float, 0), HB_PAIRS(float, 1), HB_PAIRS(float, 2), HB_PAIRS(float, 3)}};
static constexpr PairRows<double> double_pairs = {
    {HB_PAIRS(double, 0), HB_PAIRS(double, 1), HB_PAIRS(double, 2), HB_PAIRS(double, 3)}};
#undef HB_PAIRS
#undef HB_PAIR
HB_INLINE const PairRows<float>& pair_rows(float) { return float_pairs; }
HB_INLINE const PairRows<double>& pair_rows(double) { return double_pairs; }

template <class T> struct Instruction {
  RowFunction<T> run;
  Opcode op;
  int16_t result, arg[4];  // unused entries repeat the first
};

// Joins instructions in place, in order; returns how many are left. `uses` counts the readers of each value, and
// values from `first` on are results of instructions.
template <class T> static int join_instructions(Instruction<T>* steps, int count, const int16_t* uses, int first) {
  if constexpr (!__is_same(T, float) && !__is_same(T, double)) {
    return count;
  } else {
    // By result: the step that makes it, if it is a single arithmetic one with one reader; else -1.
    int16_t maker[kMaxFusedInstructions];
    for (int i = 0; i < kMaxFusedInstructions; ++i) maker[i] = -1;
    const auto maker_of = [&](int value) { return value < first ? -1 : maker[value - first]; };
    int left = count;
    for (int i = 0; i < count; ++i) {
      Instruction<T>& s = steps[i];
      const int second = arithmetic(s.op);
      if (second < 0 || second >= kArithmetic) continue;
      const int m[2] = {maker_of(s.arg[0]), maker_of(s.arg[1])};
      const bool products = m[0] >= 0 && m[1] >= 0 && steps[m[0]].op == Opcode::mul && steps[m[1]].op == Opcode::mul;
      if (products && (s.op == Opcode::add || s.op == Opcode::sub)) {
        Instruction<T>&a = steps[m[0]], &b = steps[m[1]];
        const auto run = s.op == Opcode::add ? products_row<Opcode::add, T> : products_row<Opcode::sub, T>;
        s = {run, s.op, s.result, {a.arg[0], a.arg[1], b.arg[0], b.arg[1]}};
        a.run = b.run = nullptr;
        left -= 2;
      } else if (m[0] >= 0 || m[1] >= 0) {
        const int right = m[0] < 0;
        Instruction<T>& a = steps[m[right]];
        const auto run = pair_rows(T{}).of[arithmetic(a.op)][second][right];
        s = {run, s.op, s.result, {a.arg[0], a.arg[1], s.arg[!right], a.arg[0]}};
        a.run = nullptr;
        left -= 1;
      } else if (uses[s.result] == 1) {
        maker[s.result - first] = static_cast<int16_t>(i);
      }
    }
    for (int i = 0, kept = 0; kept < left; ++i)
      if (steps[i].run) steps[kept++] = steps[i];
    return left;
  }
}

HB_CPU_END
