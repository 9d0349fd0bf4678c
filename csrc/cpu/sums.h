// Sums whose error does not grow with their length.
#pragma once
#include "core/rounding.h"
#include "cpu/simd.h"

HB_CPU_BEGIN

// A running sum within one rounding of the exact sum of the n things added, plus n^2 2^-48 (float32) of
// their magnitudes. The N lanes of a vector, or one number.
template <class T, int N>
struct Compensated {
  Vec<T> sum, rest;
  HB_INLINE void add(Vec<T> x) {
    const Vec<T> next = sum + x;
    rest += rounded_away(sum, x, next);
    sum = next;
  }
  HB_INLINE Vec<T> value() const { return rounded(sum, rest); }
};
template <class T>
struct Compensated<T, 1> {
  T sum, rest;
  HB_INLINE void add(T x) {
    const T next = sum + x;
    rest += rounded_away(sum, x, next);
    sum = next;
  }
  HB_INLINE T value() const { return rounded(sum, rest); }
};
template <class T>
using VectorSum = Compensated<T, kLanes<T>>;
template <class T>
using ScalarSum = Compensated<T, 1>;

HB_CPU_END
