// Rows of one dtype to rows of another.
#pragma once
#include "core/convert.h"
#include "cpu/simd.h"

HB_CPU_BEGIN

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
