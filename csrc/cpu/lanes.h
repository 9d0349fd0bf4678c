// Parts of vectors: some of their lanes loaded and stored, all of them folded into one.
#pragma once
#include "cpu/simd.h"

HB_CPU_BEGIN

// The first n <= lanes elements, without a mask where the compiler can see that it is all of them.
template <class T>
HB_INLINE Vec<T> load_some(const T* p, int n) {
  return n == kLanes<T> ? load<T>(p) : load_tail<T>(p, n);
}
template <class T>
HB_INLINE void store_some(T* p, Vec<T> v, int n) {
  if (n == kLanes<T>) store<T>(p, v);
  else store_tail<T>(p, v, n);
}

// 0, 1, 2, ... as what comparisons of Vec<T> give.
template <class T>
HB_INLINE auto lane_numbers() {
  decltype(Vec<T>{} < Vec<T>{}) lane;
  for (int i = 0; i < kLanes<T>; ++i) lane[i] = i;
  return lane;
}
// With something else than zero behind the first n lanes.
template <class T>
HB_INLINE Vec<T> load_tail(const T* p, int n, T rest) {
  auto inside = lane_numbers<T>();
  for (int i = 0; i < kLanes<T>; ++i) inside[i] = inside[i] < n ? -1 : 0;
  return inside ? load_tail<T>(p, n) : splat<T>(rest);
}
template <class T>
HB_INLINE Vec<T> load_some(const T* p, int n, T rest) {
  return n == kLanes<T> ? load<T>(p) : load_tail<T>(p, n, rest);
}

template <class T, int N>
struct PartOf {
  typedef T type __attribute__((vector_size(N * sizeof(T)), aligned(sizeof(T)), may_alias));
};
template <class T>
struct PartOf<T, 1> {
  typedef T type;
};

// All lanes merged, halves with halves: log2(lanes) roundings.
template <class T, int N = kLanes<T>, class F>
HB_INLINE T fold(typename PartOf<T, N>::type v, const F& merge) {
  if constexpr (N == 1) {
    return v;
  } else {
    typename PartOf<T, N / 2>::type half[2];
    __builtin_memcpy(half, &v, sizeof v);
    return fold<T, N / 2>(merge(half[0], half[1]), merge);
  }
}

HB_CPU_END
