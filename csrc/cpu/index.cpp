// gather, scatter_add, sum_rows, one_hot. An index out of range never reaches memory: gather gives NaN there
// (0 for integers), the others leave it out.
#include "ops/index.h"
#include "core/dispatch.h"
#include "cpu/export.h"
#include "cpu/strided_copy.h"

HB_CPU_BEGIN

HB_INLINE bool in_range(int64_t index, int64_t n) { return static_cast<uint64_t>(index) < static_cast<uint64_t>(n); }

// Rows of `run` items, picked by index out of each of `outer` tables of n rows.
template <class T, class I>
static void gather_rows(const KernelCall& c, int64_t outer, int64_t n, int64_t run, T missing) {
  const T* x = c.in[0].as<const T>();
  const I* index = c.in[1].as<const I>();
  T* y = c.out[0].as<T>();
  const int64_t picks = c.in[1].shape.count();
  if (run == 0 || picks == 0) return;
  const int64_t grain = larger(1, 64 * 1024 / (run * static_cast<int64_t>(sizeof(T)) + 16));
  parallel_pieces(c, outer * picks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end;) {
      const T* table = x + i / picks * n * run;
      const int64_t stop = smaller(end, (i / picks + 1) * picks);
      const I* at = index + i % picks;
      for (; i < stop; ++i, ++at) {
        const T* from = in_range(*at, n) ? table + *at * run : nullptr;
        if (run == 1) {
          y[i] = from ? *from : missing;
        } else if (from) {
          copy_run(reinterpret_cast<char*>(y + i * run), reinterpret_cast<const char*>(from),
                   run * static_cast<int64_t>(sizeof(T)));
        } else {
          for (int64_t k = 0; k < run; ++k) y[i * run + k] = missing;
        }
      }
    }
  });
}

static void run_gather(const KernelCall& c) {
  const int64_t axis_attr = static_cast<const GatherAttrs*>(c.attrs)->axis;
  const Shape& x = c.in[0].shape;
  const int axis = static_cast<int>(axis_attr < 0 ? axis_attr + x.rank : axis_attr);
  const DType t = c.in[0].dtype;
  const uint64_t missing = is_float(t) ? item_bits(t, __builtin_nan("")) : 0;
  by_item_size(t, [&](auto item) {
    using T = typename decltype(item)::type;
    by_index(c.in[1].dtype, [&](auto tag) {
      gather_rows<T, typename decltype(tag)::type>(c, x.count(0, axis), x[axis], x.count(axis + 1, x.rank),
                                                   static_cast<T>(missing));
    });
  });
}

// Each task owns some rows and columns of the result: it clears them, then walks all indices in their
// order and adds those that are its own. So duplicates are summed in order of appearance, and no two
// tasks write the same place.
template <class T, class I>
static void scatter_add(const KernelCall& c) {
  const I* index = c.in[0].as<const I>();
  const T* updates = c.in[1].as<const T>();
  T* y = c.out[0].as<T>();
  const Shape& shape = c.out[0].shape;
  const int64_t rows = shape[0], width = shape.count(1, shape.rank), picks = c.in[0].shape.count();
  if (rows == 0 || width == 0) return;
  // Every task reads all indices, so tasks are as many as the bytes to write are worth.
  const int64_t bytes = (rows + picks) * width * static_cast<int64_t>(sizeof(T));
  const int64_t cut = larger(1, smaller(smaller(16, bytes / (64 * 1024)), 1 + bytes / (16 * picks + 1)));
  // Columns first when they are many: then nobody walks the indices in vain.
  const int64_t cut_columns = larger(1, smaller(cut, width / 1024)),
                cut_rows = smaller(rows, ceil_div(cut, cut_columns));
  parallel_tasks(c, cut_rows * cut_columns, [&](int64_t task) {
    const int64_t row = task / cut_columns, column = task % cut_columns;
    const int64_t r0 = rows * row / cut_rows, r1 = rows * (row + 1) / cut_rows;
    const int64_t c0 = width * column / cut_columns, n = width * (column + 1) / cut_columns - c0;
    if (cut_columns == 1) {
      __builtin_memset(y + r0 * width, 0, static_cast<unsigned long>((r1 - r0) * width) * sizeof(T));
    } else {
      for (int64_t r = r0; r < r1; ++r)
        __builtin_memset(y + r * width + c0, 0, static_cast<unsigned long>(n) * sizeof(T));
    }
    for (int64_t i = 0; i < picks; ++i) {
      if (!in_range(index[i] - r0, r1 - r0)) continue;
      T* to = y + index[i] * width + c0;
      const T* from = updates + i * width + c0;
      for (int64_t k = 0; k < n; ++k) to[k] = static_cast<T>(to[k] + from[k]);
    }
  });
}

