// Softmax and cross entropy. With z = x - max(x) <= 0, the loss is sum(labels) log(sum exp z) + sum(labels * -z), where
// nothing large cancels.
#include "ops/cross_entropy.h"

#include "cuda/export.h"
#include "cuda/item.h"
#include "cuda/rows.h"
#include "cuda/softmax_row.h"

namespace hornbeam {

template <class T> struct DenseLoss {
  const T *logits, *labels;
  T *loss, *p;  // null where nobody wants it
  int64_t n;

  template <class Team> __device__ void operator()(const Team& team, int64_t row) const {
    const T *x = logits + row * n, *label = labels + row * n;
    const SoftmaxParts<T> parts = softmax_row(team, x, n, p ? p + row * n : nullptr);
    if (!loss) return;
    const T weight = team.sum_of(n, [&](int64_t i) { return label[i]; });
    // A class without weight counts for nothing, even if its logit is -inf.
    const T distance =
        team.sum_of(n, [&](int64_t i) { return label[i] == T(0) ? T(0) : label[i] * (parts.top - x[i]); });
    if (team.rank == 0) loss[row] = scalar::log(parts.sum) * weight + distance;
  }
};

template <class T> struct DenseLossGrad {
  const T *p, *labels, *dloss;
  T* dx;
  int64_t n;

  template <class Team> __device__ void operator()(const Team& team, int64_t row) const {
    const T *from = p + row * n, *label = labels + row * n, d = dloss[row];
    T* to = dx + row * n;
    const T weight = team.sum_of(n, [&](int64_t i) { return label[i]; });
    team.each(n, [&](int64_t i) { to[i] = (from[i] * weight - label[i]) * d; });
  }
};

// Labels are class numbers of any integer type.
template <class T> struct SparseLoss {
  const T* logits;
  const void* labels;
  DType label_type;
  int32_t unused;
  T *loss, *p;
  int64_t n;

  template <class Team> __device__ void operator()(const Team& team, int64_t row) const {
    const T* x = logits + row * n;
    const int64_t label = load_item<int64_t>(labels, label_type, row);
    const SoftmaxParts<T> parts = softmax_row(team, x, n, p ? p + row * n : nullptr);
    if (loss && team.rank == 0)
      loss[row] = scalar::log(parts.sum) + (label >= 0 && label < n ? parts.top - x[label] : T(__builtin_nan("")));
  }
};

template <class T> struct SparseLossGrad {
  const T* p;
  const void* labels;
  DType label_type;
  int32_t unused;
  const T* dloss;
  T* dx;
  int64_t n;

  template <class Team> __device__ void operator()(const Team& team, int64_t row) const {
    const T* from = p + row * n;
    T* to = dx + row * n;
    const int64_t label = load_item<int64_t>(labels, label_type, row);
    const T d = dloss[row], scale = label >= 0 && label < n ? d : T(__builtin_nan(""));
    team.each(n, [&](int64_t i) { to[i] = i == label ? from[i] * scale - d : from[i] * scale; });
  }
};

template <class T, class F> static void run_rows(const KernelCall& c, const char* name, const F& f) {
  const Shape& x = c.in[0].shape;
  each_row<T>(*c.lane, name, x.count(0, x.rank - 1), x[-1], f);
}
template <class T> static void dense(const KernelCall& c) {
  run_rows<T>(c, "softmax_cross_entropy",
              DenseLoss<T>{c.in[0].as<const T>(), c.in[1].as<const T>(), data_of<T>(c.out[0]), data_of<T>(c.out[1]),
                           c.in[0].shape[-1]});
}
template <class T> static void dense_grad(const KernelCall& c) {
  run_rows<T>(c, "softmax_cross_entropy_grad",
              DenseLossGrad<T>{c.in[0].as<const T>(), c.in[1].as<const T>(), c.in[2].as<const T>(), c.out[0].as<T>(),
                               c.in[0].shape[-1]});
}
template <class T> static void sparse(const KernelCall& c) {
  run_rows<T>(c, "sparse_softmax_cross_entropy",
              SparseLoss<T>{c.in[0].as<const T>(), c.in[1].data, c.in[1].dtype, 0, data_of<T>(c.out[0]),
                            data_of<T>(c.out[1]), c.in[0].shape[-1]});
}
template <class T> static void sparse_grad(const KernelCall& c) {
  run_rows<T>(c, "sparse_softmax_cross_entropy_grad",
              SparseLossGrad<T>{c.in[0].as<const T>(), c.in[1].data, c.in[1].dtype, 0, c.in[2].as<const T>(),
                                c.out[0].as<T>(), c.in[0].shape[-1]});
}

template <void (*kFloat)(const KernelCall&), void (*kDouble)(const KernelCall&)>
static void run(const KernelCall& c) {
  c.in[0].dtype == DType::float64 ? kDouble(c) : kFloat(c);
}

HB_GPU_KERNELS(cross_entropy,
               {"softmax_cross_entropy", "rows", supports_floats, nullptr, run<dense<float>, dense<double>>},
               {"softmax_cross_entropy_grad", "rows", supports_floats, nullptr,
                run<dense_grad<float>, dense_grad<double>>},
               {"sparse_softmax_cross_entropy", "rows", supports_floats, nullptr, run<sparse<float>, sparse<double>>},
               {"sparse_softmax_cross_entropy_grad", "rows", supports_floats, nullptr,
                run<sparse_grad<float>, sparse_grad<double>>})

}  // namespace hornbeam
