// From one dtype to another, as NumPy's astype: floats to integers truncate, integers wrap, anything but 0 is true.
// float16 rounds to nearest even (float64 goes to it through float32). Plain data: kernels include it.
#pragma once
#include "core/half.h"

namespace hornbeam {

// A stored form, as Half is. NumPy lets the byte of a bool be anything; C++ does not.
struct Bool { uint8_t byte; };

template <class To, class From> HB_INLINE To convert(From x) {
  if constexpr (__is_same(To, From)) return x;
  else if constexpr (__is_same(From, Bool)) return convert<To>(static_cast<int32_t>(x.byte != 0));
  else if constexpr (__is_same(From, Half)) return convert<To>(half_to_float(x));
  else if constexpr (__is_same(To, Bool)) return {static_cast<uint8_t>(x != 0)};
  else if constexpr (__is_same(To, Half)) return float_to_half(static_cast<float>(x));
  else if constexpr (sizeof(To) < 4) return static_cast<To>(static_cast<int32_t>(x));
  else return static_cast<To>(x);
}

#define HB_DTYPES(X)  \
  X(boolean, Bool)    \
  X(uint8, uint8_t)   \
  X(int8, int8_t)     \
  X(uint16, uint16_t) \
  X(int16, int16_t)   \
  X(int32, int32_t)   \
  X(int64, int64_t)   \
  X(float16, Half)    \
  X(float32, float)   \
  X(float64, double)

}  // namespace hornbeam
