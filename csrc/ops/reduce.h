#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct ReduceAttrs {
  Ints axes;
  bool keepdims = false;
  HB_FIELDS(HB_F(axes) HB_F(keepdims))
};

struct ArgReduceAttrs {
  int64_t axis = -1;
  HB_FIELDS(HB_F(axis))
};

// A reduction over any set of axes is a few passes, innermost first, over (outer, n, inner) -> (outer, inner).
struct ReducePass { int64_t outer, n, inner; };
struct ReducePasses {
  ReducePass item[kMaxRank];
  int count = 0;
};

HB_INLINE ReducePasses passes_of(const Shape& x, const Ints& axes) {
  bool reduced[kMaxRank] = {};
  for (int i = 0; i < axes.rank; ++i) reduced[axes[i] < 0 ? axes[i] + x.rank : axes[i]] = true;
  ReducePasses passes;
  int64_t inner = 1;
  for (int i = x.rank - 1; i >= 0; --i) {
    if (!reduced[i]) {
      inner *= x[i];
      continue;
    }
    int64_t n = x[i];
    for (; i > 0 && reduced[i - 1]; --i) n *= x[i - 1];
    if (n != 1) passes.item[passes.count++] = {x.count(0, i), n, inner};
  }
  return passes;
}

}  // namespace hornbeam
