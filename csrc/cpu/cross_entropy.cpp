// Softmax and cross entropy in one visit of each row. With z = x - max(x) <= 0, the loss is
// sum(labels) log(sum exp z) + sum(labels * -z), where nothing large cancels: the error is below 2^-19
// (float32) of the sum of labels * (1 + |z|), however large the logits.
#include "ops/cross_entropy.h"

#include "core/dispatch.h"
#include "cpu/export.h"
#include "cpu/parallel.h"
#include "cpu/row_sums.h"

HB_CPU_BEGIN

constexpr int64_t kCost = 8;  // of an element, beside an addition

// The loss of a row is weight * log(sum) + distance: a vector's worth of rows share one logarithm.
template <class T>
struct LossParts {
  T sum, weight, distance;
};

template <class T>
static LossParts<T> dense_row(const T* x, const T* labels, T* p, int64_t n) {
  const T top = row_max(x, n), sum = softmax_row<T>(x, top, n, p);
  const T weight = sum_terms<T>(n, [&](int64_t i, int k) { return load_some<T>(labels + i, k); });
  const T distance = sum_terms<T>(n, [&](int64_t i, int k) {
    const Vec<T> label = load_some<T>(labels + i, k);
    // A class without weight counts for nothing, even if its logit is -inf.
    return label == T(0) ? Vec<T>{} : label * (top - load_some<T>(x + i, k));
  });
  return {sum, weight, distance};
}

template <class T>
static LossParts<T> sparse_row(const T* x, int64_t label, T* p, int64_t n) {
  const T top = row_max(x, n), sum = softmax_row<T>(x, top, n, p);
  return {sum, T(1), label >= 0 && label < n ? top - x[label] : kNan<T>};
}

template <class T>
static void dense_grad_row(const T* p, const T* labels, T dloss, T* dx, int64_t n) {
  const T weight = sum_terms<T>(n, [&](int64_t i, int k) { return load_some<T>(labels + i, k); });
  each_vector<T>(n, [&](int64_t i, int k) {
    store_some<T>(dx + i, (load_some<T>(p + i, k) * weight - load_some<T>(labels + i, k)) * dloss, k);
  });
}

template <class T>
static void sparse_grad_row(const T* p, int64_t label, T dloss, T* dx, int64_t n) {
  const bool valid = label >= 0 && label < n;
  const T scale = valid ? dloss : kNan<T>;
  each_vector<T>(n, [&](int64_t i, int k) { store_some<T>(dx + i, load_some<T>(p + i, k) * scale, k); });
  if (valid) dx[label] -= dloss;
}

// row_parts(x, row number, probabilities or null, classes).
template <class T, class F>
HB_INLINE void forward(const KernelCall& call, const F& row_parts) {
  constexpr int L = kLanes<T>;
  const Shape& shape = call.in[0].shape;
  const int64_t n = shape[-1];
  const T* x = call.in[0].as<T>();
  T* loss = data_of<T>(call.out[0]);
  T* p = data_of<T>(call.out[1]);
  parallel_ranges(call, shape.count(0, shape.rank - 1), n * kCost, [&](int64_t from, int64_t to) {
    for (int64_t first = from; first < to; first += L) {
      const int count = static_cast<int>(smaller(L, to - first));
      T sum[L] = {}, weight[L] = {}, distance[L] = {};
      for (int i = 0; i < count; ++i) {
        const int64_t r = first + i;
        const LossParts<T> parts = row_parts(x + r * n, r, p ? p + r * n : nullptr, n);
        sum[i] = parts.sum, weight[i] = parts.weight, distance[i] = parts.distance;
      }
      if (loss) store_some<T>(loss + first, log<T>(load(sum)) * load(weight) + load(distance), count);
    }
  });
}

template <class T>
static void dense(const KernelCall& call) {
  const T* labels = call.in[1].as<T>();
  forward<T>(call, [&](const T* x, int64_t r, T* p, int64_t n) { return dense_row(x, labels + r * n, p, n); });
}
template <class T>
static void sparse(const KernelCall& call) {
  by_integer(call.in[1].dtype, [&](auto tag) {
    const auto* labels = call.in[1].as<typename decltype(tag)::type>();
    forward<T>(call, [&](const T* x, int64_t r, T* p, int64_t n) { return sparse_row(x, labels[r], p, n); });
  });
}

template <class T, class F>
HB_INLINE void backward(const KernelCall& call, const F& row_grad) {
  const Shape& shape = call.in[0].shape;
  const int64_t n = shape[-1];
  const T *p = call.in[0].as<T>(), *dloss = call.in[2].as<T>();
  T* dx = call.out[0].as<T>();
  parallel_ranges(call, shape.count(0, shape.rank - 1), n * kCost, [&](int64_t from, int64_t to) {
    for (int64_t r = from; r < to; ++r) row_grad(p + r * n, r, dloss[r], dx + r * n, n);
  });
}

template <class T>
static void dense_grad(const KernelCall& call) {
  const T* labels = call.in[1].as<T>();
  backward<T>(
      call, [&](const T* p, int64_t r, T dloss, T* dx, int64_t n) { dense_grad_row(p, labels + r * n, dloss, dx, n); });
}
template <class T>
static void sparse_grad(const KernelCall& call) {
  by_integer(call.in[1].dtype, [&](auto tag) {
    const auto* labels = call.in[1].as<typename decltype(tag)::type>();
    backward<T>(call,
                [&](const T* p, int64_t r, T dloss, T* dx, int64_t n) { sparse_grad_row(p, labels[r], dloss, dx, n); });
  });
}

template <void (*kFloat)(const KernelCall&), void (*kDouble)(const KernelCall&)>
static void run(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? kDouble(call) : kFloat(call);
}

HB_EXPORT_KERNELS(
    cross_entropy, {"softmax_cross_entropy", "rows", supports_floats, nullptr, run<dense<float>, dense<double>>},
    {"softmax_cross_entropy_grad", "rows", supports_floats, nullptr, run<dense_grad<float>, dense_grad<double>>},
    {"sparse_softmax_cross_entropy", "rows", supports_floats, nullptr, run<sparse<float>, sparse<double>>},
    {"sparse_softmax_cross_entropy_grad", "rows", supports_floats, nullptr,
     run<sparse_grad<float>, sparse_grad<double>>})

HB_CPU_END
