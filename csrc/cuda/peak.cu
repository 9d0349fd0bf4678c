// The device's peaks: multiply-adds that wait for nothing, a thread for each task, and bytes moved from here to there.
#include "ops/peak.h"

#include "cuda/export.h"
#include "cuda/scalar.h"
#include "cuda/strided_copy.h"

namespace hornbeam {

template <class T> static void peak_fma(const KernelCall& c) {
  const PeakFmaAttrs& a = *static_cast<const PeakFmaAttrs*>(c.attrs);
  const T* x = c.in[0].as<const T>();
  T* y = c.out[0].as<T>();
  const int64_t iterations = a.iterations;
  each(*c.lane, "peak_fma", a.tasks, [=] GPU_LAMBDA(int64_t task) {
    T chain[kPeakChains];
    for (int i = 0; i < kPeakChains; ++i) chain[i] = x[0] + static_cast<T>(i);
    const T factor = x[0], term = x[0] * static_cast<T>(0.5);
    for (int64_t n = 0; n < iterations; ++n)
      for (int i = 0; i < kPeakChains; ++i) chain[i] = scalar::fma(chain[i], factor, term);
    T sum = chain[0];
    for (int i = 1; i < kPeakChains; ++i) sum += chain[i];
    y[task] = sum;
  });
}

static void run_peak_fma(const KernelCall& c) {
  c.in[0].dtype == DType::float64 ? peak_fma<double>(c) : peak_fma<float>(c);
}

static void run_peak_copy(const KernelCall& c) {
  CopyLoops loops;
  loops.add(c.out[0].shape.count(), 1, 1);
  strided_copy(*c.lane, "peak_copy", loops, c.out[0].dtype, c.in[0].data, c.out[0].data);
}

HB_GPU_KERNELS(peak, {"peak_fma", "chains", nullptr, nullptr, run_peak_fma},
               {"peak_copy", "strided", nullptr, nullptr, run_peak_copy})

}  // namespace hornbeam
