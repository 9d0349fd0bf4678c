// Random tensors. Each chunk of 16 Philox blocks (core/philox.h) fills 64 elements of float, or 32 of the
// wider types; which words an element gets depends on its position alone. Words, and so uniform numbers,
// masks and integers, are the same bits on every instruction set; normals differ by the rounding of fma.
#include "ops/random.h"
#include "core/philox.h"
#include "cpu/convert.h"
#include "cpu/export.h"
#include "cpu/parallel.h"
#include "cpu/vmath.h"
#include "ops/random_numbers.h"

HB_CPU_BEGIN

constexpr int kWords = 4 * kPhiloxChunk;
constexpr int64_t kTaskElements = 16384;
using Words = Vec<uint32_t>;

// High and low halves of the lanes' products with m.
struct Product { Words high, low; };
HB_INLINE Product multiply(Words x, uint32_t m) {
  using Wide = Vec<uint64_t>;
  const Wide even = (Wide)x, odd = even >> 32;
#if HB_VECTOR_BYTES == 64 && defined(__AVX512F__)
  // (maskz: GCC 12 takes the plain form for a use of uninitialised memory)
  const __m512i factor = _mm512_set1_epi32(static_cast<int>(m));
  const Wide p = (Wide)_mm512_maskz_mul_epu32(static_cast<__mmask8>(-1), (__m512i)even, factor);
  const Wide q = (Wide)_mm512_maskz_mul_epu32(static_cast<__mmask8>(-1), (__m512i)odd, factor);
#elif HB_VECTOR_BYTES == 32 && defined(__AVX2__)
  const Wide p = (Wide)_mm256_mul_epu32((__m256i)even, _mm256_set1_epi32(static_cast<int>(m)));
  const Wide q = (Wide)_mm256_mul_epu32((__m256i)odd, _mm256_set1_epi32(static_cast<int>(m)));
#else
  const Wide p = (even & 0xffffffffu) * m, q = odd * m;
#endif
  return {(Words)((p >> 32) | (q & 0xffffffff00000000u)), (Words)((p & 0xffffffffu) | (q << 32))};
}

// The words of one chunk.
static void philox_chunk(uint64_t seed, uint64_t run, uint64_t chunk, uint32_t draw, uint32_t* words) {
  constexpr int L = kLanes<uint32_t>;
  const PhiloxCounter first = philox_counter(run, chunk * kPhiloxChunk, draw);
  Words lane;
  for (int i = 0; i < L; ++i) lane[i] = static_cast<uint32_t>(i);
  for (int i = 0; i < kPhiloxChunk; i += L) {
    // Chunks are aligned, so adding a lane's number never carries.
    Words c0 = lane + (first.word[0] + static_cast<uint32_t>(i)), c1 = splat<uint32_t>(first.word[1]);
    Words c2 = splat<uint32_t>(first.word[2]), c3 = splat<uint32_t>(first.word[3]);
    uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < kPhiloxRounds; ++round) {
      const Product a = multiply(c0, kPhiloxMultiplier0), b = multiply(c2, kPhiloxMultiplier1);
      c0 = b.high ^ c1 ^ key0;
      c1 = b.low;
      c2 = a.high ^ c3 ^ key1;
      c3 = a.low;
      key0 += kPhiloxWeyl0;
      key1 += kPhiloxWeyl1;
    }
    store<uint32_t>(words + i, c0);
    store<uint32_t>(words + kPhiloxChunk + i, c1);
    store<uint32_t>(words + 2 * kPhiloxChunk + i, c2);
    store<uint32_t>(words + 3 * kPhiloxChunk + i, c3);
  }
}

// Elements per chunk, and the words of element e: word_of(e), and for wide types the one 16 later.
template <class T> constexpr int kPerChunk = kWords / (sizeof(T) / 4);
template <class T> HB_INLINE int word_of(int e) {
  return sizeof(T) == 4 ? e : e % kPhiloxChunk + 32 * (e / kPhiloxChunk);
}

HB_INLINE float fraction(const uint32_t* w, float) { return random_fraction(w[0]); }
HB_INLINE double fraction(const uint32_t* w, double) { return random_fraction(w[0], w[kPhiloxChunk]); }

