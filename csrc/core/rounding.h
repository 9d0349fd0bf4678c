// What a sum loses. Plain data: kernels of all devices include it.
#pragma once
#include "core/dtype.h"

namespace hornbeam {

// What the addition next = sum + x has rounded away (Knuth). For numbers and vectors.
template <class V>
HB_INLINE V rounded_away(V sum, V x, V next) {
  const V part = next - sum;
  return (sum - (next - part)) + (x - part);
}

// An infinite sum leaves NaN in `rest`; the sum itself is right then.
template <class V>
HB_INLINE V rounded(V sum, V rest) {
  const V whole = sum + rest;
  return whole == whole ? whole : sum;
}

}  // namespace hornbeam
