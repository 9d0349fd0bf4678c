// The forward-backward algorithm of connectionist temporal classification, Graves et al. 2006, "Connectionist Temporal
// Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks", equations 6 to 15, in
// logarithms.
//
// Its states are the labels with a blank before, between and behind them. All of a step's states are one vector loop,
// and a sample is one task. Logarithms of probabilities grow with the number of steps while the gradient needs their
// differences, so everything between the logits and the results is float64, for float32 as well.
#include "ops/ctc.h"

#include "cpu/export.h"
#include "cpu/parallel.h"
#include "cpu/row_sums.h"

HB_CPU_BEGIN

// A row of the lattice has two states that never are before the first and two behind the last, so that the neighbours
// of every state can be read, and ends on a whole vector.
constexpr int64_t kMargin = 2;

struct CtcSizes {
  int64_t batch, steps, classes, labels;
  int64_t row;     // doubles of a row of the lattice
  int64_t sample;  // doubles of a sample's workspace
  bool gradient;

  HB_INLINE explicit CtcSizes(const KernelCall& c) {
    const Shape& x = c.in[0].shape;
    batch = x[0];
    steps = x[1];
    classes = x[2];
    labels = c.in[1].shape[1];
    gradient = c.out[1].present;
    row = ceil_div(2 * labels + 1, kLanes<double>) * kLanes<double> + 2 * kMargin;
    // what may be skipped to; emissions, alpha (without a gradient, the last step's), two betas; norms; a row of
    // classes
    sample = row + (gradient ? 2 * steps + 2 : 3) * row + steps + classes;
  }
};

// log(e^a + e^b + e^c), where none may be +inf.
HB_INLINE vd log_sum3(vd a, vd b, vd c) {
  vd top = a > b ? a : b;
  top = top > c ? top : c;
  const vd shift = top == -kInf<double> ? vd{} : top;
  return log<double>(exp<double>(a - shift) + exp<double>(b - shift) + exp<double>(c - shift)) + shift;
}

template <class T>
struct CtcSample {
  const CtcSizes& n;
  const T* x;             // (steps, classes)
  const int32_t* labels;  // (used)
  int64_t steps, used;
  double *skip, *emitted, *alpha, *beta, *norm, *p;

  HB_INLINE CtcSample(const CtcSizes& sizes, const T* logits, const int32_t* wanted, int64_t t, int64_t u, double* w)
      : n(sizes), x(logits), labels(wanted), steps(t), used(u) {
    const int64_t kept = n.gradient ? n.steps : 1;
    skip = w + kMargin;
    emitted = skip + n.row;
    alpha = emitted + kept * n.row;
    beta = alpha + (n.gradient ? kept : 2) * n.row;
    norm = w + n.sample - n.classes - n.steps;
    p = norm + n.steps;
  }

  HB_INLINE int64_t states() const { return 2 * used + 1; }
  HB_INLINE int64_t symbol(int64_t s) const { return s % 2 ? labels[s / 2] : n.classes - 1; }

  // A row without any state that can be.
  HB_INLINE void clear(double* r) const {
    for (int64_t i = 0; i < n.row; ++i) r[i - kMargin] = -kInf<double>;
  }

  // A label can follow the label two states before it, if that is another one (equation 6).
  HB_INLINE void find_skips() {
    clear(skip);
    for (int64_t s = 3; s < states(); s += 2)
      if (labels[s / 2] != labels[s / 2 - 1]) skip[s] = 0;
  }

  HB_INLINE void widen(int64_t t) {
    for (int64_t c = 0; c < n.classes; ++c) p[c] = static_cast<double>(x[t * n.classes + c]);
  }

  // log softmax of step t, of each state's symbol.
  HB_INLINE void emit(int64_t t, double* to) {
    widen(t);
    const double top = row_max<double>(p, n.classes);
    norm[t] = top + log<double>(splat(softmax_row<double>(p, top, n.classes, nullptr)))[0];
    clear(to);
    for (int64_t s = 0; s < states(); ++s) to[s] = p[symbol(s)] - norm[t];
  }

  HB_INLINE void step_forward(const double* before, const double* now, double* to) {
    clear(to);
    for (int64_t s = 0; s < states(); s += kLanes<double>)
      store(to + s,
            log_sum3(load(before + s), load(before + s - 1), load(before + s - 2) + load(skip + s)) + load(now + s));
  }

  // `ahead` is beta of the next step with that step's emission added.
  HB_INLINE void step_backward(const double* ahead, double* to) {
    for (int64_t s = 0; s < states(); s += kLanes<double>)
      store(to + s, log_sum3(load(ahead + s), load(ahead + s + 1), load(ahead + s + 2) + load(skip + s + 2)));
  }

