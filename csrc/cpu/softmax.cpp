// softmax, log_softmax and their gradients over the last axis. A row is one task's from end to end, so
// after its first read it is served from cache.
//
// Relative error of softmax below 2^-18 in float32 for every length of row (28 roundings in the sum, 4
// elsewhere), plus |x - max| 2^-24 for what rounding x - max does to exp; log_softmax is off by as much in absolute
// terms.
#include "ops/softmax.h"

#include "cpu/export.h"
#include "cpu/parallel.h"
#include "cpu/row_sums.h"

HB_CPU_BEGIN

template <class T>
static void softmax_rows(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) softmax_row<T>(x, row_max(x, n), n, y);
}

// A vector's worth of rows share one logarithm, unless they are so long that they would leave L1.
template <class T>
static void log_softmax_rows(const T* x, T* y, int64_t rows, int64_t n) {
  const int64_t group = n * kVectorBytes <= 16384 ? kLanes<T> : 1;
  for (int64_t first = 0; first < rows; first += group) {
    const int64_t count = smaller(group, rows - first);
    T top[kLanes<T>], sum[kLanes<T>] = {};
    for (int64_t r = 0; r < count; ++r) {
      top[r] = row_max(x + (first + r) * n, n);
      sum[r] = softmax_row<T>(x + (first + r) * n, top[r], n, nullptr);
    }
    const Vec<T> norm = log<T>(load(sum));
    for (int64_t r = 0; r < count; ++r)
      each_vector<T>(n, [&](int64_t i, int k) {
        const int64_t at = (first + r) * n + i;
        store_some<T>(y + at, load_some<T>(x + at, k) - top[r] - norm[r], k);
      });
  }
}

template <class T>
static void softmax_grad_row(const T* y, const T* dy, T* dx, int64_t n) {
  const T dot = sum_terms<T>(n, [&](int64_t i, int k) { return load_some<T>(y + i, k) * load_some<T>(dy + i, k); });
  each_vector<T>(
      n, [&](int64_t i, int k) { store_some<T>(dx + i, load_some<T>(y + i, k) * (load_some<T>(dy + i, k) - dot), k); });
}

template <class T>
static void log_softmax_grad_row(const T* y, const T* dy, T* dx, int64_t n) {
  const T sum = sum_terms<T>(n, [&](int64_t i, int k) { return load_some<T>(dy + i, k); });
  each_vector<T>(n, [&](int64_t i, int k) {
    store_some<T>(dx + i, load_some<T>(dy + i, k) - exp<T>(load_some<T>(y + i, k)) * sum, k);
  });
}

constexpr int64_t kCost = 8;  // of an element, beside an addition

template <class T, void (*kRows)(const T*, T*, int64_t, int64_t)>
static void forward(const KernelCall& call) {
  const int64_t n = call.in[0].shape[-1], size = call.in[0].shape.count();
  const T* x = call.in[0].as<T>();
  T* y = call.out[0].as<T>();
  if (size == 0) return;
  parallel_ranges(call, size / n, n * kCost,
                  [&](int64_t from, int64_t to) { kRows(x + from * n, y + from * n, to - from, n); });
}

template <class T, void (*kRow)(const T*, const T*, T*, int64_t)>
static void backward(const KernelCall& call) {
  const int64_t n = call.in[0].shape[-1], size = call.in[0].shape.count();
  const T *y = call.in[0].as<T>(), *dy = call.in[1].as<T>();
  T* dx = call.out[0].as<T>();
  if (size == 0) return;
  parallel_ranges(call, size / n, n * kCost, [&](int64_t from, int64_t to) {
    for (int64_t r = from; r < to; ++r) kRow(y + r * n, dy + r * n, dx + r * n, n);
  });
}

static bool supports(const KernelCall& call) { return item_size(call.in[0].dtype) >= 4; }
static bool is_double(const KernelCall& call) { return call.in[0].dtype == DType::float64; }

HB_EXPORT_KERNELS(softmax,
                  {"softmax", "rows", supports, nullptr,
                   [](const KernelCall& call) {
                     is_double(call) ? forward<double, softmax_rows<double>>(call)
                                     : forward<float, softmax_rows<float>>(call);
                   }},
                  {"log_softmax", "rows", supports, nullptr,
                   [](const KernelCall& call) {
                     is_double(call) ? forward<double, log_softmax_rows<double>>(call)
                                     : forward<float, log_softmax_rows<float>>(call);
                   }},
                  {"softmax_grad", "rows", supports, nullptr,
                   [](const KernelCall& call) {
                     is_double(call) ? backward<double, softmax_grad_row<double>>(call)
                                     : backward<float, softmax_grad_row<float>>(call);
                   }},
                  {"log_softmax_grad", "rows", supports, nullptr, [](const KernelCall& call) {
                     is_double(call) ? backward<double, log_softmax_grad_row<double>>(call)
                                     : backward<float, log_softmax_grad_row<float>>(call);
                   }})

HB_CPU_END
