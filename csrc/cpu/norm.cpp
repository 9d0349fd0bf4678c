// Batch normalization over (rows, channels). Rows are joined until a wide row is a whole number of
// vectors (16 rows of one channel, 2 rows of 24, 1 row of 64): every loop then runs over full vectors
// whatever the number of channels, and the rows left over are one part of a wide row at the end.
//
// Statistics read x once, as distances d from the first row: chunks of 16 wide rows give the mean of d
// and squared deviations from it while they are in L1, and chunks combine as in Chan, Golub and LeVeque
// with compensated sums. In float32 the mean's error is below 2^-20 mean|d| plus its own rounding,
// however large |mean| is beside the deviation, and the variance's below 2^-20 (1 + rows 2^-12) max(d^2).
#include "ops/norm.h"

#include "cpu/export.h"
#include "cpu/parallel.h"
#include "cpu/sums.h"
#include "cpu/vmath.h"

HB_CPU_BEGIN

constexpr int kChunk = 16;
constexpr int kMaxSplits = 16;

struct Layout {
  int64_t rows, channels;
  int64_t join;   // rows in a wide row
  int64_t width;  // of a wide row
  int64_t wide;   // wide rows
  int64_t rest;   // elements after the last wide row, less than `width`
  int64_t splits;

  HB_INLINE int64_t begin(int64_t split) const { return wide * split / splits; }
};

template <class T>
static Layout layout(const Shape& x) {
  Layout l;
  l.channels = x[-1];
  l.rows = x.count(0, x.rank - 1);
  l.join = 1;
  while (l.channels * l.join % kLanes<T>) l.join *= 2;
  l.width = l.channels * l.join;
  l.wide = l.rows / l.join;
  l.rest = (l.rows - l.wide * l.join) * l.channels;
  const int64_t by_size = l.wide * l.width / 16384, by_chunk = l.wide / kChunk;
  l.splits = larger(1, smaller(kMaxSplits, smaller(by_size, by_chunk)));
  return l;
}

// ---- statistics --------------------------------------------------------------------------------

// What a split knows of each column of its wide rows: sum of d, its rounded-off rest, squared deviations.
template <class T>
struct Moments {
  T *sum, *rest, *square;
};
template <class T>
HB_INLINE Moments<T> moments_of(T* work, const Layout& l, int64_t split) {
  T* p = work + split * 3 * l.width;
  return {p, p + l.width, p + 2 * l.width};
}

// Adds n rows (n <= kChunk) of one vector's columns; `before` rows were added already.
template <class T>
HB_INLINE void add_chunk(const T* x, Vec<T> origin, int64_t stride, int n, int64_t before, const Moments<T>& m) {
  Vec<T> v[kChunk], part[4] = {};
  for (int i = 0; i < n; ++i) part[i & 3] += v[i] = load(x + i * stride) - origin;
  const Vec<T> sum = (part[0] + part[1]) + (part[2] + part[3]), mean = sum * T(1.0 / n);
  Vec<T> square{};
  for (int i = 0; i < n; ++i) square = fma<T>(v[i] - mean, v[i] - mean, square);
  VectorSum<T> total{load(m.sum), load(m.rest)};
  if (before > 0) {
    const Vec<T> apart = mean - total.sum * T(1.0 / before);
    square += load(m.square) + apart * apart * T(double(before) * n / (before + n));
  }
  total.add(sum);
  store(m.sum, total.sum);
  store(m.rest, total.rest);
  store(m.square, square);
}

template <class T>
static void split_moments(const T* x, const T* origin, const Layout& l, int64_t split, const Moments<T>& m) {
  __builtin_memset(m.sum, 0, sizeof(T) * l.width * 3);
  const int64_t from = l.begin(split), to = l.begin(split + 1);
  for (int64_t r = from; r < to; r += kChunk) {
    const int n = static_cast<int>(smaller(kChunk, to - r));
    for (int64_t j = 0; j < l.width; j += kLanes<T>) {
      const Moments<T> at{m.sum + j, m.rest + j, m.square + j};
      const T* first = x + r * l.width + j;
      if (n == kChunk) add_chunk(first, load(origin + j), l.width, kChunk, r - from, at);
      else add_chunk(first, load(origin + j), l.width, n, r - from, at);
    }
  }
}

