// softmax, log_softmax and softmax_grad over the last axis. Each row is reduced by one task, lane by
// lane in a fixed order; sums accumulate in the element type.
#include "cpu/export.h"

HB_CPU_BEGIN

template <class T> static void softmax_row(const T* x, T* y, int64_t n, bool log) {
  T m = x[0];
  for (int64_t i = 1; i < n; ++i) m = x[i] > m ? x[i] : m;
  T s = 0;
  for (int64_t i = 0; i < n; ++i) s += __builtin_exp(x[i] - m);
  T ls = __builtin_log(s);
  for (int64_t i = 0; i < n; ++i) y[i] = log ? x[i] - m - ls : T(__builtin_exp(x[i] - m)) / s;
}

template <class T, bool kLog> static void run_softmax(const KernelCall& c) {
  const int64_t n = c.in[0].shape[-1], rows = n ? c.in[0].shape.count() / n : 0;
  struct Ctx { const T* x; T* y; int64_t n, rows, step; } ctx{c.in[0].as<T>(), c.out[0].as<T>(), n, rows, 0};
  ctx.step = 1 + 16384 / (n + 1);
  c.tasks->parallel((rows + ctx.step - 1) / ctx.step, [](void* p, int64_t t) {
    const Ctx& k = *static_cast<const Ctx*>(p);
    for (int64_t r = t * k.step; r < k.rows && r < (t + 1) * k.step; ++r) softmax_row(k.x + r * k.n, k.y + r * k.n, k.n, kLog);
  }, &ctx);
}

template <bool kLog> static void run(const KernelCall& c) {
  c.in[0].dtype == DType::float64 ? run_softmax<double, kLog>(c) : run_softmax<float, kLog>(c);
}

HB_EXPORT_KERNELS(softmax,
  {"softmax", "rows", nullptr, nullptr, run<false>},
  {"log_softmax", "rows", nullptr, nullptr, run<true>})

HB_CPU_END
