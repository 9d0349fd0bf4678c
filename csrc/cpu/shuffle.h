// Lanes picked by constants. The indices of a shuffle must be constants of the language for Clang, so they come as
// packs.
#pragma once
#include "cpu/simd.h"

HB_CPU_BEGIN

template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  using type = Indices<I...>;
};
template <int N>
using UpTo = typename MakeIndices<N>::type;  // Indices<0, ..., N - 1>

// The first half (from = 0) or the last (from = lanes / 2) of a and b: a, b, a, b, ...
template <int kFrom, class V, int... I>
HB_INLINE V zip(V a, V b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (kFrom + I / 2 + I % 2 * static_cast<int>(sizeof...(I)))...);
}

HB_CPU_END