// Combines the splits, the rows joined in a wide row, and the rows left over.
template <class T>
static void channel_moments(const T* x, T origin, const Layout& l, T* work, int64_t c, T* mean, T* variance) {
  ScalarSum<T> sum{};
  for (int64_t s = 0; s < l.splits; ++s) {
    const Moments<T> m = moments_of(work, l, s);
    for (int64_t j = c; j < l.width; j += l.channels) {
      sum.add(m.sum[j]);
      sum.rest += m.rest[j];
    }
  }
  const T* last = x + l.wide * l.width;
  for (int64_t j = c; j < l.rest; j += l.channels) sum.add(last[j] - origin);
  const T middle = sum.value() / static_cast<T>(l.rows);
  T square = 0;
  for (int64_t s = 0; s < l.splits; ++s) {
    const Moments<T> m = moments_of(work, l, s);
    const T n = static_cast<T>(l.begin(s + 1) - l.begin(s));
    if (n == 0) continue;
    for (int64_t j = c; j < l.width; j += l.channels) {
      const T apart = (m.sum[j] + m.rest[j]) / n - middle;
      square += m.square[j] + n * apart * apart;
    }
  }
  for (int64_t j = c; j < l.rest; j += l.channels) square += (last[j] - origin - middle) * (last[j] - origin - middle);
  *mean = origin + middle;
  *variance = square / static_cast<T>(l.rows);
}

// ---- passes over all elements --------------------------------------------------------------------

// f(first element, elements, column of the first) over pieces that are each at most one wide row.
template <class T, class F>
HB_INLINE void for_wide_rows(const KernelCall& call, const Layout& l, const F& f) {
  parallel_ranges(call, l.wide + (l.rest > 0), l.width, [&](int64_t from, int64_t to) {
    for (int64_t r = from; r < to; ++r) f(r * l.width, r < l.wide ? l.width : l.rest);
  });
}

template <class T>
static void repeat(T* pattern, const Layout& l) {
  for (int64_t j = l.channels; j < l.width; ++j) pattern[j] = pattern[j - l.channels];
}

template <class T>
static int64_t batch_norm_workspace(const Layout& l) {
  return sizeof(T) * l.width * (3 * l.splits + 4);
}

template <class T>
static void batch_norm(const KernelCall& call) {
  const BatchNormAttrs& a = *static_cast<const BatchNormAttrs*>(call.attrs);
  const Layout l = layout<T>(call.in[0].shape);
  const T *x = call.in[0].as<T>(), *gamma = input_of<const T>(call, 1), *beta = input_of<const T>(call, 2);
  T *y = data_of<T>(call.out[0]), *mean = data_of<T>(call.out[1]), *variance = data_of<T>(call.out[2]),
    *inv_std = data_of<T>(call.out[3]);
  T* work = reinterpret_cast<T*>(call.workspace);
  T *origin = work + l.splits * 3 * l.width, *middle = origin + l.width, *scale = middle + l.width,
    *shift = scale + l.width;
  if (l.rows) __builtin_memcpy(origin, x, sizeof(T) * l.channels);
  repeat(origin, l);
  parallel_tasks(call, l.splits,
                 [&](int64_t split) { split_moments(x, origin, l, split, moments_of(work, l, split)); });
  for (int64_t c = 0; c < l.channels; ++c) {
    T var;
    channel_moments(x, origin[c], l, work, c, &middle[c], &var);
    const T inv = 1 / __builtin_sqrt(var + static_cast<T>(a.epsilon));
    scale[c] = gamma ? inv * gamma[c] : inv;
    shift[c] = beta ? beta[c] : 0;
    if (mean) mean[c] = middle[c];
    if (variance) variance[c] = var;
    if (inv_std) inv_std[c] = inv;
  }
  if (!y) return;
  repeat(middle, l);
  repeat(scale, l);
  repeat(shift, l);
  for_wide_rows<T>(call, l, [&](int64_t at, int64_t n) {
    int64_t j = 0;
    for (; j + kLanes<T> <= n; j += kLanes<T>)
      store(y + at + j, fma<T>(load(x + at + j) - load(middle + j), load(scale + j), load(shift + j)));
    for (; j < n; ++j) y[at + j] = (x[at + j] - middle[j]) * scale[j] + shift[j];
    activate<T>(a.activation, y + at, n);
  });
}

// ---- gradient --------------------------------------------------------------------------------------

// Adds n rows (n <= kChunk) of U vectors' columns to the compensated sums of dy and of dy * (x - mean).
template <int U, class T>
HB_INLINE void add_grads(const T* dy, const T* x, const T* mean, int64_t stride, int n, T* sums) {
  constexpr int L = kLanes<T>;
  Vec<T> beta[U] = {}, gamma[U] = {};
  for (int i = 0; i < n; ++i)
    for (int u = 0; u < U; ++u) {
      const Vec<T> g = load(dy + i * stride + u * L);
      beta[u] += g;
      gamma[u] = fma<T>(g, load(x + i * stride + u * L) - load(mean + u * L), gamma[u]);
    }
  for (int u = 0; u < U; ++u) {
    T* at = sums + u * L;
    VectorSum<T> total_beta{load(at), load(at + stride)}, total_gamma{load(at + 2 * stride), load(at + 3 * stride)};
    total_beta.add(beta[u]);
    total_gamma.add(gamma[u]);
    store(at, total_beta.sum);
    store(at + stride, total_beta.rest);
    store(at + 2 * stride, total_gamma.sum);
    store(at + 3 * stride, total_gamma.rest);
  }
}

