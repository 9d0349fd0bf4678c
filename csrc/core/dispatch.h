// From a dtype known at run time to a C++ type: each calls body(Tag<T>{}). Plain data: kernels of all devices include
// it.
#pragma once
#include "core/convert.h"

namespace hornbeam {

template <class T>
struct Tag {
  using type = T;
};

// Moving data needs the item size only.
template <class F>
static void by_item_size(DType t, const F& body) {
  switch (item_size(t)) {
    case 1: return body(Tag<uint8_t>{});
    case 2: return body(Tag<uint16_t>{});
    case 4: return body(Tag<uint32_t>{});
    default: return body(Tag<uint64_t>{});
  }
}

// Types with arithmetic of their own; shape rules refuse the others.
template <class F>
static void by_number(DType t, const F& body) {
  switch (t) {
    case DType::uint8: return body(Tag<uint8_t>{});
    case DType::int8: return body(Tag<int8_t>{});
    case DType::uint16: return body(Tag<uint16_t>{});
    case DType::int16: return body(Tag<int16_t>{});
    case DType::int32: return body(Tag<int32_t>{});
    case DType::int64: return body(Tag<int64_t>{});
    case DType::float64: return body(Tag<double>{});
    default: return body(Tag<float>{});
  }
}

// Types to add in. Integers wrap around as unsigned ones do, and have the same bits.
template <class F>
static void by_addition(DType t, const F& body) {
  if (is_float(t)) return by_number(t, body);
  by_item_size(t, body);
}

template <class F>
static void by_integer(DType t, const F& body) {
  switch (t) {
    case DType::uint8: return body(Tag<uint8_t>{});
    case DType::int8: return body(Tag<int8_t>{});
    case DType::uint16: return body(Tag<uint16_t>{});
    case DType::int16: return body(Tag<int16_t>{});
    case DType::int64: return body(Tag<int64_t>{});
    default: return body(Tag<int32_t>{});
  }
}

// Of floats, those that can be computed with.
template <class F>
static void by_float(DType t, const F& body) {
  t == DType::float64 ? body(Tag<double>{}) : body(Tag<float>{});
}

// Indices are int32 or int64; shape rules refuse the others.
template <class F>
static void by_index(DType t, const F& body) {
  t == DType::int64 ? body(Tag<int64_t>{}) : body(Tag<int32_t>{});
}

// The types that elementwise programs compute in: f(a value of the type).
template <class F> static void with_compute_type(DType t, const F& f) {
  switch (t) {
    case DType::float32: return f(float{});
    case DType::float64: return f(double{});
    case DType::int64: return f(int64_t{});
    default: return f(int32_t{});
  }
}

// The bytes of `value` as one item of type t.
HB_INLINE uint64_t item_bits(DType t, double value) {
  uint64_t bits = 0;
  auto put = [&](auto v) __attribute__((always_inline)) { __builtin_memcpy(&bits, &v, sizeof v); };
  switch (t) {
    case DType::boolean: put(static_cast<uint8_t>(value != 0)); break;
    case DType::uint8: put(convert<uint8_t>(value)); break;
    case DType::int8: put(convert<int8_t>(value)); break;
    case DType::uint16: put(convert<uint16_t>(value)); break;
    case DType::int16: put(convert<int16_t>(value)); break;
    case DType::int32: put(convert<int32_t>(value)); break;
    case DType::int64: put(convert<int64_t>(value)); break;
    case DType::float16: put(convert<Half>(value)); break;
    case DType::float32: put(static_cast<float>(value)); break;
    case DType::float64: put(value); break;
  }
  return bits;
}

}  // namespace hornbeam
