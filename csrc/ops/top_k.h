#pragma once
#include "ops/attrs.h"

namespace hornbeam {

// Whether element a of a row comes before element b among the largest.
template <class T> HB_INLINE bool top_k_before(const T* row, int32_t a, int32_t b) {
  const T u = row[a], v = row[b];
  const bool a_counts = u == u, b_counts = v == v;
  if (a_counts != b_counts) return a_counts;
  return u > v || (!(v > u) && a < b);
}

struct TopKAttrs {
  int64_t k = 1;
  HB_FIELDS(HB_F(k))
};

}  // namespace hornbeam
