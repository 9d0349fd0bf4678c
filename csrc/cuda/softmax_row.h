// The softmax of one row by a team of threads: what softmax and cross entropy share.
#pragma once
#include "cuda/rows.h"
#include "cuda/scalar.h"

namespace hornbeam {

template <class T> struct SoftmaxParts { T top, sum; };  // the row's maximum; the sum of exp(x - top)

// The softmax goes to `p` unless that is null; it may be x.
template <class Team, class T>
__device__ __forceinline__ SoftmaxParts<T> softmax_row(const Team& team, const T* x, int64_t n, T* p) {
  const T top = team.max_of(n, [&](int64_t i) { return x[i]; });
  if (!p) return {top, team.sum_of(n, [&](int64_t i) { return scalar::exp(x[i] - top); })};
  const T sum = team.sum_of(n, [&](int64_t i) { return p[i] = scalar::exp(x[i] - top); });
  const T scale = T(1) / sum;
  team.each(n, [&](int64_t i) { p[i] *= scale; });
  return {top, sum};
}

}  // namespace hornbeam
