// Reductions over any set of axes, as passes (ops/reduce.h) of one kernel. Workspace: what goes from pass to pass, then
// the parts of one pass.
#pragma once
#include "cuda/fold_ops.h"

namespace hornbeam {

template <class T> static int64_t between_bytes(const ReducePass& p) {
  const int64_t bytes = p.outer * p.inner * static_cast<int64_t>(sizeof(T));
  return (bytes + 15) / 16 * 16;
}

template <class Op, class T> static int64_t passes_workspace(const ReducePasses& passes) {
  int64_t between = 0, parts = 0;
  for (int i = 0; i < passes.count; ++i) {
    const int64_t bytes = FoldGrid::of(passes.item[i]).states() * static_cast<int64_t>(sizeof(typename Op::State));
    if (bytes > parts) parts = bytes;
    if (i + 1 < passes.count) between += between_bytes<T>(passes.item[i]);
  }
  return between + parts;
}

template <class Op, class T, class Out>
static void fold_tensor(Lane& lane, const char* name, const ReducePass& pass, void* parts, const T* x, Out* y) {
  fold<Op>(
      lane, name, pass, parts, [=] GPU_LAMBDA(int64_t i, int64_t) { return x[i]; },
      [=] GPU_LAMBDA(int64_t i, Out result) { y[i] = result; });
}

// y has elements.
template <class Op, class T>
static void fold_passes(const KernelCall& c, const char* name, const ReducePasses& passes, const T* x, T* y) {
  if (passes.count == 0) return each(*c.lane, name, c.out[0].shape.count(), [=] GPU_LAMBDA(int64_t i) { y[i] = x[i]; });
  char *between = c.workspace, *parts = c.workspace;
  for (int i = 0; i + 1 < passes.count; ++i) parts += between_bytes<T>(passes.item[i]);
  for (int i = 0; i < passes.count; ++i) {
    T* to = i + 1 == passes.count ? y : reinterpret_cast<T*>(between);
    fold_tensor<Op>(*c.lane, name, passes.item[i], parts, x, to);
    x = to;
    between += between_bytes<T>(passes.item[i]);
  }
}

}  // namespace hornbeam
