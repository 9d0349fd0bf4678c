// Rows of one dtype to rows of another, as NumPy's astype: floats to integers truncate, integers wrap,
// anything but 0 is true. float16 rounds to nearest even (float64 goes to it through float32).
#pragma once
#include "cpu/simd.h"

HB_CPU_BEGIN

// Stored forms that are no arithmetic type of the language.
struct Bool { uint8_t byte; };
struct Half { uint16_t bits; };

HB_INLINE float half_to_float(Half h) {
  // The exponent of a half, moved into place, is too small by 112; denormals come out right as well.
  uint32_t bits = static_cast<uint32_t>(h.bits & 0x7fff) << 13;
  float magnitude;
  __builtin_memcpy(&magnitude, &bits, 4);
  magnitude *= 0x1p112f;
  __builtin_memcpy(&bits, &magnitude, 4);
  bits |= (h.bits & 0x7c00) == 0x7c00 ? 0x7f800000u : 0u;
  bits |= static_cast<uint32_t>(h.bits & 0x8000) << 16;
  float r;
  __builtin_memcpy(&r, &bits, 4);
  return r;
}

HB_INLINE Half float_to_half(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  // Normal halves: round the 13 bits that go, half to even, and move the exponent.
  const uint32_t normal = (magnitude + 0xfff + (magnitude >> 13 & 1) - (112u << 23)) >> 13;
  // Denormal halves: adding 0.5 leaves the rounded value in the low bits.
  float f;
  __builtin_memcpy(&f, &magnitude, 4);
  f += 0.5f;
  uint32_t denormal;
  __builtin_memcpy(&denormal, &f, 4);
  denormal -= 0x3f000000u;
  const uint32_t special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  const uint32_t finite = magnitude < 0x38800000u ? denormal : normal;
  return {static_cast<uint16_t>(sign | (magnitude >= 0x47800000u ? special : finite))};
}

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
