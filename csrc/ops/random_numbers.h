// Numbers made of random words (core/philox.h), with the same bits on every device. Plain data: kernels include it.
#pragma once
#include "core/dtype.h"

namespace hornbeam {

// 24 or 53 random bits as a fraction of [0, 1).
HB_INLINE float random_fraction(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word >> 8)) * 0x1p-24f;
}
HB_INLINE double random_fraction(uint32_t first, uint32_t second) {
  const double high = static_cast<int32_t>(first >> 5), low = static_cast<int32_t>(second >> 6);
  return (high * 0x1p26 + low) * 0x1p-53;
}

// Fractions of [0, 1) as numbers of [low, high).
template <class T> struct UniformRange {
  T low, high, range, below;

  HB_INLINE static UniformRange of(double from, double to) {
    UniformRange r;
    r.low = static_cast<T>(from);
    r.high = static_cast<T>(to);
    r.range = r.high - r.low;
    // low + range * fraction may round up to high itself, which does not belong to the interval.
    r.below = r.high - (r.high > 0 ? r.high : -r.high) * (sizeof(T) == 4 ? T(0x1p-23) : T(0x1p-52));
    return r;
  }
  HB_INLINE T operator()(T fraction) const {
    const T v = low + range * fraction;
    return low < high && v >= high ? below : v;
  }
};

// Of [low, low + range), from 64 bits.
struct IntegerRange {
  int64_t low;
  uint64_t range;

  HB_INLINE static IntegerRange of(double from, double to) {
    const int64_t low = static_cast<int64_t>(__builtin_ceil(from)), high = static_cast<int64_t>(__builtin_ceil(to));
    return {low, static_cast<uint64_t>(high) - static_cast<uint64_t>(low)};
  }
  HB_INLINE int64_t operator()(uint32_t first, uint32_t second) const {
    const uint64_t bits = static_cast<uint64_t>(first) << 32 | second;
    return static_cast<int64_t>(static_cast<uint64_t>(low) +
                                static_cast<uint64_t>(static_cast<unsigned __int128>(bits) * range >> 64));
  }
};

// Whether a word is below a probability: 24 bits decide, for every dtype, so that masks of different dtypes agree.
struct BernoulliThreshold {
  int32_t threshold;

  HB_INLINE static BernoulliThreshold of(double p) { return {static_cast<int32_t>(__builtin_ceil(p * 0x1p24))}; }
  HB_INLINE bool operator()(uint32_t word) const { return static_cast<int32_t>(word >> 8) < threshold; }
};

constexpr int kTruncatedDraws = 256;  // of a truncated normal number; each is rejected with probability 0.0455

}  // namespace hornbeam
