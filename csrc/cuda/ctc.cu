// Connectionist temporal classification (csrc/cpu/ctc.cpp has the equations): a block for each sample, its threads over
// the states of a step. Everything between the logits and the results is float64, in global memory.
#include "ops/ctc.h"

#include "core/limits.h"
#include "cuda/block.h"
#include "cuda/export.h"
#include "cuda/scalar.h"

namespace hornbeam {

using scalar::kInf;

constexpr int kCtcThreads = 128;

template <class T> struct CtcArguments {
  const T* logits;  // (batch, steps, classes); the last class is the blank
  const int32_t *labels, *steps_of, *used_of;
  T *loss, *dlogits;  // null where nobody reads them
  double* workspace;
  int64_t batch, steps, classes, labels_of_sample;

  // Of a sample: alpha of each step, beta and shares of two steps each, and the logarithm of each step's sum.
  HB_INLINE int64_t states() const { return 2 * labels_of_sample + 1; }
  HB_INLINE int64_t doubles() const { return (steps + 4) * states() + steps; }
};

// log(e^a + e^b + e^c), where none may be +inf.
HB_INLINE double log_sum3(double a, double b, double c) {
  const double top = a > b ? (a > c ? a : c) : (b > c ? b : c);
  if (top == -kInf<double>) return top;
  return scalar::log(scalar::exp(a - top) + scalar::exp(b - top) + scalar::exp(c - top)) + top;
}

template <class T> struct CtcLattice {
  const T* x;
  const int32_t* labels;
  int64_t classes, steps, used, width;  // width: doubles from step to step
  double *alpha, *beta, *share, *norm;

  HB_INLINE int64_t states() const { return 2 * used + 1; }
  HB_INLINE int64_t symbol(int64_t s) const { return s % 2 ? labels[s / 2] : classes - 1; }
  HB_INLINE double emission(int64_t t, int64_t s) const {
    return static_cast<double>(x[t * classes + symbol(s)]) - norm[t];
  }
  // A label can follow the label two states before it, if that is another one.
  HB_INLINE bool skips_to(int64_t s) const { return s % 2 && s >= 3 && labels[s / 2] != labels[s / 2 - 1]; }
  HB_INLINE bool is_valid() const {
    for (int64_t i = 0; i < used; ++i)
      if (labels[i] < 0 || labels[i] >= classes - 1) return false;
    return true;
  }

  HB_INLINE double forward(int64_t t, int64_t s) const {
    if (t == 0) return s < 2 ? emission(0, s) : -kInf<double>;
    const double* before = alpha + (t - 1) * width;
    return log_sum3(before[s], s >= 1 ? before[s - 1] : -kInf<double>, skips_to(s) ? before[s - 2] : -kInf<double>) +
           emission(t, s);
  }
  // `ahead`: beta of the next step with that step's emission added.
  HB_INLINE double backward(int64_t t, int64_t s, const double* ahead) const {
    if (t == steps - 1) return s >= states() - 2 ? 0 : -kInf<double>;
    return log_sum3(ahead[s], s + 1 < states() ? ahead[s + 1] : -kInf<double>,
                    s + 2 < states() && skips_to(s + 2) ? ahead[s + 2] : -kInf<double>);
  }
  // A sample may end in its last label or in the blank behind it.
  HB_INLINE double loss() const {
    if (steps == 0) return used == 0 ? 0 : kInf<double>;
    const double* last = alpha + (steps - 1) * width;
    const int64_t end = states() - 1;
    return -log_sum3(last[end], end ? last[end - 1] : -kInf<double>, -kInf<double>);
  }
  // What the class takes of a step: the sum of its states' shares, in order.
  HB_INLINE double taken(int64_t c, const double* shares) const {
    double sum = 0;
    for (int64_t s = c == classes - 1 ? 0 : 1; s < states(); s += 2)
      if (symbol(s) == c) sum += shares[s];
    return sum;
  }
};

template <class T> __device__ CtcLattice<T> lattice_of(const CtcArguments<T>& a, int64_t b) {
  const auto within = [](int64_t n, int64_t most) { return n < 0 ? 0 : n < most ? n : most; };
  double* const w = a.workspace + b * a.doubles();
  CtcLattice<T> l{a.logits + b * a.steps * a.classes,
                  a.labels + b * a.labels_of_sample,
                  a.classes,
                  within(a.steps_of[b], a.steps),
                  within(a.used_of[b], a.labels_of_sample),
                  a.states(),
                  w,
                  w + a.steps * a.states(),
                  w + (a.steps + 2) * a.states(),
                  w + (a.steps + 4) * a.states()};
  while (l.used > 0 && l.labels[l.used - 1] == a.classes - 1) --l.used;  // a blank behind the labels says nothing
  return l;
}

// The logarithm of the sum of e^x of each step: a warp for each.
template <class T> __device__ void find_norms(const CtcLattice<T>& l) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  for (int64_t t = warp; t < l.steps; t += kCtcThreads / kWarp) {
    const T* row = l.x + t * l.classes;
    double top = -kInf<double>, sum = 0;
    for (int64_t c = lane; c < l.classes; c += kWarp) top = Larger::join(top, static_cast<double>(row[c]));
    top = warp_max(top);
    for (int64_t c = lane; c < l.classes; c += kWarp) sum += scalar::exp(static_cast<double>(row[c]) - top);
    sum = warp_sum(sum);
    if (lane == 0) l.norm[t] = top + scalar::log(sum);
  }
  __syncthreads();
}