// What one split knows: sums of dy, their rests, sums of dy * (x - mean), their rests, a wide row each.
template <class T>
static void split_grads(const T* dy, const T* x, const T* mean, const Layout& l, int64_t split, T* sums) {
  __builtin_memset(sums, 0, sizeof(T) * l.width * 4);
  const int64_t from = l.begin(split), to = l.begin(split + 1);
  for (int64_t r = from; r < to; r += kChunk) {
    const int n = static_cast<int>(smaller(kChunk, to - r));
    const T *g = dy + r * l.width, *v = x + r * l.width;
    int64_t j = 0;
    for (; j + 4 * kLanes<T> <= l.width; j += 4 * kLanes<T>) add_grads<4>(g + j, v + j, mean + j, l.width, n, sums + j);
    for (; j < l.width; j += kLanes<T>) add_grads<1>(g + j, v + j, mean + j, l.width, n, sums + j);
  }
}

template <class T>
static int64_t batch_norm_grad_workspace(const Layout& l) {
  return sizeof(T) * l.width * 4 * (l.splits + 1);
}

template <class T>
static void batch_norm_grad(const KernelCall& call) {
  const Layout l = layout<T>(call.in[1].shape);
  const T *dy = call.in[0].as<T>(), *x = call.in[1].as<T>(), *mean = call.in[2].as<T>(), *inv_std = call.in[3].as<T>();
  const T* gamma = input_of<const T>(call, 4);
  T *dx = data_of<T>(call.out[0]), *dgamma = data_of<T>(call.out[1]), *dbeta = data_of<T>(call.out[2]);
  T* work = reinterpret_cast<T*>(call.workspace);
  T *middle = work + l.splits * 4 * l.width, *scale = middle + l.width, *level = scale + l.width,
    *slope = level + l.width;
  __builtin_memcpy(middle, mean, sizeof(T) * l.channels);
  repeat(middle, l);
  parallel_tasks(call, l.splits, [&](int64_t s) { split_grads(dy, x, middle, l, s, work + s * 4 * l.width); });

  const int64_t last = l.wide * l.width;
  for (int64_t c = 0; c < l.channels; ++c) {
    ScalarSum<T> beta{}, product{};
    for (int64_t s = 0; s < l.splits; ++s)
      for (int64_t j = s * 4 * l.width + c, end = j - c + l.width; j < end; j += l.channels) {
        beta.add(work[j]);
        beta.rest += work[j + l.width];
        product.add(work[j + 2 * l.width]);
        product.rest += work[j + 3 * l.width];
      }
    for (int64_t j = c; j < l.rest; j += l.channels) {
      beta.add(dy[last + j]);
      product.add(dy[last + j] * (x[last + j] - mean[c]));
    }
    const T total = product.value() * inv_std[c];
    if (dgamma) dgamma[c] = total;
    if (dbeta) dbeta[c] = beta.value();
    scale[c] = gamma ? gamma[c] * inv_std[c] : inv_std[c];
    level[c] = beta.value() / static_cast<T>(l.rows);
    slope[c] = total * inv_std[c] / static_cast<T>(l.rows);
  }
  if (!dx) return;
  repeat(scale, l);
  repeat(level, l);
  repeat(slope, l);
  for_wide_rows<T>(call, l, [&](int64_t at, int64_t n) {
    int64_t j = 0;
    for (; j + kLanes<T> <= n; j += kLanes<T>) {
      const Vec<T> toward = fma<T>(load(x + at + j) - load(middle + j), load(slope + j), load(level + j));
      store(dx + at + j, (load(dy + at + j) - toward) * load(scale + j));
    }
    for (; j < n; ++j) dx[at + j] = (dy[at + j] - ((x[at + j] - middle[j]) * slope[j] + level[j])) * scale[j];
  });
}

static bool is_double(const KernelCall& call) { return call.in[0].dtype == DType::float64; }
HB_EXPORT_KERNELS(
    norm,
    {"batch_norm", "one_read", supports_floats,
     [](const KernelCall& call) {
       return is_double(call) ? batch_norm_workspace<double>(layout<double>(call.in[0].shape))
                              : batch_norm_workspace<float>(layout<float>(call.in[0].shape));
     },
     [](const KernelCall& call) { is_double(call) ? batch_norm<double>(call) : batch_norm<float>(call); }},
    {"batch_norm_grad", "two_reads", supports_floats,
     [](const KernelCall& call) {
       return is_double(call) ? batch_norm_grad_workspace<double>(layout<double>(call.in[1].shape))
                              : batch_norm_grad_workspace<float>(layout<float>(call.in[1].shape));
     },
     [](const KernelCall& call) { is_double(call) ? batch_norm_grad<double>(call) : batch_norm_grad<float>(call); }})

HB_CPU_END
