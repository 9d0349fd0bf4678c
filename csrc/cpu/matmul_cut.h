// How a matmul is cut into tasks: functions of attributes, shapes and dtype alone.
#pragma once
#include "cpu/gemv.h"
#include "cpu/parallel.h"
#include "ops/matmul_dims.h"

HB_CPU_BEGIN

static MatmulDims matmul_dims(const KernelCall& c) {
  return matmul_dims(*static_cast<const MatmulAttrs*>(c.attrs), c.in[0].shape, c.in[1].shape, c.out[0].shape);
}

enum class PackTime { never, first, by_task };
// In blocks of c; as c' = b' a' (see Matmul::run_swapped); or, for few rows, reading b once (gemv.h).
enum class MatmulWay { blocks, swapped, skinny };

struct MatmulCut {
  MatmulWay way = MatmulWay::blocks;
  int64_t height, tiles, panels;              // register tiles down, panels across
  int64_t row_blocks = 1, column_blocks = 1;  // tasks down and across
  int64_t parts = 1;                          // tasks along k, whose partial results are added up in order
  PackTime pack_a = PackTime::never, pack_b = PackTime::never;
  bool b_in_place = false;                          // whole panels of b are not packed at all
  int64_t packed_a = 0, packed_b = 0, partial = 0;  // elements of workspace, in this order
};

constexpr int64_t kTasks = 64;  // enough for every thread to stay busy to the end

// Tasks of some 512 thousand products: a few microseconds.
HB_INLINE int64_t tasks_worth(int64_t products) { return larger(1, smaller(products >> 19, kTasks)); }

// Few rows and a transposed b that comes unpacked: packing it would cost as much as the product.
template <class T>
static bool cut_swapped(const MatmulDims& d, MatmulCut& c) {
  using G = GemmTile<T>;
  if (d.batch > 1 || d.b_col == 1 || d.m <= kGemvRows || d.m > 2 * G::cols || d.n < 4 * d.m || d.k < 32) return false;
  c.way = MatmulWay::swapped;
  c.column_blocks =
      larger(ceil_div(d.n, G::block_rows), smaller(tasks_worth(d.m * d.n * d.k), ceil_div(d.n, 4 * G::rows)));
  c.packed_b = round_up(gemm_packed_b<T>(d.k, d.m), 64);
  return true;
}

// A task reads 256 KiB of b or more, in runs of a page; what columns do not give, parts of k do.
template <class T>
static bool cut_skinny(const MatmulDims& d, MatmulCut& c) {
  if (d.batch > 1 || d.m > kGemvRows || (d.b_col != 1 && d.a_col != 1)) return false;
  c.way = MatmulWay::skinny;
  const int64_t bytes = d.k * d.n * static_cast<int64_t>(sizeof(T)), tasks = larger(1, smaller(bytes >> 18, kTasks));
  c.column_blocks = smaller(tasks, ceil_div(d.n, d.b_col == 1 ? 4096 / sizeof(T) : 4));
  if (d.b_col == 1) c.parts = smaller(16, ceil_div(tasks, c.column_blocks));
  c.partial = c.parts * d.m * d.n;
  return true;
}

template <class T>
static void cut_blocks(const MatmulDims& d, bool kept, MatmulCut& c) {
  using G = GemmTile<T>;
  constexpr int64_t kWholeA = 8 << 20;                                     // bytes of A that may be packed as a whole
  constexpr int64_t kTallBlock = G::block_rows / G::rows;                  // tiles
  constexpr int64_t kSmallB = 1 << 20;                                     // bytes of B that tasks may pack each
  const int64_t want = tasks_worth(larger(d.m, 8) * d.n * d.k * d.batch);  // few rows wait for b to come
  const int64_t want_each = ceil_div(want, d.batch);                       // of one product of the batch

  // Rows of A are read where they lie, unless a tile's rows are so far apart that they fall into one set of L2.
  // Columns are packed: a tile reads a part of a line of each.
  const int64_t a_stride = (d.a_row == 1 ? d.a_col : d.a_row) * static_cast<int64_t>(sizeof(T));
  const bool in_place = d.a_col == 1 ? a_stride % (32 << 10) != 0 : c.tiles <= 4 && a_stride % 2048 != 0;
  // Enough rows, or enough of k, to busy every thread without cutting columns, which would need A again.
  const bool tall = d.n <= 512 && c.tiles >= want * kTallBlock / 2;
  const bool deep = d.batch == 1 && c.tiles <= kTallBlock && 32 * d.m * d.n <= (d.m + d.n) * d.k;
  const bool small_a = d.batch == 1 && d.m * d.k * static_cast<int64_t>(sizeof(T)) <= kWholeA;
  const bool few_products = c.panels <= 2 || d.k <= 32;  // for each element of A
  if (in_place || few_products) c.pack_a = PackTime::never;
  else c.pack_a = small_a && !tall && !deep ? PackTime::first : PackTime::by_task;

  c.row_blocks = ceil_div(c.tiles, kTallBlock);
  if (!deep) {
    // Every column block of a task that packs A packs it again.
    c.column_blocks = c.pack_a == PackTime::by_task ? larger(1, c.panels * G::cols / 512)
                                                    : smaller(c.panels, ceil_div(want_each, c.row_blocks));
    if (2 * c.row_blocks * c.column_blocks < want_each)
      c.row_blocks = smaller(c.tiles, ceil_div(want_each, c.column_blocks));
  }
  const int64_t blocks = d.batch * c.row_blocks * c.column_blocks, chunks = ceil_div(d.k, G::depth);
  if (2 * blocks < want) c.parts = larger(1, smaller(smaller(16, want / blocks), chunks / 2));

  c.b_in_place = d.b_col == 1 && c.tiles == 1;
  // What is packed together comes from another core's cache afterwards: a small b is rather packed several times.
  const int64_t b_size = gemm_packed_b<T>(d.k, d.n);
  const bool small_b = c.row_blocks <= 4 && b_size * static_cast<int64_t>(sizeof(T)) <= kSmallB;
  if (!kept) c.pack_b = c.row_blocks == 1 || small_b ? PackTime::by_task : PackTime::first;
  if (c.pack_a == PackTime::first) c.packed_a = round_up(d.m * d.k, 64);
  if (c.pack_b == PackTime::first) c.packed_b = round_up(b_size * (d.one_b ? 1 : d.batch), 64);
  if (c.parts > 1) c.partial = c.parts * d.batch * d.m * d.n;
}

// `kept`: b comes packed already.
template <class T>
static MatmulCut matmul_cut(const MatmulDims& d, bool kept) {
  MatmulCut c;
  c.height = gemm_tile_rows<T>(d.m);
  c.tiles = ceil_div(d.m, c.height);
  c.panels = gemm_panels<T>(d.n);
  if (kept || !(cut_swapped<T>(d, c) || cut_skinny<T>(d, c))) cut_blocks<T>(d, kept, c);
  return c;
}

HB_CPU_END
