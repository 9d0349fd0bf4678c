// Vectors narrower than the machine's, for few channels and for folding a vector's lanes into one.
#pragma once
#include "cpu/simd.h"

HB_CPU_BEGIN

template <class T, int N> struct PackOf {
  typedef T type __attribute__((vector_size(N * sizeof(T)), aligned(sizeof(T)), may_alias));
};
// Passed on as <T, N> and never as a template argument, which would drop the alignment.
template <class T, int N> using Pack = typename PackOf<T, N>::type;
template <int N, class T> HB_INLINE Pack<T, N> load_pack(const T* p) { return *reinterpret_cast<const Pack<T, N>*>(p); }
template <int N, class T> HB_INLINE void store_pack(T* p, Pack<T, N> v) { *reinterpret_cast<Pack<T, N>*>(p) = v; }

// All lanes merged, halves with halves: log2(lanes) roundings.
template <class T, int N = kLanes<T>, class F> HB_INLINE T fold(Pack<T, N> v, const F& merge) {
  if constexpr (N == 1) {
    return v[0];
  } else {
    Pack<T, N / 2> half[2];
    __builtin_memcpy(half, &v, sizeof v);
    return fold<T, N / 2>(merge(half[0], half[1]), merge);
  }
}

// 0, 1, 2, ... as what comparisons of Vec<T> give.
template <class T> HB_INLINE auto lane_numbers() {
  decltype(Vec<T>{} < Vec<T>{}) lane;
  for (int i = 0; i < kLanes<T>; ++i) lane[i] = i;
  return lane;
}
// load_tail with something else than zero behind the first n lanes.
template <class T> HB_INLINE Vec<T> load_tail(const T* p, int n, T rest) {
  auto inside = lane_numbers<T>();
  for (int i = 0; i < kLanes<T>; ++i) inside[i] = inside[i] < n ? -1 : 0;
  return inside ? load_tail<T>(p, n) : splat<T>(rest);
}

HB_CPU_END
