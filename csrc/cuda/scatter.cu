// scatter_add and sum_rows. Indices are sorted, and the updates of each row added in order of appearance: the CPU's
// bits. Indices out of range are left out.
#include "core/dispatch.h"
#include "cuda/divider.h"
#include "cuda/export.h"
#include "cuda/sort.h"

namespace hornbeam {

static bool supports(const KernelCall& c) {
  const Shape &y = c.out[0].shape, &places = c.out[c.n_out - 1].shape;
  constexpr int64_t kMost = int64_t{1} << 31;
  return y[0] < kMost && c.in[0].shape.count() < kMost && places[0] < kMost;
}
static int64_t workspace(const KernelCall& c) { return sort_bytes(c.in[0].shape.count()); }

template <class T, class I> static void scatter_add_items(const KernelCall& c) {
  const Shape& y = c.out[0].shape;
  const int64_t n = c.in[0].shape.count();
  if (y.count() == 0) return;
  const SortedRows sorted = sort_rows(*c.lane, "scatter_add", c.in[0].as<const I>(), n, y[0], c.workspace);
  const T* updates = c.in[1].as<const T>();
  T* to = c.out[0].as<T>();
  const Divider width = Divider::of(y.count(1, y.rank));
  each(*c.lane, "scatter_add", y.count(), [=] GPU_LAMBDA(int64_t i) {
    int64_t row = i;
    const int64_t column = width.take(row);
    T sum = T(0);
    for (int64_t k = first_of(sorted, n, static_cast<uint32_t>(row)); k < n && sorted.row[k] == row; ++k)
      sum = static_cast<T>(sum + updates[sorted.from[k] * width.d + column]);
    to[i] = sum;
  });
}

// The first update of a row becomes the sum of all, the others zero; places say where the first ones are. Sums may lie
// over the updates: so zeros come after all sums are made.
template <class T, class I> static void sum_rows_items(const KernelCall& c) {
  const int64_t n = c.in[0].shape.count(), n_rows = c.out[1].shape[0];
  const SortedRows sorted = sort_rows(*c.lane, "sum_rows", c.in[0].as<const I>(), n, n_rows, c.workspace);
  if (c.out[1].present) {
    int32_t* place = c.out[1].as<int32_t>();
    each(*c.lane, "sum_rows", n_rows, [=] GPU_LAMBDA(int64_t row) {
      const int64_t k = first_of(sorted, n, static_cast<uint32_t>(row));
      place[row] = k < n && sorted.row[k] == row ? static_cast<int32_t>(sorted.from[k]) : -1;
    });
  }
  const Shape& shape = c.out[0].shape;
  if (!c.out[0].present || shape.count() == 0) return;
  const T* updates = c.in[1].as<const T>();
  T* sums = c.out[0].as<T>();
  const Divider width = Divider::of(shape.count(1, shape.rank));
  each(*c.lane, "sum_rows", shape.count(), [=] GPU_LAMBDA(int64_t i) {
    int64_t k = i;
    const int64_t column = width.take(k);
    const uint32_t row = sorted.row[k];
    if (row == n_rows || (k > 0 && sorted.row[k - 1] == row)) return;
    const int64_t first = sorted.from[k] * width.d + column;
    T sum = updates[first];
    for (++k; k < n && sorted.row[k] == row; ++k)
      sum = static_cast<T>(sum + updates[sorted.from[k] * width.d + column]);
    sums[first] = sum;
  });
  each(*c.lane, "sum_rows", shape.count(), [=] GPU_LAMBDA(int64_t i) {
    int64_t k = i;
    const int64_t column = width.take(k);
    const uint32_t row = sorted.row[k];
    if (row == n_rows || (k > 0 && sorted.row[k - 1] == row)) sums[sorted.from[k] * width.d + column] = T(0);
  });
}

static void scatter_add(const KernelCall& c) {
  by_addition(c.out[0].dtype, [&](auto item) {
    by_index(c.in[0].dtype,
             [&](auto tag) { scatter_add_items<typename decltype(item)::type, typename decltype(tag)::type>(c); });
  });
}
static void sum_rows(const KernelCall& c) {
  by_addition(c.out[0].dtype, [&](auto item) {
    by_index(c.in[0].dtype,
             [&](auto tag) { sum_rows_items<typename decltype(item)::type, typename decltype(tag)::type>(c); });
  });
}

HB_GPU_KERNELS(scatter, {"scatter_add", "sorted", supports, workspace, scatter_add},
               {"sum_rows", "sorted", supports, workspace, sum_rows})

}  // namespace hornbeam
