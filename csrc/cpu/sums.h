// Sums whose error does not grow with their length.
#pragma once
#include "cpu/simd.h"

HB_CPU_BEGIN

// sum += x, and what the addition rounds away into rest (Knuth). For numbers and vectors.
template <class V>
HB_INLINE void two_sum(V& sum, V& rest, V x) {
  const V next = sum + x, part = next - sum;
  rest += (sum - (next - part)) + (x - part);
  sum = next;
}

// An infinite sum leaves NaN in `rest`; the sum itself is right then.
template <class V>
HB_INLINE V rounded(V sum, V rest) {
  const V whole = sum + rest;
  return whole == whole ? whole : sum;
}

// A running sum within one rounding of the exact sum of the n things added, plus n^2 2^-48 (float32) of
// their magnitudes. The N lanes of a vector, or one number.
template <class T, int N>
struct Compensated {
  Vec<T> sum, rest;
  HB_INLINE void add(Vec<T> x) { two_sum(sum, rest, x); }
  HB_INLINE Vec<T> value() const { return rounded(sum, rest); }
};
template <class T>
struct Compensated<T, 1> {
  T sum, rest;
  HB_INLINE void add(T x) { two_sum(sum, rest, x); }
  HB_INLINE T value() const { return rounded(sum, rest); }
};
template <class T>
using VectorSum = Compensated<T, kLanes<T>>;
template <class T>
using ScalarSum = Compensated<T, 1>;

HB_CPU_END
