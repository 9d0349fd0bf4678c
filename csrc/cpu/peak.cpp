// The machine's peaks: multiply-adds that wait for nothing, and bytes moved from here to there.
#include "ops/peak.h"
#include "cpu/export.h"
#include "cpu/parallel.h"

HB_CPU_BEGIN

template <class T>
static void peak_fma(const KernelCall& c) {
  const PeakFmaAttrs& a = *static_cast<const PeakFmaAttrs*>(c.attrs);
  const T x = *c.in[0].as<const T>();
  T* y = c.out[0].as<T>();
  parallel_tasks(c, a.tasks, [&](int64_t task) {
    Vec<T> chain[kPeakChains];
    for (int i = 0; i < kPeakChains; ++i) chain[i] = splat(x + static_cast<T>(i));
    // Factors read from memory, so that the products cannot be worked out when compiling.
    const Vec<T> factor = splat(x), term = splat(x * static_cast<T>(0.5));
    for (int64_t n = 0; n < a.iterations; ++n)
      for (int i = 0; i < kPeakChains; ++i) chain[i] = fma<T>(chain[i], factor, term);
    Vec<T> sum = chain[0];
    for (int i = 1; i < kPeakChains; ++i) sum += chain[i];
    T total = 0;
    for (int l = 0; l < kLanes<T>; ++l) total += sum[l];
    y[task] = total;
  });
}

static void run_peak_fma(const KernelCall& c) {
  c.in[0].dtype == DType::float64 ? peak_fma<double>(c) : peak_fma<float>(c);
}

// In pieces of 1 MiB: memcpy may use what stores it likes best.
static void run_peak_copy(const KernelCall& c) {
  const int64_t bytes = c.out[0].shape.count() * item_size(c.out[0].dtype);
  const char* x = c.in[0].as<const char>();
  char* y = c.out[0].as<char>();
  parallel_pieces(c, bytes, 1024 * 1024, [&](int64_t begin, int64_t end) {
    __builtin_memcpy(y + begin, x + begin, static_cast<unsigned long>(end - begin));
  });
}

HB_EXPORT_KERNELS(peak, {"peak_fma", "chains", nullptr, nullptr, run_peak_fma},
                  {"peak_copy", "memcpy", nullptr, nullptr, run_peak_copy})

HB_CPU_END