  HB_INLINE bool valid() const {
    for (int64_t i = 0; i < used; ++i)
      if (labels[i] < 0 || labels[i] >= n.classes - 1) return false;
    return true;
  }

  // A sample may end in its last label or in the blank behind it.
  HB_INLINE double forward() {
    find_skips();
    if (steps == 0) return used == 0 ? 0 : kInf<double>;
    const double* last = nullptr;
    for (int64_t t = 0; t < steps; ++t) {
      double* now = emitted + (n.gradient ? t : 0) * n.row;
      double* to = alpha + (n.gradient ? t : t % 2) * n.row;
      emit(t, now);
      if (t == 0) {
        clear(to);
        for (int64_t s = 0; s < smaller(2, states()); ++s) to[s] = now[s];
      } else {
        step_forward(last, now, to);
      }
      last = to;
    }
    const int64_t end = states() - 1;
    const vd never = splat<double>(-kInf<double>);
    return -log_sum3(splat(last[end]), splat(last[end - 1]), never)[0];
  }

  // dlogits = softmax - the probability of each class at each step among the ways to spell the labels (equation 16).
  HB_INLINE void backward(double loss, T* dx) {
    double *now = beta, *ahead = beta + n.row;
    for (int64_t t = steps; t-- > 0;) {
      clear(now);
      if (t == steps - 1) {
        for (int64_t s = larger(0, states() - 2); s < states(); ++s) now[s] = 0;
      } else {
        step_backward(ahead, now);
        for (int64_t s = states(); s < n.row - kMargin; ++s) now[s] = -kInf<double>;
      }
      widen(t);
      each_vector<double>(n.classes, [&](int64_t i, int k) {
        store_some<double>(p + i, exp<double>(load_some<double>(p + i, k) - norm[t]), k);
      });
      const double *a = alpha + t * n.row, *e = emitted + t * n.row;
      clear(ahead);
      for (int64_t s = 0; s < states(); s += kLanes<double>) {
        const vd here = load(now + s), share = exp<double>(load(a + s) + here + loss);
        for (int64_t k = 0; k < smaller(kLanes<double>, states() - s); ++k) p[symbol(s + k)] -= share[k];
        store(ahead + s, here + load(e + s));
      }
      for (int64_t c = 0; c < n.classes; ++c) dx[t * n.classes + c] = static_cast<T>(p[c]);
    }
  }
};

template <class T> static void fill(T* p, int64_t n, T value) {
  for (int64_t i = 0; i < n; ++i) p[i] = value;
}

template <class T> static void run_ctc(const KernelCall& c) {
  const CtcSizes n(c);
  parallel_tasks(c, n.batch, [&](int64_t b) {
    const int32_t *steps = c.in[2].as<const int32_t>() + b, *used = c.in[3].as<const int32_t>() + b;
    const int32_t* labels = c.in[1].as<const int32_t>() + b * n.labels;
    int64_t count = larger(0, smaller(*used, n.labels));
    while (count > 0 && labels[count - 1] == n.classes - 1) --count;  // a blank behind the labels says nothing
    CtcSample<T> sample(n, c.in[0].as<const T>() + b * n.steps * n.classes, labels, larger(0, smaller(*steps, n.steps)),
                        count, reinterpret_cast<double*>(c.workspace) + b * n.sample);
    const bool valid = sample.valid();
    const double loss = valid ? sample.forward() : kNan<double>;
    if (c.out[0].present) c.out[0].as<T>()[b] = static_cast<T>(loss);
    if (!n.gradient) return;
    T* dx = c.out[1].as<T>() + b * n.steps * n.classes;
    const bool finite = loss - loss == 0;  // labels that cannot be spelled in so few steps pull nowhere
    const int64_t counted = finite ? sample.steps * n.classes : 0;
    fill(dx + counted, n.steps * n.classes - counted, loss == loss ? T(0) : kNan<T>);
    if (finite) sample.backward(loss, dx);
  });
}

static int64_t ctc_workspace(const KernelCall& c) {
  const CtcSizes n(c);
  return n.batch * n.sample * static_cast<int64_t>(sizeof(double));
}

HB_EXPORT_KERNELS(ctc, {"ctc_loss", "samples", supports_floats, ctc_workspace, [](const KernelCall& c) {
                          c.in[0].dtype == DType::float64 ? run_ctc<double>(c) : run_ctc<float>(c);
                        }})

HB_CPU_END
