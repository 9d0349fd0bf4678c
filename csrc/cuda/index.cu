// gather, one_hot. An index out of range never reaches memory: gather gives NaN there (0 for integers), one_hot leaves
// it out.
#include "ops/index.h"

#include "core/dispatch.h"
#include "cuda/divider.h"
#include "cuda/export.h"
#include "cuda/gpu.h"

namespace hornbeam {

// Rows of `run` items, picked by index out of each of `outer` tables of n rows.
template <class T, class I> static void gather_rows(const KernelCall& c, int axis, T missing) {
  const Shape& shape = c.in[0].shape;
  const int64_t outer = shape.count(0, axis), n = shape[axis], run = shape.count(axis + 1, shape.rank);
  const int64_t picks = c.in[1].shape.count();
  if (outer * picks * run == 0) return;
  const T* x = c.in[0].as<const T>();
  const I* index = c.in[1].as<const I>();
  T* y = c.out[0].as<T>();
  const Divider per_row = Divider::of(run), per_table = Divider::of(picks);
  each(*c.lane, "gather", outer * picks * run, [=] GPU_LAMBDA(int64_t i) {
    int64_t rest = i;
    const int64_t column = per_row.take(rest), at = index[per_table.take(rest)];
    y[i] = at >= 0 && at < n ? x[(rest * n + at) * per_row.d + column] : missing;
  });
}

static void gather(const KernelCall& c) {
  const int64_t axis_attr = static_cast<const GatherAttrs*>(c.attrs)->axis;
  const int axis = static_cast<int>(axis_attr < 0 ? axis_attr + c.in[0].shape.rank : axis_attr);
  const DType t = c.in[0].dtype;
  const uint64_t missing = is_float(t) ? item_bits(t, __builtin_nan("")) : 0;
  by_item_size(t, [&](auto item) {
    using T = typename decltype(item)::type;
    by_index(c.in[1].dtype,
             [&](auto tag) { gather_rows<T, typename decltype(tag)::type>(c, axis, static_cast<T>(missing)); });
  });
}

template <class T, class I> static void one_hot_rows(const KernelCall& c, T one) {
  const int64_t count = c.out[0].shape.count();
  if (count == 0) return;
  const I* index = c.in[0].as<const I>();
  T* y = c.out[0].as<T>();
  const Divider depth = Divider::of(c.out[0].shape[-1]);
  each(*c.lane, "one_hot", count, [=] GPU_LAMBDA(int64_t i) {
    int64_t row = i;
    const int64_t column = depth.take(row);
    y[i] = static_cast<int64_t>(index[row]) == column ? one : T(0);
  });
}

static void one_hot(const KernelCall& c) {
  const DType t = c.out[0].dtype;
  by_item_size(t, [&](auto item) {
    using T = typename decltype(item)::type;
    by_integer(c.in[0].dtype,
               [&](auto tag) { one_hot_rows<T, typename decltype(tag)::type>(c, static_cast<T>(item_bits(t, 1))); });
  });
}

HB_GPU_KERNELS(index, {"gather", "each", nullptr, nullptr, gather}, {"one_hot", "each", nullptr, nullptr, one_hot})

}  // namespace hornbeam
