// slice and slice_grad: the same nest of strides, read or written.
#include "ops/slice.h"
#include "core/dispatch.h"
#include "cpu/export.h"
#include "cpu/strided_copy.h"

HB_CPU_BEGIN

// The elements of `whole` that the slice `part` means: their strides, and the first one's offset.
struct SliceView {
  int64_t stride[kMaxRank], first = 0;
  int64_t at[kMaxRank];
  bool dense = true;  // all strides are 1: a box

  HB_INLINE SliceView(const SliceAttrs& a, const Shape& whole, const TensorRef& begin) {
    const SliceBegin from{begin.data, begin.dtype, static_cast<int32_t>(begin.shape.count())};
    for (int i = 0; i < whole.rank; ++i) {
      const int64_t step = a.stride(i), row = whole.count(i + 1, whole.rank);
      at[i] = from.at(a, i, whole[i]);
      dense &= step == 1;
      stride[i] = step * row;
      first += at[i] * row;
    }
  }
};

// Whether all of `part` lies inside of `whole`.
static bool fits(const SliceAttrs& a, const SliceView& view, const Shape& part, const Shape& whole) {
  for (int i = 0; i < part.rank; ++i)
    if (!slice_fits(whole[i], view.at[i], a.stride(i), part[i])) return false;
  return true;
}

static void run_slice(const KernelCall& c) {
  const Shape &x = c.in[0].shape, &y = c.out[0].shape;
  if (y.count() == 0) return;
  const SliceView view(*static_cast<const SliceAttrs*>(c.attrs), x, c.in[1]);
  CopyLoops loops;
  for (int i = 0; i < y.rank; ++i) loops.add(y[i], view.stride[i], y.count(i + 1, y.rank));
  by_item_size(c.out[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    strided_copy(c, loops, c.in[0].as<const T>() + view.first, c.out[0].as<T>());
  });
}

static void run_slice_grad(const KernelCall& c) {
  const Shape &dy = c.in[0].shape, &dx = c.out[0].shape;
  const SliceAttrs& a = *static_cast<const SliceAttrs*>(c.attrs);
  const SliceView view(a, dx, c.in[2]);
  const bool any = dy.count() > 0 && fits(a, view, dy, dx);
  CopyLoops loops;
  for (int i = 0; i < dy.rank; ++i) loops.add(dy[i], dy.count(i + 1, dy.rank), view.stride[i]);
  by_item_size(c.out[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = c.out[0].as<T>();
    if (view.dense && any) {
      fill_around(c, out, dx, dy, view.at, T(0));
    } else {
      fill_items(c, out, dx.count(), T(0));
    }
    if (any) strided_copy(c, loops, c.in[0].as<const T>(), out + view.first);
  });
}

HB_EXPORT_KERNELS(slice, {"slice", "strided", nullptr, nullptr, run_slice},
                  {"slice_grad", "strided", nullptr, nullptr, run_slice_grad})

HB_CPU_END
