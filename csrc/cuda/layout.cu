// transpose, reverse, concat, tile, broadcast_to: each is a nest of loops. pad looks for each item of its result where
// it comes from.
#include "cuda/export.h"
#include "cuda/strided_copy.h"

namespace hornbeam {

static void copy(const KernelCall& c, const char* name, const CopyLoops& loops) {
  strided_copy(*c.lane, name, loops, c.out[0].dtype, c.in[0].data, c.out[0].data);
}

static void transpose(const KernelCall& c) {
  copy(c, "transpose", transpose_loops(*static_cast<const TransposeAttrs*>(c.attrs), c.in[0].shape, c.out[0].shape));
}

static void reverse(const KernelCall& c) {
  copy(c, "reverse", reverse_loops(*static_cast<const AxesAttrs*>(c.attrs), c.in[0].shape));
}

static void tile(const KernelCall& c) {
  if (c.out[0].shape.count()) copy(c, "tile", tile_loops(c.in[0].shape, c.out[0].shape));
}

static void broadcast_to(const KernelCall& c) {
  copy(c, "broadcast_to", broadcast_loops(c.in[0].shape, c.out[0].shape));
}

static void concat(const KernelCall& c) {
  const int64_t axis_attr = static_cast<const AxisAttrs*>(c.attrs)->axis;
  const Shape& y = c.out[0].shape;
  const int axis = static_cast<int>(axis_attr < 0 ? axis_attr + y.rank : axis_attr);
  int64_t at = 0;
  for (int i = 0; i < c.n_in; ++i) {
    const int64_t run = c.in[i].shape.count(axis, y.rank);
    CopyLoops loops;
    loops.add(y.count(0, axis), run, y.count(axis, y.rank));
    loops.add(run, 1, 1);
    loops.dst_first = at;
    strided_copy(*c.lane, "concat", loops, c.out[0].dtype, c.in[i].data, c.out[0].data);
    at += run;
  }
}

// ---- pad ----------------------------------------------------------------------------------------------

// The axes of the result, outermost first; those without borders are part of the axis around them.
struct Borders {
  int32_t rank = 0, unused = 0;
  Divider n[kMaxRank];
  int64_t before[kMaxRank] = {}, inside[kMaxRank] = {};
};

static Borders borders(const PadAttrs& a, const Shape& x, const Shape& y) {
  Borders b;
  for (int i = 0; i < y.rank; ++i) {
    if (b.rank && x[i] == y[i]) {
      const int last = b.rank - 1;
      b.n[last] = Divider::of(b.n[last].d * y[i]);
      b.before[last] *= y[i];
      b.inside[last] *= y[i];
    } else {
      b.n[b.rank] = Divider::of(y[i]);
      b.before[b.rank] = a.before.dim[i];
      b.inside[b.rank++] = x[i];
    }
  }
  return b;
}

template <class T> static void pad_with(const KernelCall& c, T value) {
  const T* x = c.in[0].as<const T>();
  T* y = c.out[0].as<T>();
  const Borders axes = borders(*static_cast<const PadAttrs*>(c.attrs), c.in[0].shape, c.out[0].shape);
  each(*c.lane, "pad", c.out[0].shape.count(), [=] GPU_LAMBDA(int64_t i) {
    int64_t rest = i, from = 0, row = 1;
    bool inside = true;
    for (int d = axes.rank - 1; d >= 0; --d) {
      const int64_t at = axes.n[d].take(rest) - axes.before[d];
      inside = inside && at >= 0 && at < axes.inside[d];
      from += at * row;
      row *= axes.inside[d];
    }
    y[i] = inside ? x[from] : value;
  });
}

static void pad(const KernelCall& c) {
  if (c.out[0].shape.count() == 0) return;
  const uint64_t bits = item_bits(c.out[0].dtype, static_cast<const PadAttrs*>(c.attrs)->value);
  by_item_size(c.out[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    pad_with<T>(c, static_cast<T>(bits));
  });
}

HB_GPU_KERNELS(layout, {"transpose", "tiles", nullptr, nullptr, transpose},
               {"reverse", "strided", nullptr, nullptr, reverse}, {"concat", "strided", nullptr, nullptr, concat},
               {"tile", "strided", nullptr, nullptr, tile}, {"broadcast_to", "strided", nullptr, nullptr, broadcast_to},
               {"pad", "each", nullptr, nullptr, pad})

}  // namespace hornbeam
