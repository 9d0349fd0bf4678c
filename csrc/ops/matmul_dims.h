// How a matmul reads its inputs. Plain data: kernels include it.
#pragma once
#include "ops/matmul.h"

namespace hornbeam {

// The batch of products behind a call. Element (i, j) of one a is data[i * a_row + j * a_col].
struct MatmulDims {
  int64_t m, n, k, batch;
  int64_t a_row, a_col, b_row, b_col;
  int batch_rank;
  int64_t batch_dim[kMaxRank], a_step[kMaxRank], b_step[kMaxRank];
  bool one_b;  // the same b for every product

  HB_INLINE void offsets(int64_t index, int64_t& a, int64_t& b) const {
    a = b = 0;
    for (int d = batch_rank; d-- > 0; index /= batch_dim[d]) {
      a += index % batch_dim[d] * a_step[d];
      b += index % batch_dim[d] * b_step[d];
    }
  }
};

HB_INLINE MatmulDims matmul_dims(const MatmulAttrs& at, const Shape& a, const Shape& b, const Shape& y) {
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

}  // namespace hornbeam
