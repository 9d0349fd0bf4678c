// The CPU's logarithm and sine (core/log_sine.inc) of one number, bit for bit, for random normal numbers.
#pragma once
#include <math.h>

#include "core/dtype.h"

namespace hornbeam::normal {

template <class T> using Vec = T;
template <class T> struct IntOf;
template <> struct IntOf<float> { using type = int32_t; };
template <> struct IntOf<double> { using type = int64_t; };
template <class T> struct UnsignedOf;
template <> struct UnsignedOf<float> { using type = uint32_t; };
template <> struct UnsignedOf<double> { using type = uint64_t; };
template <class T> using Bits = typename IntOf<T>::type;

template <class T> HB_INLINE T splat(T x) { return x; }
template <class T> HB_INLINE T fma(T a, T b, T c) {
  if constexpr (sizeof(T) == 4) return ::fmaf(a, b, c);
  else return ::fma(a, b, c);
}
template <class T> HB_INLINE Bits<T> to_bits(T x) {
  Bits<T> bits;
  __builtin_memcpy(&bits, &x, sizeof x);
  return bits;
}
template <class T> HB_INLINE T from_bits(Bits<T> bits) {
  T x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

#include "core/log_sine.inc"

}  // namespace hornbeam::normal
