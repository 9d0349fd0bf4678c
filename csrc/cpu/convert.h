// Rows of one dtype to rows of another, as NumPy's astype: floats to integers truncate, integers wrap,
// anything but 0 is true. float16 rounds to nearest even (float64 goes to it through float32).
#pragma once
#include "core/half.h"
#include "cpu/simd.h"

HB_CPU_BEGIN

// Like Half, a stored form that is not an arithmetic type of the language.
struct Bool { uint8_t byte; };

template <class To, class From> HB_INLINE To convert(From x) {
  if constexpr (__is_same(From, Bool)) return convert<To>(static_cast<int32_t>(x.byte != 0));
  else if constexpr (__is_same(From, Half)) return convert<To>(half_to_float(x));
  else if constexpr (__is_same(To, Bool)) return {static_cast<uint8_t>(x != 0)};
  else if constexpr (__is_same(To, Half)) return float_to_half(static_cast<float>(x));
  else if constexpr (sizeof(To) < 4) return static_cast<To>(static_cast<int32_t>(x));
  else return static_cast<To>(x);
}

// src[0..n) to dst[0..n); the two do not overlap.
template <class To, class From> static void convert_row(void* dst, const void* src, int64_t n) {
  if constexpr (__is_same(To, From)) {
    __builtin_memcpy(dst, src, static_cast<unsigned long>(n) * sizeof(To));
  } else {
    To* __restrict to = static_cast<To*>(dst);
    const From* __restrict from = static_cast<const From*>(src);
    for (int64_t i = 0; i < n; ++i) to[i] = convert<To>(from[i]);
  }
}

using ConvertRow = void (*)(void* dst, const void* src, int64_t n);

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

// From stored dtype t to T, and back.
template <class T> HB_INLINE ConvertRow load_row(DType t) {
  switch (t) {
#define HB_X(name, type) \
  case DType::name: return convert_row<T, type>;
    HB_DTYPES(HB_X)
#undef HB_X
  }
  return nullptr;
}
template <class T> HB_INLINE ConvertRow store_row(DType t) {
  switch (t) {
#define HB_X(name, type) \
  case DType::name: return convert_row<type, T>;
    HB_DTYPES(HB_X)
#undef HB_X
  }
  return nullptr;
}

HB_CPU_END
