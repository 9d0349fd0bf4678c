// A formula (ops/elementwise.h) as a block of threads runs it. A value is one number for all elements, or
// has a slot of shared memory in which each thread keeps its kWide elements. Binding prepares it on the host; it is the
// kernel's argument, so that a recorded launch holds it.
#pragma once
#include "ops/elementwise.h"

namespace hornbeam {

constexpr int kWide = 4, kMostThreads = 128;  // of a block
constexpr int kMostSharedBytes = 64 * 1024;   // of a block, on the oldest GPUs

// Operands: ~u names the uniform value u, what is 0 or more a slot.
struct BlockStep { int16_t op, to, a, b, c, unused; };

template <class T> struct BlockFormula {
  int32_t n_in, n_out, n_constants, n_uniform_steps, n_steps, n_slots, n_uniform, unused;
  int16_t in_at[kMaxFusedInputs];
  int16_t out_at[kMaxFusedOutputs];
  int16_t constant_at[kMaxFusedConstants];
  T constant[kMaxFusedConstants];
  BlockStep step[kMaxFusedInstructions];  // those that make uniform values first
};

// Where nothing needs an input: nothing loads it. Where nobody wants an output: nothing stores it.
constexpr int16_t kNowhere = 0x7fff;

namespace detail {

struct RawStep { int op, arg[3]; };

// Slots for the values of steps; a step may write over an operand that it is the last to read.
class Slots {
 public:
  int16_t take() { return n_spare_ ? spare_[--n_spare_] : n_++; }
  void give_back(int16_t slot) { spare_[n_spare_++] = slot; }
  int16_t count() const { return n_; }

 private:
  int16_t n_ = 0, n_spare_ = 0, spare_[kMaxFusedValues];
};

static inline int decode(const Formula& g, RawStep* steps) {
  int total = 0;
  for (int pc = 0; pc < g.code_size; ++total) {
    RawStep& s = steps[total];
    s.op = g.code[pc++];
    const int arity = kInstructions[s.op].arity;
    for (int k = 0; k < 3; ++k) s.arg[k] = g.code[k < arity ? pc + k : pc];
    pc += arity;
  }
  return total;
}

}  // namespace detail

// The steps that the wanted outputs need. `scalar[v]`: input v is one number for all elements.
template <class T> static BlockFormula<T> prepare(const Formula& g, const bool* scalar, const bool* wanted) {
  detail::RawStep raw[kMaxFusedInstructions];
  const int first = g.n_in + g.n_constants, total = detail::decode(g, raw);
  bool needed[kMaxFusedValues] = {};
  int last[kMaxFusedValues] = {};  // the step that reads a value last
  for (int j = 0; j < g.n_out; ++j)
    if (wanted[j]) needed[g.outputs[j]] = true;
  for (int i = total - 1; i >= 0; --i)
    if (needed[first + i])
      for (int v : raw[i].arg) needed[v] = true;
  for (int i = 0; i < total; ++i)
    if (needed[first + i])
      for (int v : raw[i].arg) last[v] = i;
  for (int j = 0; j < g.n_out; ++j)
    if (wanted[j]) last[g.outputs[j]] = total;

  BlockFormula<T> p{};
  detail::Slots slots;
  int16_t uniforms = 0, at[kMaxFusedValues] = {};  // 0 until a slot is taken
  const auto next_uniform = [&] { return static_cast<int16_t>(~uniforms++); };
  const auto append = [&](int i) {
    const auto& s = raw[i];
    p.step[p.n_steps++] = {static_cast<int16_t>(s.op), at[first + i], at[s.arg[0]], at[s.arg[1]], at[s.arg[2]], 0};
  };
  p.n_in = g.n_in, p.n_out = g.n_out, p.n_constants = g.n_constants;
  for (int v = 0; v < g.n_in; ++v)
    at[v] = p.in_at[v] = !needed[v] ? kNowhere : scalar[v] ? next_uniform() : slots.take();
  for (int k = 0; k < g.n_constants; ++k) {
    p.constant[k] = static_cast<T>(g.constants[k]);
    at[g.n_in + k] = p.constant_at[k] = next_uniform();
  }
  bool early[kMaxFusedInstructions] = {};
  for (int i = 0; i < total; ++i) {
    if (!needed[first + i]) continue;
    early[i] = at[raw[i].arg[0]] < 0 && at[raw[i].arg[1]] < 0 && at[raw[i].arg[2]] < 0;
    if (!early[i]) continue;
    at[first + i] = next_uniform();
    append(i);
  }
  p.n_uniform_steps = p.n_steps;
  for (int i = 0; i < total; ++i) {
    if (!needed[first + i] || early[i]) continue;
    for (int k = 0; k < 3; ++k) {
      const int v = raw[i].arg[k];
      const bool again = (k > 0 && raw[i].arg[0] == v) || (k > 1 && raw[i].arg[1] == v);
      if (at[v] >= 0 && last[v] == i && !again) slots.give_back(at[v]);
    }
    at[first + i] = slots.take();
    append(i);
  }
  for (int j = 0; j < g.n_out; ++j) p.out_at[j] = wanted[j] ? at[g.outputs[j]] : kNowhere;
  p.n_slots = slots.count();
  p.n_uniform = (uniforms + 3) / 4 * 4;  // slots are aligned for vectors
  return p;
}

template <class T> static int shared_bytes(const BlockFormula<T>& p, int threads) {
  return static_cast<int>(sizeof(T)) * (p.n_uniform + p.n_slots * threads * kWide);
}
// Threads of a block: fewer where a formula has many slots; 0 where it has too many for any.
template <class T> static int threads_for(const BlockFormula<T>& p) {
  for (int threads = kMostThreads; threads >= 32; threads /= 2)
    if (shared_bytes(p, threads) <= kMostSharedBytes) return threads;
  return 0;
}

}  // namespace hornbeam