static void run_scatter_add(const KernelCall& c) {
  by_addition(c.out[0].dtype, [&](auto item) {
    by_index(c.in[0].dtype,
             [&](auto tag) { scatter_add<typename decltype(item)::type, typename decltype(tag)::type>(c); });
  });
}

// Updates of one index are added to the first of them, in order of appearance; place[index] is that one's. The
// others become zero, as do those of indices out of range. Sums may be written over the updates. As in
// scatter_add, each task owns some of the indices.
template <class T, class I>
static void sum_rows(const KernelCall& c) {
  const I* index = c.in[0].as<const I>();
  const T* updates = c.in[1].as<const T>();
  T* sums = c.out[0].as<T>();
  const Shape &shape = c.out[0].shape, &places = c.out[1].shape;
  const int64_t rows = places[0], width = shape.count(1, shape.rank), picks = shape[0];
  int32_t* place = static_cast<int32_t*>(c.out[1].present ? c.out[1].data : c.workspace);
  if (rows) __builtin_memset(place, -1, static_cast<unsigned long>(rows) * sizeof(int32_t));
  for (int64_t i = picks; i-- > 0;)
    if (in_range(index[i], rows)) place[index[i]] = static_cast<int32_t>(i);
  if (!c.out[0].present || width == 0) return;
  const int64_t bytes = picks * width * static_cast<int64_t>(sizeof(T));
  const int64_t tasks = larger(1, smaller(rows, smaller(16, bytes / (256 * 1024))));
  parallel_tasks(c, tasks, [&](int64_t task) {
    const int64_t r0 = rows * task / tasks, r1 = rows * (task + 1) / tasks;
    const auto row_bytes = static_cast<unsigned long>(width) * sizeof(T);
    for (int64_t i = 0; i < picks; ++i) {
      const bool known = in_range(index[i], rows);
      if (known ? !in_range(index[i] - r0, r1 - r0) : task > 0) continue;
      const T* from = updates + i * width;
      T* own = sums + i * width;
      if (known && place[index[i]] == i) {
        if (own != from) __builtin_memcpy(own, from, row_bytes);
        continue;
      }
      if (known) {
        T* to = sums + place[index[i]] * width;
        for (int64_t k = 0; k < width; ++k) to[k] = static_cast<T>(to[k] + from[k]);
      }
      __builtin_memset(own, 0, row_bytes);
    }
  });
}

static void run_sum_rows(const KernelCall& c) {
  by_addition(c.out[0].dtype, [&](auto item) {
    by_index(c.in[0].dtype,
             [&](auto tag) { sum_rows<typename decltype(item)::type, typename decltype(tag)::type>(c); });
  });
}
static int64_t workspace_sum_rows(const KernelCall& c) {
  return c.out[1].present ? 0 : c.out[1].shape.count() * static_cast<int64_t>(sizeof(int32_t));
}

template <class T, class I>
static void one_hot(const KernelCall& c, T one) {
  const I* index = c.in[0].as<const I>();
  T* y = c.out[0].as<T>();
  const int64_t depth = c.out[0].shape[-1], count = c.in[0].shape.count();
  if (depth == 0) return;
  const int64_t grain = larger(1, 128 * 1024 / (depth * static_cast<int64_t>(sizeof(T))));
  parallel_pieces(c, count, grain, [&](int64_t begin, int64_t end) {
    __builtin_memset(y + begin * depth, 0, static_cast<unsigned long>((end - begin) * depth) * sizeof(T));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = static_cast<int64_t>(index[i]);
      if (in_range(at, depth)) y[i * depth + at] = one;
    }
  });
}

static void run_one_hot(const KernelCall& c) {
  const DType t = c.out[0].dtype;
  by_item_size(t, [&](auto item) {
    using T = typename decltype(item)::type;
    by_integer(c.in[0].dtype,
               [&](auto tag) { one_hot<T, typename decltype(tag)::type>(c, static_cast<T>(item_bits(t, 1))); });
  });
}

HB_EXPORT_KERNELS(index, {"gather", "rows", nullptr, nullptr, run_gather},
                  {"scatter_add", "owned", nullptr, nullptr, run_scatter_add},
                  {"sum_rows", "owned", nullptr, workspace_sum_rows, run_sum_rows},
                  {"one_hot", "rows", nullptr, nullptr, run_one_hot})

HB_CPU_END
