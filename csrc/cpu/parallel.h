// Lambdas on the task runner. Pieces are cut by count and cost alone, both functions of the shape.
#pragma once
#include "cpu/kernel.h"
#include "cpu/simd.h"

HB_CPU_BEGIN

// f(i) for every i in [0, count).
template <class F> HB_INLINE void parallel_tasks(const KernelCall& call, int64_t count, const F& f) {
  if (count == 1) return f(0);
  call.tasks->parallel(count, [](void* p, int64_t i) { (*static_cast<const F*>(p))(i); }, const_cast<F*>(&f));
}

// f(begin, end) over [0, count) in pieces worth handing to another thread: an item costs about `cost`
// vectorisable operations, a piece at least 32 thousand (a few microseconds).
template <class F> HB_INLINE void parallel_ranges(const KernelCall& call, int64_t count, int64_t cost, const F& f) {
  const int64_t step = 1 + 32768 / (cost + 1);
  parallel_tasks(call, (count + step - 1) / step, [&](int64_t task) {
    const int64_t begin = task * step, end = begin + step;
    f(begin, end < count ? end : count);
  });
}

HB_CPU_END
