// Random tensors: a thread per Philox block, which gives 4 floats, or 2 numbers of the wider types. They have the bits
// that the CPU's kernels give (csrc/cpu/random.cpp). The run's number is read in the device's memory: it is another at
// each launch of a recorded call.
#include "core/philox.h"
#include "cuda/called.h"
#include "cuda/export.h"
#include "cuda/gpu.h"
#include "cuda/item.h"
#include "cuda/normal.h"
#include "ops/random.h"
#include "ops/random_numbers.h"

namespace hornbeam {

// Where the words come from.
struct Stream {
  uint64_t key;
  const uint64_t* run;

  static Stream of(const KernelCall& c, int64_t seed) {
    return {philox_key(static_cast<uint64_t>(seed), c.run_info->path), c.run_info->device_run};
  }
  HB_INLINE PhiloxCounter words(int64_t block, uint32_t draw) const {
    return philox(key, philox_counter(*run, static_cast<uint64_t>(block), draw));
  }
};

template <class T> constexpr int kPerBlock = 16 / sizeof(T);
template <class T> struct Numbers { T value[kPerBlock<T>]; };

// numbers(stream, block) makes the elements of a block: they are kPhiloxChunk apart.
template <class T, class F> static void fill_blocks(const KernelCall& c, const char* name, const Stream& stream,
                                                    F numbers) {
  constexpr int64_t kPerChunk = kPhiloxChunk * kPerBlock<T>;
  const TensorRef& out = c.out[0];
  const int64_t n = out.shape.count();
  void* y = out.data;
  const DType type = out.dtype;
  each(*c.lane, name, (n + kPerChunk - 1) / kPerChunk * kPhiloxChunk, [=] GPU_LAMBDA(int64_t block) {
    const int64_t first = block / kPhiloxChunk * kPerChunk + block % kPhiloxChunk;
    if (first >= n) return;
    const Numbers<T> made = numbers(stream, block);
    for (int k = 0; k < kPerBlock<T>; ++k)
      if (first + k * kPhiloxChunk < n) store_item(y, type, first + k * kPhiloxChunk, made.value[k]);
  });
}

// ---- uniform --------------------------------------------------------------------------------------------
HB_INLINE Numbers<float> fractions(const PhiloxCounter& w, float) {
  return {
      {random_fraction(w.word[0]), random_fraction(w.word[1]), random_fraction(w.word[2]), random_fraction(w.word[3])}};
}
HB_INLINE Numbers<double> fractions(const PhiloxCounter& w, double) {
  return {{random_fraction(w.word[0], w.word[1]), random_fraction(w.word[2], w.word[3])}};
}

template <class T> struct UniformNumbers {
  UniformRange<T> range;
  HB_INLINE Numbers<T> operator()(const Stream& stream, int64_t block) const {
    Numbers<T> made = fractions(stream.words(block, 0), T{});
    for (T& v : made.value) v = range(v);
    return made;
  }
};
struct UniformIntegers {
  IntegerRange range;
  HB_INLINE Numbers<int64_t> operator()(const Stream& stream, int64_t block) const {
    const PhiloxCounter w = stream.words(block, 0);
    return {{range(w.word[0], w.word[1]), range(w.word[2], w.word[3])}};
  }
};

static void random_uniform(const KernelCall& c) {
  const UniformAttrs& a = *static_cast<const UniformAttrs*>(c.attrs);
  const Stream stream = Stream::of(c, a.seed);
  if (a.dtype == DType::float64)
    fill_blocks<double>(c, "random_uniform", stream, UniformNumbers<double>{UniformRange<double>::of(a.low, a.high)});
  else if (is_float(a.dtype))
    fill_blocks<float>(c, "random_uniform", stream, UniformNumbers<float>{UniformRange<float>::of(a.low, a.high)});
  else fill_blocks<int64_t>(c, "random_uniform", stream, UniformIntegers{IntegerRange::of(a.low, a.high)});
}

// ---- normal ---------------------------------------------------------------------------------------------
// Box and Muller, as the CPU has it: radius sqrt(-2 log u) at the angle of a random word, whose top two bits are the
// quadrant.
HB_INLINE void box_muller(uint32_t a, uint32_t b, float& cosine, float& sine) {
  const float u = (static_cast<float>(static_cast<int32_t>(a >> 1)) + 0.5f) * 0x1p-31f;  // in (0, 1]
  const float radius = ::sqrtf(normal::log<float>(u) * -2.0f);
  const float angle = static_cast<float>(static_cast<int32_t>(b << 2)) * float(0x1p-32 * 1.57079632679489661923);
  const int32_t quadrant = static_cast<int32_t>(b >> 30);
  cosine = radius * normal::sin_in_quadrant<float>(quadrant + 1, angle);
  sine = radius * normal::sin_in_quadrant<float>(quadrant, angle);
}
HB_CALLED Numbers<float> normals(const PhiloxCounter& w, float) {
  Numbers<float> made;
  box_muller(w.word[0], w.word[1], made.value[0], made.value[1]);
  box_muller(w.word[2], w.word[3], made.value[2], made.value[3]);
  return made;
}
HB_CALLED Numbers<double> normals(const PhiloxCounter& w, double) {
  const double u = random_fraction(w.word[0], w.word[1]) + 0x1p-54, turn = random_fraction(w.word[2], w.word[3]) * 4;
  const double radius = ::sqrt(normal::log<double>(u) * -2.0), whole = ::rint(turn);
  const double angle = (turn - whole) * 1.57079632679489661923;
  const int64_t quadrant = static_cast<int64_t>(whole);
  return {{radius * normal::sin_in_quadrant<double>(quadrant + 1, angle),
           radius * normal::sin_in_quadrant<double>(quadrant, angle)}};
}

template <class T> struct NormalNumbers {
  T mean, stddev;
  HB_INLINE Numbers<T> operator()(const Stream& stream, int64_t block) const {
    Numbers<T> made = normals(stream.words(block, 0), T{});
    for (T& v : made.value) v = mean + stddev * v;
    return made;
  }
};

// Each element keeps its first draw within two standard deviations.
template <class T> struct TruncatedNumbers {
  T mean, stddev;
  HB_INLINE Numbers<T> operator()(const Stream& stream, int64_t block) const {
    Numbers<T> made;
    bool kept[kPerBlock<T>] = {};
    int left = kPerBlock<T>;
    for (uint32_t draw = 0; left && draw < kTruncatedDraws; ++draw) {
      const Numbers<T> drawn = normals(stream.words(block, draw), T{});
      for (int k = 0; k < kPerBlock<T>; ++k) {
        if (kept[k]) continue;
        made.value[k] = drawn.value[k];
        kept[k] = made.value[k] > T(-2) && made.value[k] < T(2);
        left -= kept[k];
      }
    }
    for (T& v : made.value) v = mean + stddev * v;
    return made;
  }
};

template <template <class> class Kind> static void run_normal(const KernelCall& c, const char* name) {
  const NormalAttrs& a = *static_cast<const NormalAttrs*>(c.attrs);
  const Stream stream = Stream::of(c, a.seed);
  if (a.dtype == DType::float64) fill_blocks<double>(c, name, stream, Kind<double>{a.mean, a.stddev});
  else fill_blocks<float>(c, name, stream, Kind<float>{static_cast<float>(a.mean), static_cast<float>(a.stddev)});
}
static void random_normal(const KernelCall& c) { run_normal<NormalNumbers>(c, "random_normal"); }
static void truncated_normal(const KernelCall& c) { run_normal<TruncatedNumbers>(c, "truncated_normal"); }

// ---- bernoulli ------------------------------------------------------------------------------------------
struct BernoulliNumbers {
  BernoulliThreshold below;
  float scale;
  HB_INLINE Numbers<float> operator()(const Stream& stream, int64_t block) const {
    const PhiloxCounter w = stream.words(block, 0);
    Numbers<float> made;
    for (int k = 0; k < 4; ++k) made.value[k] = below(w.word[k]) ? scale : 0.0f;
    return made;
  }
};

static void random_bernoulli(const KernelCall& c) {
  const BernoulliAttrs& a = *static_cast<const BernoulliAttrs*>(c.attrs);
  fill_blocks<float>(c, "random_bernoulli", Stream::of(c, a.seed),
                     BernoulliNumbers{BernoulliThreshold::of(a.p), static_cast<float>(a.scale)});
}

HB_GPU_KERNELS(random, {"random_uniform", "philox", nullptr, nullptr, random_uniform},
               {"random_normal", "philox", nullptr, nullptr, random_normal},
               {"truncated_normal", "philox", nullptr, nullptr, truncated_normal},
               {"random_bernoulli", "philox", nullptr, nullptr, random_bernoulli})

}  // namespace hornbeam
