// How a matmul is read and cut into tasks: functions of attributes, shapes and dtype alone.
#pragma once
#include "cpu/gemm.h"
#include "cpu/parallel.h"
#include "ops/matmul.h"

HB_CPU_BEGIN

// The batch of products behind a call. Element (i, j) of one a is data[i * a_row + j * a_col].
struct MatmulDims {
  int64_t m, n, k, batch;
  int64_t a_row, a_col, b_row, b_col;
  int batch_rank;
  int64_t batch_dim[kMaxRank], a_step[kMaxRank], b_step[kMaxRank];
  bool one_b;  // the same b for every product

  void offsets(int64_t index, int64_t& a, int64_t& b) const {
    a = b = 0;
    for (int d = batch_rank; d-- > 0; index /= batch_dim[d]) {
      a += index % batch_dim[d] * a_step[d];
      b += index % batch_dim[d] * b_step[d];
    }
  }
};

static MatmulDims matmul_dims(const KernelCall& c) {
  const MatmulAttrs& at = *static_cast<const MatmulAttrs*>(c.attrs);
  const Shape &a = c.in[0].shape, &b = c.in[1].shape, &y = c.out[0].shape;
  MatmulDims d;
  d.m = y[-2];
  d.n = y[-1];
  d.k = a[at.transpose_a ? -2 : -1];
  d.a_row = at.transpose_a ? 1 : d.k;
  d.a_col = at.transpose_a ? d.m : 1;
  d.b_row = at.transpose_b ? 1 : d.n;
  d.b_col = at.transpose_b ? d.k : 1;
  d.one_b = b.count(0, b.rank - 2) == 1;
  d.batch_rank = 0;
  d.batch = y.count(0, y.rank - 2);
  if (d.batch == 1) return d;
  if (d.one_b && !at.transpose_a && a.count(0, a.rank - 2) == d.batch) {
    // The leading dims of a are just more rows.
    d.m *= d.batch;
    d.batch = 1;
    return d;
  }
  int64_t a_size = d.m * d.k, b_size = d.k * d.n;
  d.batch_rank = y.rank - 2;
  for (int i = d.batch_rank, ia = a.rank - 2, ib = b.rank - 2; i-- > 0;) {
    const int64_t na = --ia >= 0 ? a.dim[ia] : 1, nb = --ib >= 0 ? b.dim[ib] : 1;
    d.batch_dim[i] = y.dim[i];
    d.a_step[i] = na == 1 ? 0 : a_size;
    d.b_step[i] = nb == 1 ? 0 : b_size;
    a_size *= na;
    b_size *= nb;
  }
  return d;
}

enum class PackTime { never, first, by_task };

struct MatmulCut {
  int64_t height, tiles, panels;      // register tiles down, panels across
  int64_t row_blocks, column_blocks;  // tasks down and across
  int64_t parts;                      // tasks along k, whose partial results are added up in order
  PackTime pack_a, pack_b;
  bool swapped;                       // computed as (b' a')': see matmul_swapped
  int64_t packed_a, packed_b, partial;  // elements of workspace, in this order

  int64_t tasks(const MatmulDims& d) const { return d.batch * row_blocks * column_blocks * parts; }
};

HB_INLINE int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// `kept`: b comes packed already.
template <class T> static MatmulCut matmul_cut(const MatmulDims& d, bool kept) {
  using G = GemmTile<T>;
  constexpr int64_t kTaskProducts = 512 * 1024;  // a few microseconds
  constexpr int64_t kTasks = 64;                 // enough for every thread to stay busy to the end
  constexpr int64_t kWholeA = 8 << 20;           // bytes of A that may be packed as a whole
  constexpr int64_t kTallBlock = G::block_rows / G::rows;  // tiles
  MatmulCut c{};
  c.height = gemm_tile_rows<T>(d.m);
  c.tiles = ceil_div(d.m, c.height);
  c.panels = gemm_panels<T>(d.n);
  c.parts = 1;
  const int64_t products = d.m * d.n * d.k * d.batch;
  const int64_t want = larger(1, smaller(products / kTaskProducts, kTasks));
  const int64_t want_each = ceil_div(want, d.batch);  // of one product of the batch
  const int64_t chunks = ceil_div(d.k, G::depth);

  c.swapped = !kept && d.b_row == 1 && d.b_col != 1 && d.m > 4 && d.m <= 2 * G::cols && d.n >= 4 * d.m && d.k >= 32 && d.batch == 1;
  if (c.swapped) {
    c.row_blocks = 1;
    c.column_blocks = larger(ceil_div(ceil_div(d.n, G::rows), kTallBlock), smaller(want, ceil_div(d.n, 4 * G::rows)));
    c.packed_b = round_up(gemm_packed_b<T>(d.k, d.m), 64);
    return c;
  }

  // Rows of A 2 KiB or a multiple apart fall into the same few sets of L1.
  const int64_t a_stride = (d.a_row == 1 ? d.a_col : d.a_row) * static_cast<int64_t>(sizeof(T));
  const bool clash = d.k > 1 && a_stride % 2048 == 0;
  if (c.panels <= 2 || d.k <= 8 || d.m <= 4 || (c.tiles <= 4 && !clash)) c.pack_a = PackTime::never;
  else if (d.batch == 1 && d.m * d.k * static_cast<int64_t>(sizeof(T)) <= kWholeA) c.pack_a = PackTime::first;
  else c.pack_a = PackTime::by_task;

  c.row_blocks = ceil_div(c.tiles, kTallBlock);
  if (c.pack_a == PackTime::by_task) {
    // Every column block packs A again.
    c.column_blocks = larger(1, c.panels * G::cols / 512);
  } else {
    c.column_blocks = smaller(c.panels, ceil_div(want_each, c.row_blocks));
  }
  c.row_blocks = smaller(c.tiles, larger(c.row_blocks, ceil_div(want_each, c.column_blocks)));
  const int64_t blocks = d.batch * c.row_blocks * c.column_blocks;
  if (blocks < want / 2) c.parts = larger(1, smaller(smaller(16, want / blocks), chunks / 2));

  if (kept) c.pack_b = PackTime::never;
  else if (c.tiles == 1 && d.b_col == 1) c.pack_b = PackTime::by_task;  // whole panels are read in place
  else c.pack_b = c.row_blocks == 1 ? PackTime::by_task : PackTime::first;

  if (c.pack_a == PackTime::first) c.packed_a = round_up(d.m * d.k, 64);
  if (c.pack_b == PackTime::first) c.packed_b = round_up(gemm_packed_b<T>(d.k, d.n) * (d.one_b ? 1 : d.batch), 64);
  if (c.parts > 1) c.partial = c.parts * d.batch * d.m * d.n;
  return c;
}

HB_CPU_END
