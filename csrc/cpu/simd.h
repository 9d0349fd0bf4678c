// Vectors on GCC/Clang vector types: one source for every instruction set. HB_VECTOR_BYTES is set by
// the build for each ISA. Everything is in the ISA's own namespace and inlined by force.
#pragma once
#include "core/shape.h"

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef HB_ISA
#error "kernel files are compiled with HB_ISA=<namespace> and HB_VECTOR_BYTES=<16|32|64>"
#endif

// clang-format off
#define HB_CPU_BEGIN namespace hornbeam { namespace HB_ISA {
#define HB_CPU_END } }
// clang-format on

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
  // GCC's builtins stay whole until registers are given out; a loop over lanes is put together so early
  // that a 28-accumulator tile then shuffles (or spills) a register per product.
#if HB_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == 4) return (Vec<T>)__builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4);
  else return (Vec<T>)__builtin_ia32_vfmaddpd512_mask(a, b, c, (unsigned char)-1, 4);
#else
  if constexpr (sizeof(T) == 4) return (Vec<T>)__builtin_ia32_vfmaddps256(a, b, c);
  else return (Vec<T>)__builtin_ia32_vfmaddpd256(a, b, c);
#endif
#elif defined(__aarch64__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
  else return (Vec<T>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#elif defined(__FMA__)
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

// Copies n < lanes elements with moves that overlap instead of a loop or a call. Sizes that cannot
// occur are left out at compile time (GCC would warn of them).
template <class T> HB_INLINE void copy_tail(T* dst, const T* src, int n) {
  char* d = reinterpret_cast<char*>(dst);
  const char* s = reinterpret_cast<const char*>(src);
  if (n < 0 || n >= kLanes<T>) __builtin_unreachable();
  const int bytes = n * static_cast<int>(sizeof(T));
  const auto both_ends = [&](auto block) {
    constexpr int kSize = sizeof(block);
    decltype(block) last;
    if (bytes < kSize) __builtin_unreachable();  // says the same to GCC 12 for AArch64, which warns otherwise
    __builtin_memcpy(&block, s, kSize);
    __builtin_memcpy(&last, s + bytes - kSize, kSize);
    __builtin_memcpy(d, &block, kSize);
    __builtin_memcpy(d + bytes - kSize, &last, kSize);
  };
  typedef char Block16 __attribute__((vector_size(16)));
  typedef char Block32 __attribute__((vector_size(32)));
  if constexpr (kVectorBytes > 32)
    if (bytes >= 32) return both_ends(Block32{});
  if constexpr (kVectorBytes > 16)
    if (bytes >= 16) return both_ends(Block16{});
  if (bytes >= 8) return both_ends(int64_t{});
  if constexpr (sizeof(T) <= 4)
    if (bytes >= 4) return both_ends(int32_t{});
  if constexpr (sizeof(T) <= 2)
    if (bytes >= 2) return both_ends(int16_t{});
  if constexpr (sizeof(T) == 1)
    if (bytes == 1) *d = *s;
}

#if defined(__AVX2__) && !defined(__AVX512F__)
// Sign bits of the first n lanes of `kBytes` bytes.
template <int kBytes> HB_INLINE __m256i tail_mask(int n) {
  if constexpr (kBytes == 4) return (__m256i)(vi{0, 1, 2, 3, 4, 5, 6, 7} < n);
  else return (__m256i)(vl{0, 1, 2, 3} < static_cast<int64_t>(n));
}
#endif

// First n lanes (0 <= n <= lanes), the rest zero; and the store that leaves the rest untouched.
// Masked moves where the machine has them: they never touch what the mask leaves out.
template <class T> HB_INLINE Vec<T> load_tail(const T* p, int n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << n) - 1), p);
  if constexpr (sizeof(T) == 8) return (Vec<T>)_mm512_maskz_loadu_epi64(static_cast<__mmask8>((1u << n) - 1), p);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm256_maskload_epi32(reinterpret_cast<const int*>(p), tail_mask<4>(n));
  if constexpr (sizeof(T) == 8)
    return (Vec<T>)_mm256_maskload_epi64(reinterpret_cast<const long long*>(p), tail_mask<8>(n));
#endif
  if (n == kLanes<T>) return load<T>(p);
  Vec<T> v{};
  copy_tail<T>(reinterpret_cast<T*>(&v), p, n);
  return v;
}
template <class T> HB_INLINE void store_tail(T* p, Vec<T> v, int n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_mask_storeu_epi32(p, static_cast<__mmask16>((1u << n) - 1), (__m512i)v);
  if constexpr (sizeof(T) == 8) return _mm512_mask_storeu_epi64(p, static_cast<__mmask8>((1u << n) - 1), (__m512i)v);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) return _mm256_maskstore_epi32(reinterpret_cast<int*>(p), tail_mask<4>(n), (__m256i)v);
  if constexpr (sizeof(T) == 8)
    return _mm256_maskstore_epi64(reinterpret_cast<long long*>(p), tail_mask<8>(n), (__m256i)v);
#endif
  if (n == kLanes<T>) return store<T>(p, v);
  copy_tail<T>(p, reinterpret_cast<const T*>(&v), n);
}

HB_CPU_END
