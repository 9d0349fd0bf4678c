// Lambdas on the task runner. Pieces are cut by count and cost alone, both functions of the shape.
#pragma once
#include "cpu/kernel.h"
#include "cpu/simd.h"

HB_CPU_BEGIN

HB_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
HB_INLINE int64_t larger(int64_t a, int64_t b) { return a < b ? b : a; }
HB_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
HB_INLINE int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

HB_INLINE bool interrupted(const KernelCall& call) { return call.tasks->interrupted(); }

// f(i) for every i in [0, count).
template <class F>
HB_INLINE void parallel_tasks(const KernelCall& call, int64_t count, const F& f) {
  if (count == 1) return f(0);
  call.tasks->parallel(count, [](void* p, int64_t i) { (*static_cast<const F*>(p))(i); }, const_cast<F*>(&f));
}

// f(begin, end) over [0, count), `step` items a piece.
template <class F>
HB_INLINE void parallel_pieces(const KernelCall& call, int64_t count, int64_t step, const F& f) {
  parallel_tasks(call, ceil_div(count, step), [&](int64_t task) { f(task * step, smaller(count, (task + 1) * step)); });
}

// f(begin, end) over [0, count) in pieces worth handing to another thread: an item costs about `cost`
// vectorisable operations, a piece at least 32 thousand (a few microseconds).
template <class F>
HB_INLINE void parallel_ranges(const KernelCall& call, int64_t count, int64_t cost, const F& f) {
  parallel_pieces(call, count, 1 + 32768 / (cost + 1), f);
}

HB_CPU_END