template <class T> static void uniform_chunk(const uint32_t* words, const UniformRange<T>& range, T* y) {
  const UniformRange<T> r = range;  // in registers
  for (int e = 0; e < kPerChunk<T>; ++e) y[e] = r(fraction(words + word_of<T>(e), T{}));
}

static void integer_chunk(const uint32_t* words, const IntegerRange& range, int64_t* y) {
  for (int e = 0; e < kPerChunk<int64_t>; ++e) {
    const uint32_t* w = words + word_of<int64_t>(e);
    y[e] = range(w[0], w[kPhiloxChunk]);
  }
}

// Box and Muller: radius sqrt(-2 log u) at the angle of a random word. Its top two bits are the
// quadrant, and the rest an angle in [-pi / 4, pi / 4) from there, so nothing has to be reduced. Words
// 0..15 of a group of 32 are radii and 16..31 angles; they make 32 floats.
static void normal_chunk(const uint32_t* words, float* y) {
  constexpr int L = kLanes<float>;
  for (int half = 0; half < kWords; half += 2 * kPhiloxChunk)
    for (int i = 0; i < kPhiloxChunk; i += L) {
      const Vec<int32_t> a = load<int32_t>(reinterpret_cast<const int32_t*>(words) + half + i);
      const Vec<int32_t> b = load<int32_t>(reinterpret_cast<const int32_t*>(words) + half + kPhiloxChunk + i);
      const vf u = (__builtin_convertvector((Vec<int32_t>)((Words)a >> 1), vf) + 0.5f) * 0x1p-31f;  // in (0, 1]
      const vf radius = sqrt<float>(log<float>(u) * -2.0f);
      const vf angle =
          __builtin_convertvector((Vec<int32_t>)((Words)b << 2), vf) * float(0x1p-32 * 1.57079632679489661923);
      const Vec<int32_t> quadrant = (Vec<int32_t>)((Words)b >> 30);
      store<float>(y + half + i, radius * sin_in_quadrant<float>(quadrant + 1, angle));
      store<float>(y + half + kPhiloxChunk + i, radius * sin_in_quadrant<float>(quadrant, angle));
    }
}

// The same with 53 bits of radius and of angle from the four words of each block.
static void normal_chunk(const uint32_t* words, double* y) {
  constexpr int L = kLanes<double>;
  double u[kPhiloxChunk], turn[kPhiloxChunk];
  for (int i = 0; i < kPhiloxChunk; ++i) {
    u[i] = fraction(words + i, double{}) + 0x1p-54;
    turn[i] = fraction(words + 2 * kPhiloxChunk + i, double{}) * 4;
  }
  for (int i = 0; i < kPhiloxChunk; i += L) {
    const vd radius = sqrt<double>(log<double>(load<double>(u + i)) * -2.0);
    const vd quarters = load<double>(turn + i), n = round<double>(quarters);
    const vd angle = (quarters - n) * 1.57079632679489661923;
    const Bits<double> quadrant = to_bits<double>(n + kRound<double>);
    store<double>(y + i, radius * sin_in_quadrant<double>(quadrant + 1, angle));
    store<double>(y + kPhiloxChunk + i, radius * sin_in_quadrant<double>(quadrant, angle));
  }
}

// Fills the output: chunk(i, values) makes kPerChunk<T> values.
template <class T, class F> HB_INLINE void fill_chunks(const KernelCall& c, const F& chunk) {
  const TensorRef& out = c.out[0];
  const int64_t n = out.shape.count(), item = item_size(out.dtype);
  const ConvertRow write = store_row<T>(out.dtype);
  parallel_tasks(c, (n + kTaskElements - 1) / kTaskElements, [&](int64_t task) {
    alignas(64) T values[kPerChunk<T>];
    const int64_t begin = task * kTaskElements, stop = begin + kTaskElements, end = stop < n ? stop : n;
    for (int64_t i = begin; i < end; i += kPerChunk<T>) {
      chunk(static_cast<uint64_t>(i / kPerChunk<T>), values);
      write(out.as<char>() + i * item, values, end - i < kPerChunk<T> ? end - i : kPerChunk<T>);
    }
  });
}

