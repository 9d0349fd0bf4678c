// Batch normalization over (rows, channels): a fold of the columns, which also finishes each channel, then one pass
// over all elements.
//
// Statistics read x once, as distances from the first row: batches give the mean and the squared deviations from it,
// and combine as in Chan, Golub and LeVeque with compensated sums; so a mean that is large beside the deviation costs
// nothing.
#include "ops/norm.h"

#include "cuda/divider.h"
#include "cuda/export.h"
#include "cuda/fold_ops.h"
#include "cuda/scalar.h"

namespace hornbeam {

static ReducePass columns(const Shape& x) { return {1, x.count(0, x.rank - 1), x[-1]}; }

// ---- statistics -----------------------------------------------------------------------------------------
template <class T> struct MomentsFold {
  using Item = T;
  struct State {
    typename SumFold<T>::State sum;
    T square;  // of deviations from the mean
    T count;
  };
  static HB_INLINE State none() { return {SumFold<T>::none(), T(0), T(0)}; }
  static HB_INLINE void take(State& s, T x, int64_t) { join(s, {{x, T(0)}, T(0), T(1)}); }
  static HB_INLINE void take(State& s, const T (&x)[kBatch], int64_t at, int64_t apart) {
    State batch{SumFold<T>::none(), T(0), T(kBatch)};
    SumFold<T>::take(batch.sum, x, at, apart);
    const T mean = batch.sum.sum * T(1.0 / kBatch);
    for (T v : x) batch.square = scalar::fma(v - mean, v - mean, batch.square);
    join(s, batch);
  }
  static HB_INLINE void join(State& s, const State& o) {
    if (o.count == T(0)) return;
    if (s.count > T(0)) {
      const T apart = o.sum.sum / o.count - s.sum.sum / s.count;
      s.square += o.square + apart * apart * (s.count * (o.count / (s.count + o.count)));
    } else {
      s.square = o.square;
    }
    SumFold<T>::join(s.sum, o.sum);
    s.count += o.count;
  }
  static HB_INLINE State result(const State& s) { return s; }
};

// What makes y of x: (x - middle) scale + shift, for each channel.
template <class T> struct Affine {
  T *middle, *scale, *shift;
  Affine(const KernelCall& c, int64_t channels)
      : middle(reinterpret_cast<T*>(c.workspace)), scale(middle + channels), shift(scale + channels) {}
};

static int64_t affine_workspace(const KernelCall& c, const Shape& x) { return 3 * x[-1] * item_size(c.in[0].dtype); }

template <class T> static void statistics(const KernelCall& c, const ReducePass& pass, const Affine<T>& to,
                                          void* parts) {
  const T *x = c.in[0].as<const T>(), *gamma = input_of<const T>(c, 1), *beta = input_of<const T>(c, 2);
  T *mean = data_of<T>(c.out[1]), *variance = data_of<T>(c.out[2]), *inv_std = data_of<T>(c.out[3]);
  const T epsilon = static_cast<T>(static_cast<const BatchNormAttrs*>(c.attrs)->epsilon), rows = static_cast<T>(pass.n);
  fold<MomentsFold<T>>(
      *c.lane, "batch_norm", pass, parts, [=] GPU_LAMBDA(int64_t i, int64_t channel) { return x[i] - x[channel]; },
      [=] GPU_LAMBDA(int64_t channel, const typename MomentsFold<T>::State& s) {
        const T origin = rows > T(0) ? x[channel] : T(0), middle = origin + SumFold<T>::result(s.sum) / rows;
        const T var = s.square / rows, inv = T(1) / scalar::sqrt(var + epsilon);
        to.middle[channel] = middle;
        to.scale[channel] = gamma ? inv * gamma[channel] : inv;
        to.shift[channel] = beta ? beta[channel] : T(0);
        if (mean) mean[channel] = middle;
        if (variance) variance[channel] = var;
        if (inv_std) inv_std[channel] = inv;
      });
}

template <class T> static void normalize(const KernelCall& c, const ReducePass& pass, const Affine<T>& by) {
  const T* x = c.in[0].as<const T>();
  T* y = c.out[0].as<T>();
  const Activation activation = static_cast<const BatchNormAttrs*>(c.attrs)->activation;
  const Divider channels = Divider::of(pass.inner);
  each(*c.lane, "batch_norm", pass.n * pass.inner, [=] GPU_LAMBDA(int64_t i) {
    int64_t row = i;
    const int64_t k = channels.take(row);
    y[i] = scalar::activate(activation, scalar::fma(x[i] - by.middle[k], by.scale[k], by.shift[k]));
  });
}

template <class T> static void run_batch_norm(const KernelCall& c) {
  const ReducePass pass = columns(c.in[0].shape);
  if (pass.inner == 0) return;
  const Affine<T> affine(c, pass.inner);
  statistics(c, pass, affine, c.workspace + (affine_workspace(c, c.in[0].shape) + 15) / 16 * 16);
  if (c.out[0].present) normalize(c, pass, affine);
}

// ---- gradient -------------------------------------------------------------------------------------------
template <class T> struct GradPair { T dy, product; };  // product: dy (x - mean)

template <class T> struct GradFold {
  using Item = GradPair<T>;
  using Sum = SumFold<T>;
  struct State { typename Sum::State dy, product; };
  static HB_INLINE State none() { return {Sum::none(), Sum::none()}; }
  static HB_INLINE void take(State& s, const Item& x, int64_t at) {
    Sum::take(s.dy, x.dy, at);
    Sum::take(s.product, x.product, at);
  }
  static HB_INLINE void take(State& s, const Item (&x)[kBatch], int64_t at, int64_t apart) {
    T dy[kBatch], product[kBatch];
    for (int i = 0; i < kBatch; ++i) dy[i] = x[i].dy, product[i] = x[i].product;
    Sum::take(s.dy, dy, at, apart);
    Sum::take(s.product, product, at, apart);
  }
  static HB_INLINE void join(State& s, const State& o) {
    Sum::join(s.dy, o.dy);
    Sum::join(s.product, o.product);
  }
  static HB_INLINE Item result(const State& s) { return {Sum::result(s.dy), Sum::result(s.product)}; }
};

// dx = (dy - ((x - mean) slope + level)) scale, for each channel.
template <class T> struct Slopes {
  T *scale, *level, *slope;
  Slopes(const KernelCall& c, int64_t channels)
      : scale(reinterpret_cast<T*>(c.workspace)), level(scale + channels), slope(level + channels) {}
};

template <class T> static void sum_grads(const KernelCall& c, const ReducePass& pass, const Slopes<T>& to,
                                         void* parts) {
  const T *dy = c.in[0].as<const T>(), *x = c.in[1].as<const T>(), *mean = c.in[2].as<const T>(),
          *inv_std = c.in[3].as<const T>(), *gamma = input_of<const T>(c, 4);
  T *dgamma = data_of<T>(c.out[1]), *dbeta = data_of<T>(c.out[2]);
  const T rows = static_cast<T>(pass.n);
  fold<GradFold<T>>(
      *c.lane, "batch_norm_grad", pass, parts,
      [=] GPU_LAMBDA(int64_t i, int64_t channel) { return GradPair<T>{dy[i], dy[i] * (x[i] - mean[channel])}; },
      [=] GPU_LAMBDA(int64_t channel, const GradPair<T>& sums) {
        const T inv = inv_std[channel], total = sums.product * inv;
        if (dgamma) dgamma[channel] = total;
        if (dbeta) dbeta[channel] = sums.dy;
        to.scale[channel] = gamma ? gamma[channel] * inv : inv;
        to.level[channel] = sums.dy / rows;
        to.slope[channel] = total * inv / rows;
      });
}

template <class T> static void input_grad(const KernelCall& c, const ReducePass& pass, const Slopes<T>& by) {
  const T *dy = c.in[0].as<const T>(), *x = c.in[1].as<const T>(), *mean = c.in[2].as<const T>();
  T* dx = c.out[0].as<T>();
  const Divider channels = Divider::of(pass.inner);
  each(*c.lane, "batch_norm_grad", pass.n * pass.inner, [=] GPU_LAMBDA(int64_t i) {
    int64_t row = i;
    const int64_t k = channels.take(row);
    dx[i] = (dy[i] - scalar::fma(x[i] - mean[k], by.slope[k], by.level[k])) * by.scale[k];
  });
}

template <class T> static void run_batch_norm_grad(const KernelCall& c) {
  const ReducePass pass = columns(c.in[1].shape);
  if (pass.inner == 0) return;
  const Slopes<T> slopes(c, pass.inner);
  sum_grads(c, pass, slopes, c.workspace + (affine_workspace(c, c.in[1].shape) + 15) / 16 * 16);
  if (c.out[0].present) input_grad(c, pass, slopes);
}

static bool is_double(const KernelCall& c) { return c.in[0].dtype == DType::float64; }
// What a channel needs, then the parts of the fold.
template <template <class> class Op, int kInput> static int64_t workspace(const KernelCall& c) {
  const Shape& x = c.in[kInput].shape;
  const int64_t state = is_double(c) ? sizeof(typename Op<double>::State) : sizeof(typename Op<float>::State);
  if (x[-1] == 0) return 0;
  return (affine_workspace(c, x) + 15) / 16 * 16 + FoldGrid::of(columns(x)).states() * state;
}

static void batch_norm(const KernelCall& c) { is_double(c) ? run_batch_norm<double>(c) : run_batch_norm<float>(c); }
static void batch_norm_grad(const KernelCall& c) {
  is_double(c) ? run_batch_norm_grad<double>(c) : run_batch_norm_grad<float>(c);
}

HB_GPU_KERNELS(norm, {"batch_norm", "fold", supports_floats, workspace<MomentsFold, 0>, batch_norm},
               {"batch_norm_grad", "fold", supports_floats, workspace<GradFold, 1>, batch_norm_grad})

}  // namespace hornbeam
