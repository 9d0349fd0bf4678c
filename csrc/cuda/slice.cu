// slice and slice_grad. Where a slice begins is a value, so each thread reads it: `begin` lies in the device's memory,
// and is not known when the call is recorded.
#include "core/dispatch.h"
#include "cuda/divider.h"
#include "cuda/export.h"
#include "cuda/gpu.h"
#include "ops/slice.h"

namespace hornbeam {

// A slice `part` of `whole`, and the axes of the one whose items are counted: part's or whole's.
struct SliceMap {
  SliceAttrs attrs;
  SliceBegin begin;
  Shape whole, part;
  Divider n[kMaxRank];

  static SliceMap of(const KernelCall& c, int begin, const Shape& whole, const Shape& part, const Shape& counted) {
    const TensorRef& b = c.in[begin];
    SliceMap m{*static_cast<const SliceAttrs*>(c.attrs),
               {b.data, b.dtype, static_cast<int32_t>(b.shape.count())},
               whole,
               part,
               {}};
    for (int i = 0; i < counted.rank; ++i) m.n[i] = Divider::of(counted[i]);
    return m;
  }
};

template <class T> static void slice_items(const KernelCall& c, const SliceMap& slice) {
  const T* x = c.in[0].as<const T>();
  T* y = c.out[0].as<T>();
  each(*c.lane, "slice", c.out[0].shape.count(), [=] GPU_LAMBDA(int64_t i) {
    int64_t rest = i, from = 0, row = 1;
    bool inside = true;  // of x: nothing else is read, whatever `begin` turns out to be
    for (int d = slice.whole.rank - 1; d >= 0; --d) {
      const int64_t n = slice.whole.dim[d];
      const int64_t at = slice.begin.at(slice.attrs, d, n) + slice.n[d].take(rest) * slice.attrs.stride(d);
      inside = inside && at >= 0 && at < n;
      from += at * row;
      row *= n;
    }
    y[i] = inside ? x[from] : T(0);
  });
}

static void slice(const KernelCall& c) {
  const Shape &x = c.in[0].shape, &y = c.out[0].shape;
  if (y.count() == 0) return;
  const SliceMap map = SliceMap::of(c, 1, x, y, y);
  by_item_size(c.out[0].dtype, [&](auto tag) { slice_items<typename decltype(tag)::type>(c, map); });
}

template <class T> static void slice_grad_items(const KernelCall& c, const SliceMap& slice) {
  const T* dy = c.in[0].as<const T>();
  T* dx = c.out[0].as<T>();
  each(*c.lane, "slice_grad", c.out[0].shape.count(), [=] GPU_LAMBDA(int64_t i) {
    int64_t rest = i, from = 0, row = 1;
    bool inside = true;  // of the slice, and the slice of x
    for (int d = slice.whole.rank - 1; d >= 0; --d) {
      const int64_t n = slice.whole.dim[d], count = slice.part.dim[d], step = slice.attrs.stride(d);
      const int64_t begin = slice.begin.at(slice.attrs, d, n), apart = slice.n[d].take(rest) - begin;
      const int64_t at = step == 1 ? apart : apart / step;
      inside = inside && at >= 0 && at < count && at * step == apart && slice_fits(n, begin, step, count);
      from += at * row;
      row *= count;
    }
    dx[i] = inside ? dy[from] : T(0);
  });
}

static void slice_grad(const KernelCall& c) {
  const Shape &dy = c.in[0].shape, &dx = c.out[0].shape;
  if (dx.count() == 0) return;
  const SliceMap map = SliceMap::of(c, 2, dx, dy, dx);
  by_item_size(c.out[0].dtype, [&](auto tag) { slice_grad_items<typename decltype(tag)::type>(c, map); });
}

HB_GPU_KERNELS(slice, {"slice", "each", nullptr, nullptr, slice}, {"slice_grad", "each", nullptr, nullptr, slice_grad})

}  // namespace hornbeam
