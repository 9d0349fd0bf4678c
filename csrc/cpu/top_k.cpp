// Selection without sorting the rows: a heap of the k best indices so far, the worst of them on top; most elements cost
// one comparison. Only the heap is sorted.
#include "ops/top_k.h"

#include "core/dispatch.h"
#include "cpu/export.h"
#include "cpu/parallel.h"

HB_CPU_BEGIN

template <class T> struct RowHeap {
  const T* x;
  int32_t* index;

  HB_INLINE bool before(int32_t a, int32_t b) const { return top_k_before(x, a, b); }

  HB_INLINE void sink(int64_t at, int64_t size) {
    const int32_t moved = index[at];
    for (int64_t child; (child = 2 * at + 1) < size; at = child) {
      if (child + 1 < size && before(index[child], index[child + 1])) ++child;
      if (!before(moved, index[child])) break;
      index[at] = index[child];
    }
    index[at] = moved;
  }

  HB_INLINE void select(int64_t n, int64_t k) {
    for (int64_t i = 0; i < k; ++i) index[i] = static_cast<int32_t>(i);
    for (int64_t i = k / 2; i-- > 0;) sink(i, k);
    for (int64_t i = k; i < n; ++i)
      if (before(static_cast<int32_t>(i), index[0])) {
        index[0] = static_cast<int32_t>(i);
        sink(0, k);
      }
    for (int64_t end = k; end-- > 1;) {
      const int32_t worst = index[0];
      index[0] = index[end];
      index[end] = worst;
      sink(0, end);
    }
  }
};

static void run_top_k(const KernelCall& c) {
  const int64_t n = c.in[0].shape[-1], k = c.out[0].shape[-1], rows = c.out[0].shape.count() / larger(k, 1);
  if (k == 0) return;
  int32_t* indices = c.out[1].present ? c.out[1].as<int32_t>() : reinterpret_cast<int32_t*>(c.workspace);
  by_number(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* x = c.in[0].as<const T>();
    parallel_ranges(c, rows, 2 * n, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        RowHeap<T> heap{x + r * n, indices + r * k};
        heap.select(n, k);
        if (c.out[0].present)
          for (int64_t i = 0; i < k; ++i) c.out[0].as<T>()[r * k + i] = heap.x[heap.index[i]];
      }
    });
  });
}

HB_EXPORT_KERNELS(top_k,
                  {"top_k", "heap", [](const KernelCall& c) { return c.in[0].dtype != DType::float16; },
                   [](const KernelCall& c) { return c.out[1].present ? 0 : c.out[1].shape.count() * 4; }, run_top_k})

HB_CPU_END
