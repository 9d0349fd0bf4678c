// Runs a formula: each block of threads takes tiles of the elements, each thread kWide elements of a tile,
// a block's width apart, so that neighbours read neighbours. All inputs of an element are read before its first output
// is written, by the same thread: outputs may lie over inputs.
#pragma once
#include "cuda/called.h"
#include "cuda/gpu.h"
#include "cuda/instruction.h"
#include "cuda/operands.h"

namespace hornbeam {

// Where an instruction reads: elements side by side, or one number for all (`step` is 0).
template <class T> struct Operand {
  const T* p;
  int step;
  HB_INLINE T operator[](int w) const { return p[w * step]; }
};

template <Opcode op, class T> HB_INLINE T evaluate_one(int w, Operand<T> a, Operand<T> b, Operand<T> c) {
  constexpr int arity = kInstructions[static_cast<int>(op)].arity;
  return scalar::evaluate<op, T>(a[w], arity > 1 ? b[w] : T(0), arity > 2 ? c[w] : T(0));
}
// Long instructions stand in a kernel once.
template <Opcode op, class T, int W> HB_INLINE void evaluate_all(T* to, Operand<T> a, Operand<T> b, Operand<T> c) {
  if constexpr (scalar::is_long(op)) {
    HB_ROLLED for (int w = 0; w < W; ++w) to[w] = evaluate_one<op>(w, a, b, c);
  } else {
    for (int w = 0; w < W; ++w) to[w] = evaluate_one<op>(w, a, b, c);
  }
}

// One instruction on W elements.
template <class T, int W> HB_INLINE void execute(int code, T* to, Operand<T> a, Operand<T> b, Operand<T> c) {
  switch (static_cast<Opcode>(code)) {
#define HB_X(name, arity, domain, result)                                                        \
  case Opcode::name:                                                                             \
    if constexpr (kIsFloat<T> || !detail::domain) evaluate_all<Opcode::name, T, W>(to, a, b, c); \
    break;
    HB_ELEMENTWISE(HB_X)
#undef HB_X
  }
}

// Operands (cuda/operands.h) says where the formula's inputs and outputs are.
//
// Told that 6 blocks of an SM are enough, the compiler takes up to 80 registers; else it spills some to make room for
// more.
template <class T, class Operands>
__global__ void __launch_bounds__(kMostThreads, 6) interpret(GPU_PARAM BlockFormula<T> p, GPU_PARAM Operands operands) {
  GPU_SHARED(T, memory);
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x), tile = threads * kWide;
  T* const uniform = memory;
  T* const mine = memory + p.n_uniform + thread * kWide;
  const auto at = [&](int value) { return value < 0 ? uniform + ~value : mine + value * tile; };
  const auto operand = [&](int value) { return Operand<T>{at(value), value >= 0}; };

  if (thread == 0) {
    for (int k = 0; k < p.n_constants; ++k) uniform[~p.constant_at[k]] = p.constant[k];
    for (int v = 0; v < p.n_in; ++v)
      if (p.in_at[v] < 0) uniform[~p.in_at[v]] = operands.template uniform<T>(v);
    for (int k = 0; k < p.n_uniform_steps; ++k) {
      const BlockStep s = p.step[k];
      execute<T, 1>(s.op, at(s.to), operand(s.a), operand(s.b), operand(s.c));
    }
  }
  __syncthreads();

  for (int t = static_cast<int>(blockIdx.x); t < operands.tiles(tile); t += static_cast<int>(gridDim.x)) {
    const Tile part = operands.find(t, tile);
    const Share share{part.begin + thread, threads, part.count - thread};
    for (int v = 0; v < p.n_in; ++v)
      if (p.in_at[v] >= 0 && p.in_at[v] != kNowhere) operands.load(v, part, share, at(p.in_at[v]));
    for (int k = p.n_uniform_steps; k < p.n_steps; ++k) {
      const BlockStep s = p.step[k];
      execute<T, kWide>(s.op, at(s.to), operand(s.a), operand(s.b), operand(s.c));
    }
    for (int j = 0; j < p.n_out; ++j)
      if (p.out_at[j] != kNowhere) operands.store(j, part, share, at(p.out_at[j]), p.out_at[j] >= 0);
  }
}

template <class T, class Operands>
static void interpret_formula(Lane& lane, const char* name, const BlockFormula<T>& p, const Operands& operands) {
  constexpr int64_t kMostBlocks = 4096;  // each computes the uniform values
  const int threads = threads_for(p);
  const int64_t tiles = operands.tiles(threads * kWide);
  launch(lane, name, interpret<T, Operands>, dim3(static_cast<unsigned>(tiles < kMostBlocks ? tiles : kMostBlocks)),
         dim3(static_cast<unsigned>(threads)), static_cast<size_t>(shared_bytes(p, threads)), p, operands);
}

}  // namespace hornbeam
