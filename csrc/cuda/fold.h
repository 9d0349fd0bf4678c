// Folds (outer, n, inner) -> (outer, inner): one kernel for rows, columns and what lies between. Which thread takes
// which elements in which order is decided by the shape alone, so results have the same bits every time.
//
// Op says how items are folded:
//   struct Item                            one element, as `load` gives it
//   struct State                           what is known of some elements
//   static State none()                    of none
//   static void take(State&, Item, int64_t at)
//   static void take(State&, const Item (&)[kBatch], int64_t at, int64_t apart)
//   static void join(State&, const State&)
//   static ... result(const State&)
// load(i, column) gives the item at i, store(i, result) takes the result at i; both are lambdas.
#pragma once
#include "cuda/gpu.h"
#include "ops/reduce.h"

namespace hornbeam {

constexpr int kFoldThreads = 256;
constexpr int kBatch = 8;  // elements that a thread asks for at once

// A block's threads: `width` columns, `rows` threads for each, for `stack` outer positions.
struct FoldGrid {
  ReducePass pass;
  int32_t width, rows, stack, unused;
  int64_t tiles, splits;  // of columns; parts that each fold is cut into

  static FoldGrid of(const ReducePass& p) {
    FoldGrid g{p, 1, 1, 1, 0, 1, 1};
    while (g.width < 32 && g.width < p.inner) g.width *= 2;
    while (g.rows * g.width < kFoldThreads && g.rows * kBatch < p.n) g.rows *= 2;
    while (g.rows * g.width < kFoldThreads && g.width < p.inner) g.width *= 2;  // short folds
    while (g.stack * g.rows * g.width < kFoldThreads) g.stack *= 2;
    g.tiles = (p.inner + g.width - 1) / g.width;
    // Few blocks and long folds: as many parts as keep a GPU busy, of no less than a batch or two for each thread.
    constexpr int64_t kEnoughBlocks = 512;
    const int64_t longest = p.n / (2 * kBatch * g.rows);
    if (g.outer_blocks() * g.tiles < kEnoughBlocks) g.splits = kEnoughBlocks / (g.outer_blocks() * g.tiles + 1);
    if (g.splits > longest) g.splits = longest;
    if (g.splits < 1) g.splits = 1;
    return g;
  }
  HB_INLINE int64_t outer_blocks() const { return (pass.outer + stack - 1) / stack; }
  int64_t results() const { return pass.outer * pass.inner; }
  int64_t states() const { return splits > 1 ? splits * results() : 0; }  // of workspace
};

template <class Op, class Load, class Store>
__global__ void __launch_bounds__(kFoldThreads)
    fold_kernel(GPU_PARAM Load load, GPU_PARAM Store store, typename Op::State* parts, FoldGrid g) {
  GPU_SHARED(typename Op::State, states);
  const int t = static_cast<int>(threadIdx.x), row = t / g.width % g.rows;
  int64_t block = blockIdx.x;
  const int64_t split = block % g.splits;
  block /= g.splits;
  const int64_t column = block % g.tiles * g.width + t % g.width;
  const int64_t outer = block / g.tiles * g.stack + t / g.width / g.rows;
  const int64_t n = g.pass.n, inner = g.pass.inner, end = n * (split + 1) / g.splits;
  const bool inside = column < inner && outer < g.pass.outer;

  typename Op::State state = Op::none();
  if (inside) {
    int64_t k = n * split / g.splits + row;
    int64_t at = (outer * n + k) * inner + column;
    const int64_t step = g.rows * inner;
    for (; k + (kBatch - 1) * g.rows < end; k += kBatch * g.rows, at += kBatch * step) {
      typename Op::Item batch[kBatch];
      for (int i = 0; i < kBatch; ++i) batch[i] = load(at + i * step, column);
      Op::take(state, batch, k, g.rows);
    }
    for (; k < end; k += g.rows, at += step) Op::take(state, load(at, column), k);
  }
  for (int half = g.rows / 2; half > 0; half /= 2) {
    if (row >= half && row < 2 * half) states[t] = state;
    __syncthreads();
    if (row < half) Op::join(state, states[t + half * g.width]);
    __syncthreads();
  }
  if (row > 0 || !inside) return;
  const int64_t to = outer * inner + column;
  if (g.splits == 1) store(to, Op::result(state));
  else parts[split * g.pass.outer * inner + to] = state;
}

// `parts` has room for FoldGrid::states().
template <class Op, class Load, class Store>
static void fold(Lane& lane, const char* name, const ReducePass& pass, void* parts, Load load, Store store) {
  using State = typename Op::State;
  const FoldGrid g = FoldGrid::of(pass);
  const int64_t blocks = g.outer_blocks() * g.tiles * g.splits, splits = g.splits, results = g.results();
  State* const states = static_cast<State*>(parts);
  launch(lane, name, fold_kernel<Op, Load, Store>, dim3(static_cast<unsigned>(blocks)), dim3(kFoldThreads),
         kFoldThreads * sizeof(State), load, store, states, g);
  if (splits == 1) return;
  each(lane, name, results, [=] GPU_LAMBDA(int64_t i) {
    State state = states[i];
    for (int64_t s = 1; s < splits; ++s) Op::join(state, states[s * results + i]);
    store(i, Op::result(state));
  });
}

}  // namespace hornbeam
