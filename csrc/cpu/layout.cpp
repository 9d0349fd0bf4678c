// transpose, reverse, concat, tile, broadcast_to, pad: each is a nest of strides for strided_copy.
// The views of this family (reshape, expand_dims, ...) never run.
#include "core/dispatch.h"
#include "cpu/export.h"
#include "cpu/strided_copy.h"

HB_CPU_BEGIN

static void copy(const KernelCall& c, const CopyLoops& loops) {
  by_item_size(c.out[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    strided_copy(c, loops, c.in[0].as<const T>(), c.out[0].as<T>());
  });
}

static void run_transpose(const KernelCall& c) {
  copy(c, transpose_loops(*static_cast<const TransposeAttrs*>(c.attrs), c.in[0].shape, c.out[0].shape));
}

static void run_reverse(const KernelCall& c) {
  copy(c, reverse_loops(*static_cast<const AxesAttrs*>(c.attrs), c.in[0].shape));
}

// All inputs fill a piece of the output before the next piece: lines are completed while in cache.
static void run_concat(const KernelCall& c) {
  const int64_t axis_attr = static_cast<const AxisAttrs*>(c.attrs)->axis;
  const Shape& y = c.out[0].shape;
  const int axis = static_cast<int>(axis_attr < 0 ? axis_attr + y.rank : axis_attr);
  const int64_t outer = y.count(0, axis), row = y.count(axis, y.rank);
  if (outer == 0 || row == 0) return;
  by_item_size(c.out[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const int64_t piece = kPieceBytes / static_cast<int64_t>(sizeof(T));
    // Long rows are cut too.
    const int64_t cut = ceil_div(row, 4 * piece), rows = larger(1, piece / row);
    parallel_tasks(c, ceil_div(outer, rows) * cut, [&](int64_t task) {
      const int64_t r0 = task / cut * rows, n = smaller(rows, outer - r0);
      const int64_t begin = row * (task % cut) / cut, end = row * (task % cut + 1) / cut;
      int64_t at = 0;
      for (int i = 0; i < c.n_in; ++i) {
        const int64_t run = c.in[i].shape.count(axis, y.rank);
        const int64_t from = larger(begin, at), to = smaller(end, at + run);
        if (from < to)
          copy_rows(Loop2{n, to - from, run, row, 1, 1}, c.in[i].as<const T>() + r0 * run + from - at,
                    c.out[0].as<T>() + r0 * row + from);
        at += run;
      }
    });
  });
}

static void run_tile(const KernelCall& c) {
  if (c.out[0].shape.count()) copy(c, tile_loops(c.in[0].shape, c.out[0].shape));
}

static void run_broadcast_to(const KernelCall& c) { copy(c, broadcast_loops(c.in[0].shape, c.out[0].shape)); }

static void run_pad(const KernelCall& c) {
  const PadAttrs& a = *static_cast<const PadAttrs*>(c.attrs);
  const Shape &x = c.in[0].shape, &y = c.out[0].shape;
  copy(c, pad_loops(a, x, y));
  by_item_size(c.out[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fill_around(c, c.out[0].as<T>(), y, x, a.before.dim, static_cast<T>(item_bits(c.out[0].dtype, a.value)));
  });
}

HB_EXPORT_KERNELS(layout, {"transpose", "blocks", nullptr, nullptr, run_transpose},
                  {"reverse", "strided", nullptr, nullptr, run_reverse},
                  {"concat", "runs", nullptr, nullptr, run_concat}, {"tile", "strided", nullptr, nullptr, run_tile},
                  {"broadcast_to", "strided", nullptr, nullptr, run_broadcast_to},
                  {"pad", "slabs", nullptr, nullptr, run_pad})

HB_CPU_END
