// float16 as a stored form: rounded to nearest even, with denormals, infinities and NaN. Plain data: kernels include
// it.
#pragma once
#include "core/dtype.h"

namespace hornbeam {

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

}  // namespace hornbeam
