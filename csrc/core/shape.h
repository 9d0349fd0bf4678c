// A tensor's shape, also used for any short list of integers in op attributes. Plain data.
#pragma once
#include "core/dtype.h"

namespace hornbeam {

constexpr int kMaxRank = 8;
// A dim that is only known at bind. While a graph is built, any other negative number stands for an unknown dim too:
// equal numbers are the same dim, so that `x + bias` is known to have x's batch size.
constexpr int64_t kUnknown = -1;

struct Shape {
  int32_t rank = 0;
  int64_t dim[kMaxRank] = {};

  HB_INLINE int64_t operator[](int i) const { return dim[i < 0 ? i + rank : i]; }
  HB_INLINE int64_t& operator[](int i) { return dim[i < 0 ? i + rank : i]; }
  HB_INLINE void push(int64_t v) { dim[rank++] = v; }
  HB_INLINE bool known() const {
    for (int i = 0; i < rank; ++i)
      if (dim[i] < 0) return false;
    return true;
  }
  // Product of dims [from, to); meaningful only when they are known.
  HB_INLINE int64_t count(int from, int to) const {
    int64_t n = 1;
    for (int i = from; i < to; ++i) n *= dim[i];
    return n;
  }
  HB_INLINE int64_t count() const { return count(0, rank); }
  HB_INLINE bool operator==(const Shape& o) const {
    if (rank != o.rank) return false;
    for (int i = 0; i < rank; ++i)
      if (dim[i] != o.dim[i]) return false;
    return true;
  }
  HB_INLINE bool operator!=(const Shape& o) const { return !(*this == o); }
};

using Ints = Shape;  // attribute lists: strides, axes, permutations

}  // namespace hornbeam
