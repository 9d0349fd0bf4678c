// Vectors on GCC/Clang vector types: one source for every instruction set. HB_VECTOR_BYTES is set by
// the build for each ISA. Everything is in the ISA's own namespace and inlined by force.
#pragma once
#include "core/shape.h"

#ifndef HB_ISA
#error "kernel files are compiled with HB_ISA=<namespace> and HB_VECTOR_BYTES=<16|32|64>"
#endif

#define HB_CPU_BEGIN namespace hornbeam { namespace HB_ISA {
#define HB_CPU_END } }

HB_CPU_BEGIN

constexpr int kVectorBytes = HB_VECTOR_BYTES;

template <class T> struct VecOf {
  typedef T type __attribute__((vector_size(HB_VECTOR_BYTES), aligned(sizeof(T)), may_alias));
  static constexpr int lanes = HB_VECTOR_BYTES / sizeof(T);
};
template <class T> using Vec = typename VecOf<T>::type;
template <class T> constexpr int kLanes = VecOf<T>::lanes;

using vf = Vec<float>;
using vd = Vec<double>;
using vi = Vec<int32_t>;
using vl = Vec<int64_t>;

template <class T> HB_INLINE Vec<T> load(const T* p) { return *reinterpret_cast<const Vec<T>*>(p); }
template <class T> HB_INLINE void store(T* p, Vec<T> v) { *reinterpret_cast<Vec<T>*>(p) = v; }
template <class T> HB_INLINE Vec<T> splat(T x) { return x - Vec<T>{}; }

// a*b+c with one rounding where the machine has it (everywhere but the x86 baseline). The project is
// compiled with -ffp-contract=off, so this is the only place where products and sums contract.
template <class T> HB_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
#if defined(__FMA__) && defined(__GNUC__) && !defined(__clang__)
  // GCC's builtins stay whole until registers are given out; the loop below is put together from lanes
  // so early that a 28-accumulator tile then shuffles (or spills) a register per product.
#if HB_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == 4) return (Vec<T>)__builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4);
  else return (Vec<T>)__builtin_ia32_vfmaddpd512_mask(a, b, c, (unsigned char)-1, 4);
#else
  if constexpr (sizeof(T) == 4) return (Vec<T>)__builtin_ia32_vfmaddps256(a, b, c);
  else return (Vec<T>)__builtin_ia32_vfmaddpd256(a, b, c);
#endif
#elif defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
  Vec<T> r;
  for (int i = 0; i < kLanes<T>; ++i) r[i] = sizeof(T) == 4 ? __builtin_fmaf(a[i], b[i], c[i]) : __builtin_fma(a[i], b[i], c[i]);
  return r;
#else
  return a * b + c;
#endif
}

// First n lanes (0 <= n <= lanes), the rest zero; and the store that leaves the rest untouched.
template <class T> HB_INLINE Vec<T> load_tail(const T* p, int n) {
  Vec<T> v{};
  __builtin_memcpy(&v, p, static_cast<unsigned long>(n) * sizeof(T));
  return v;
}
template <class T> HB_INLINE void store_tail(T* p, Vec<T> v, int n) {
  __builtin_memcpy(p, &v, static_cast<unsigned long>(n) * sizeof(T));
}

HB_CPU_END