template <class T> __device__ void walk_back(const CtcLattice<T>& l, double loss, T* dx) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int64_t t = l.steps; t-- > 0;) {
    double* const ahead = l.beta + (t + 1) % 2 * l.width;
    double* const next = l.beta + t % 2 * l.width;
    double* const shares = l.share + t % 2 * l.width;
    for (int64_t s = thread; s < l.states(); s += kCtcThreads) {
      const double here = l.backward(t, s, ahead);
      shares[s] = scalar::exp(l.alpha[t * l.width + s] + here + loss);
      next[s] = here + l.emission(t, s);
    }
    __syncthreads();
    for (int64_t c = thread; c < l.classes; c += kCtcThreads) {
      const double p = scalar::exp(static_cast<double>(l.x[t * l.classes + c]) - l.norm[t]);
      dx[t * l.classes + c] = static_cast<T>(p - l.taken(c, shares));
    }
  }
}

template <class T> __global__ void __launch_bounds__(kCtcThreads) ctc_samples(GPU_PARAM CtcArguments<T> a) {
  const int64_t b = blockIdx.x;
  const int thread = static_cast<int>(threadIdx.x);
  const CtcLattice<T> l = lattice_of(a, b);
  double loss = static_cast<double>(__builtin_nan(""));
  if (l.is_valid()) {  // the same for all threads
    find_norms(l);
    for (int64_t t = 0; t < l.steps; ++t) {
      for (int64_t s = thread; s < l.states(); s += kCtcThreads) l.alpha[t * l.width + s] = l.forward(t, s);
      __syncthreads();
    }
    loss = l.loss();
  }
  if (a.loss && thread == 0) a.loss[b] = static_cast<T>(loss);
  if (!a.dlogits) return;
  T* const dx = a.dlogits + b * a.steps * a.classes;
  const bool is_finite = loss - loss == 0;  // labels that cannot be spelled in so few steps pull nowhere
  const T elsewhere = loss == loss ? T(0) : static_cast<T>(__builtin_nan(""));
  for (int64_t i = (is_finite ? l.steps * l.classes : 0) + thread; i < a.steps * a.classes; i += kCtcThreads)
    dx[i] = elsewhere;
  if (is_finite) walk_back(l, loss, dx);
}

template <class T> static CtcArguments<T> arguments(const KernelCall& c) {
  const Shape& x = c.in[0].shape;
  return {c.in[0].as<const T>(),
          c.in[1].as<const int32_t>(),
          c.in[2].as<const int32_t>(),
          c.in[3].as<const int32_t>(),
          data_of<T>(c.out[0]),
          data_of<T>(c.out[1]),
          reinterpret_cast<double*>(c.workspace),
          x[0],
          x[1],
          x[2],
          c.in[1].shape[1]};
}

template <class T> static void launch_ctc(const KernelCall& c) {
  const CtcArguments<T> a = arguments<T>(c);
  launch(*c.lane, "ctc_loss", ctc_samples<T>, dim3(static_cast<unsigned>(a.batch)), dim3(kCtcThreads), 0, a);
}

static int64_t workspace(const KernelCall& c) {
  const CtcArguments<float> sizes = arguments<float>(c);
  return sizes.batch * sizes.doubles() * static_cast<int64_t>(sizeof(double));
}
static void ctc_loss(const KernelCall& c) {
  c.in[0].dtype == DType::float64 ? launch_ctc<double>(c) : launch_ctc<float>(c);
}

HB_GPU_KERNELS(ctc, {"ctc_loss", "samples", supports_floats, workspace, ctc_loss})

}  // namespace hornbeam