static void run_uniform(const KernelCall& c) {
  const UniformAttrs& a = *static_cast<const UniformAttrs*>(c.attrs);
  const uint64_t seed = philox_key(static_cast<uint64_t>(a.seed), c.run_info->path), run = c.run_info->run;
  const auto fill_floats = [&](auto zero) {
    using T = decltype(zero);
    const auto range = UniformRange<T>::of(a.low, a.high);
    fill_chunks<T>(c, [&](uint64_t chunk, T* y) {
      alignas(64) uint32_t words[kWords];
      philox_chunk(seed, run, chunk, 0, words);
      uniform_chunk<T>(words, range, y);
    });
  };
  if (a.dtype == DType::float64) return fill_floats(double{});
  if (is_float(a.dtype)) return fill_floats(float{});
  const IntegerRange range = IntegerRange::of(a.low, a.high);
  fill_chunks<int64_t>(c, [&](uint64_t chunk, int64_t* y) {
    alignas(64) uint32_t words[kWords];
    philox_chunk(seed, run, chunk, 0, words);
    integer_chunk(words, range, y);
  });
}

// Draws the whole chunk again until each element has had a draw within two standard deviations, and
// keeps each element's first.
template <class T> static void truncated_chunk(uint64_t seed, uint64_t run, uint64_t chunk, T* y) {
  alignas(64) uint32_t words[kWords];
  alignas(64) T drawn[kPerChunk<T>];
  bool kept[kPerChunk<T>] = {};
  int left = kPerChunk<T>;
  for (uint32_t draw = 0; left && draw < kTruncatedDraws; ++draw) {
    philox_chunk(seed, run, chunk, draw, words);
    normal_chunk(words, drawn);
    left = 0;
    for (int e = 0; e < kPerChunk<T>; ++e) {
      const bool take = !kept[e];
      y[e] = take ? drawn[e] : y[e];
      kept[e] = y[e] > T(-2) && y[e] < T(2);
      left += !kept[e];
    }
  }
}

template <bool kTruncated> static void run_normal(const KernelCall& c) {
  const NormalAttrs& a = *static_cast<const NormalAttrs*>(c.attrs);
  const uint64_t seed = philox_key(static_cast<uint64_t>(a.seed), c.run_info->path), run = c.run_info->run;
  const auto fill = [&](auto zero) {
    using T = decltype(zero);
    const T mean = static_cast<T>(a.mean), stddev = static_cast<T>(a.stddev);
    fill_chunks<T>(c, [&](uint64_t chunk, T* y) {
      if constexpr (kTruncated) {
        truncated_chunk<T>(seed, run, chunk, y);
      } else {
        alignas(64) uint32_t words[kWords];
        philox_chunk(seed, run, chunk, 0, words);
        normal_chunk(words, y);
      }
      for (int e = 0; e < kPerChunk<T>; ++e) y[e] = mean + stddev * y[e];
    });
  };
  if (a.dtype == DType::float64) fill(double{});
  else fill(float{});
}

static void run_bernoulli(const KernelCall& c) {
  const BernoulliAttrs& a = *static_cast<const BernoulliAttrs*>(c.attrs);
  const uint64_t seed = philox_key(static_cast<uint64_t>(a.seed), c.run_info->path), run = c.run_info->run;
  const float scale = static_cast<float>(a.scale);
  const BernoulliThreshold below = BernoulliThreshold::of(a.p);
  fill_chunks<float>(c, [&](uint64_t chunk, float* y) {
    alignas(64) uint32_t words[kWords];
    philox_chunk(seed, run, chunk, 0, words);
    for (int e = 0; e < kWords; ++e) y[e] = below(words[e]) ? scale : 0.0f;
  });
}

HB_EXPORT_KERNELS(random, {"random_uniform", "philox", nullptr, nullptr, run_uniform},
                  {"random_normal", "philox", nullptr, nullptr, run_normal<false>},
                  {"truncated_normal", "philox", nullptr, nullptr, run_normal<true>},
                  {"random_bernoulli", "philox", nullptr, nullptr, run_bernoulli})

HB_CPU_END
