// Typed op attributes. Each op family declares plain structs with one list of fields:
//
//     struct PoolAttrs {
//       Ints size, strides;
//       Padding padding = Padding::valid;
//       HB_FIELDS(HB_F(size) HB_F(strides) HB_F(padding))
//     };
//
// Parsing from Python, printing, hashing and serialising all walk that list. The structs hold plain
// data, because kernels read them too.
#pragma once
#include "core/shape.h"
#include "ops/activation_list.h"

namespace hornbeam {

#define HB_F(name) visit(#name, name);
#define HB_FIELDS(list) \
  template <class V> void fields(V& visit) { list }

// Names of an enum's values in order, ended by null. Specialise beside the enum.
template <class E> struct EnumNames;
#define HB_ENUM_NAMES(E, ...)                                    \
  template <> struct EnumNames<E> {                              \
    static const char* const* get() {                            \
      static const char* const names[] = {__VA_ARGS__, nullptr}; \
      return names;                                              \
    }                                                            \
  };

#define HB_NAME(name, ...) name,
enum class Activation : int32_t { linear, HB_ACTIVATIONS(HB_NAME) };
#undef HB_NAME
#define HB_TEXT(name, ...) , #name
HB_ENUM_NAMES(Activation, "linear" HB_ACTIVATIONS(HB_TEXT))
#undef HB_TEXT

// Does the result alone tell the slope? What the recurrent ops' gradients need.
constexpr bool has_slope(Activation a) {
  constexpr auto none = [](const char* text) {
    return text[0] == 'n' && text[1] == 'o' && text[2] == 'n' && text[3] == 'e' && !text[4];
  };
  switch (a) {
    case Activation::linear: return true;
#define HB_CASE(name, op, forward, slope) \
  case Activation::name: return !none(#slope);
      HB_ACTIVATIONS(HB_CASE)
#undef HB_CASE
  }
  return false;
}

enum class Padding : int32_t { valid, same, causal };
HB_ENUM_NAMES(Padding, "valid", "same", "causal")

// A list of numbers of up to N entries inside a plain struct (a fused program's code or constants).
template <class T, int N> struct InlineList {
  int32_t size = 0;
  T value[N] = {};
};

struct NoAttrs {
  template <class V> void fields(V&) {}
};

}  // namespace hornbeam
