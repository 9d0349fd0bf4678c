// softmax, log_softmax and their gradients over the last axis.
#include "ops/softmax.h"

#include "cuda/export.h"
#include "cuda/rows.h"
#include "cuda/softmax_row.h"

namespace hornbeam {

template <class T> struct Softmax {
  const T* x;
  T* y;
  int64_t n;

  template <class Team> __device__ void operator()(const Team& team, int64_t row) const {
    softmax_row(team, x + row * n, n, y + row * n);
  }
};

template <class T> struct LogSoftmax {
  const T* x;
  T* y;
  int64_t n;

  template <class Team> __device__ void operator()(const Team& team, int64_t row) const {
    const T* from = x + row * n;
    T* to = y + row * n;
    const SoftmaxParts<T> parts = softmax_row(team, from, n, static_cast<T*>(nullptr));
    const T norm = scalar::log(parts.sum);
    team.each(n, [&](int64_t i) { to[i] = from[i] - parts.top - norm; });
  }
};

template <class T> struct SoftmaxGrad {
  const T *y, *dy;
  T* dx;
  int64_t n;

  template <class Team> __device__ void operator()(const Team& team, int64_t row) const {
    const T *p = y + row * n, *d = dy + row * n;
    T* to = dx + row * n;
    const T dot = team.sum_of(n, [&](int64_t i) { return p[i] * d[i]; });
    team.each(n, [&](int64_t i) { to[i] = p[i] * (d[i] - dot); });
  }
};

template <class T> struct LogSoftmaxGrad {
  const T *y, *dy;
  T* dx;
  int64_t n;

  template <class Team> __device__ void operator()(const Team& team, int64_t row) const {
    const T *log_p = y + row * n, *d = dy + row * n;
    T* to = dx + row * n;
    const T sum = team.sum_of(n, [&](int64_t i) { return d[i]; });
    team.each(n, [&](int64_t i) { to[i] = d[i] - scalar::exp(log_p[i]) * sum; });
  }
};

template <class T, template <class> class Row> static void forward(const KernelCall& c, const char* name) {
  const Shape& x = c.in[0].shape;
  if (x.count() == 0) return;
  each_row<T>(*c.lane, name, x.count() / x[-1], x[-1], Row<T>{c.in[0].as<const T>(), c.out[0].as<T>(), x[-1]});
}
template <class T, template <class> class Row> static void backward(const KernelCall& c, const char* name) {
  const Shape& y = c.in[0].shape;
  if (y.count() == 0) return;
  each_row<T>(*c.lane, name, y.count() / y[-1], y[-1],
              Row<T>{c.in[0].as<const T>(), c.in[1].as<const T>(), c.out[0].as<T>(), y[-1]});
}
template <template <class> class Row> static void run_forward(const KernelCall& c, const char* name) {
  c.in[0].dtype == DType::float64 ? forward<double, Row>(c, name) : forward<float, Row>(c, name);
}
template <template <class> class Row> static void run_backward(const KernelCall& c, const char* name) {
  c.in[0].dtype == DType::float64 ? backward<double, Row>(c, name) : backward<float, Row>(c, name);
}

static void softmax(const KernelCall& c) { run_forward<Softmax>(c, "softmax"); }
static void log_softmax(const KernelCall& c) { run_forward<LogSoftmax>(c, "log_softmax"); }
static void softmax_grad(const KernelCall& c) { run_backward<SoftmaxGrad>(c, "softmax_grad"); }
static void log_softmax_grad(const KernelCall& c) { run_backward<LogSoftmaxGrad>(c, "log_softmax_grad"); }

HB_GPU_KERNELS(softmax, {"softmax", "rows", supports_floats, nullptr, softmax},
               {"log_softmax", "rows", supports_floats, nullptr, log_softmax},
               {"softmax_grad", "rows", supports_floats, nullptr, softmax_grad},
               {"log_softmax_grad", "rows", supports_floats, nullptr, log_softmax_grad})

}  // namespace hornbeam
