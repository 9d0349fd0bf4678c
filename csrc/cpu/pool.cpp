// Pooling over NHWC, vectorised over channels. Forward tasks own rows of the output; backward tasks
// own rows of the input and visit every window that touches them, so no two write the same cell and
// each cell adds its windows in row-major order whatever the cut.
#include "cpu/export.h"
#include "cpu/lanes.h"
#include "cpu/parallel.h"
#include "ops/pool_axis.h"

HB_CPU_BEGIN

// Channels are served four vectors at a time, then one, then the lanes of the last one that are left.
// f(vectors as a constant, first channel, lanes of each vector).
template <int N>
struct Number {
  static constexpr int value = N;
};
template <class T, class F>
HB_INLINE void each_channel(int64_t channels, const F& f) {
  constexpr int L = kLanes<T>;
  int64_t c = 0;
  for (; c + 4 * L <= channels; c += 4 * L) f(Number<4>{}, c, L);
  for (; c + L <= channels; c += L) f(Number<1>{}, c, L);
  if (c < channels) f(Number<1>{}, c, static_cast<int>(channels - c));
}

struct Geometry {
  PoolAxis y, x;
  int64_t images, channels;
  HB_INLINE int64_t in_row() const { return x.in * channels; }
  HB_INLINE int64_t out_row() const { return x.out * channels; }
  // Numbers that a row of outputs is made of; a window may be said to be of any size.
  HB_INLINE int64_t row_work() const { return out_row() * smaller(y.size, y.in) * smaller(x.size, x.in); }
};

static Geometry geometry(const PoolAttrs& a, const Shape& in, const Shape& out) {
  return {pool_axis(a, in, out, 0), pool_axis(a, in, out, 1), in[0], in[3]};
}

// NaN if either is NaN.
template <class V>
HB_INLINE V max_nan(V a, V b) {
  return ((a > b) | (a != a)) ? a : b;
}

// One window of h by w cells, U vectors of channels of k lanes each. Averages add row sums, so the error is
// at most (w + h) roundings of the sum of magnitudes.
template <bool kMax, int U, class T>
HB_INLINE void pool_window(const T* x, int64_t row, int64_t channels, int64_t h, int64_t w, T* y, int k) {
  constexpr int L = kLanes<T>;
  Vec<T> all[U];
  for (int u = 0; u < U; ++u) all[u] = kMax ? load_some<T>(x + u * L, k) : Vec<T>{};
  for (int64_t i = 0; i < h; ++i) {
    Vec<T> line[U];
    for (int u = 0; u < U; ++u) line[u] = load_some<T>(x + i * row + u * L, k);
    for (int64_t j = 1; j < w; ++j)
      for (int u = 0; u < U; ++u) {
        const Vec<T> cell = load_some<T>(x + i * row + j * channels + u * L, k);
        line[u] = kMax ? max_nan(cell, line[u]) : line[u] + cell;
      }
    for (int u = 0; u < U; ++u) all[u] = kMax ? max_nan(line[u], all[u]) : all[u] + line[u];
  }
  for (int u = 0; u < U; ++u) store_some<T>(y + u * L, kMax ? all[u] : all[u] / static_cast<T>(h * w), k);
}

template <bool kMax, class T>
static void pool(const KernelCall& call) {
  const Geometry g = geometry(*static_cast<const PoolAttrs*>(call.attrs), call.in[0].shape, call.out[0].shape);
  const T* x = call.in[0].as<T>();
  T* y = call.out[0].as<T>();
  if (call.out[0].shape.count() == 0) return;
  parallel_ranges(call, g.images * g.y.out, g.row_work(), [&](int64_t from, int64_t to) {
    for (int64_t r = from; r < to; ++r) {
      const int64_t oy = r % g.y.out, top = g.y.begin(oy), h = g.y.end(oy) - top;
      const T* image = x + (r / g.y.out * g.y.in + top) * g.in_row();
      for (int64_t ox = 0; ox < g.x.out; ++ox) {
        const int64_t left = g.x.begin(ox), w = g.x.end(ox) - left;
        const T* cell = image + left * g.channels;
        T* out = y + (r * g.x.out + ox) * g.channels;
        each_channel<T>(g.channels, [&](auto vectors, int64_t c, int k) {
          constexpr int U = decltype(vectors)::value;
          if (h == 2 && w == 2)  // the common window, with its loops unrolled
            pool_window<kMax, U>(cell + c, g.in_row(), g.channels, 2, 2, out + c, k);
          else pool_window<kMax, U>(cell + c, g.in_row(), g.channels, h, w, out + c, k);
        });
      }
    }
  });
}

// What `g` holds at each window's first maximum: the transpose of max_pool2d_grad. Cells are visited
// backwards, so the first one is the last to be taken.
template <class T>
static void gather(const KernelCall& call) {
  const Geometry g = geometry(*static_cast<const PoolAttrs*>(call.attrs), call.in[0].shape, call.out[0].shape);
  const T *x = call.in[0].as<T>(), *y = call.in[1].as<T>(), *value = call.in[2].as<T>();
  T* out = call.out[0].as<T>();
  if (call.out[0].shape.count() == 0) return;
  parallel_ranges(call, g.images * g.y.out, g.row_work(), [&](int64_t from, int64_t to) {
    for (int64_t o = from * g.x.out; o < to * g.x.out; ++o) {
      const int64_t r = o / g.x.out, oy = r % g.y.out, ox = o % g.x.out;
      const int64_t image = r / g.y.out * g.y.in;
      for (int64_t c = 0; c < g.channels; c += kLanes<T>) {
        const int k = static_cast<int>(smaller(g.channels - c, kLanes<T>));
        const Vec<T> top = load_some<T>(y + o * g.channels + c, k);
        Vec<T> taken{};
        for (int64_t i = g.y.end(oy) - 1; i >= g.y.begin(oy); --i)
          for (int64_t j = g.x.end(ox) - 1; j >= g.x.begin(ox); --j) {
            const int64_t at = (image + i) * g.in_row() + j * g.channels + c;
            const Vec<T> cell = load_some<T>(x + at, k);
            taken = ((cell == top) | (cell != cell)) ? load_some<T>(value + at, k) : taken;
          }
        store_some<T>(out + o * g.channels + c, taken, k);
      }
    }
  });
}

// Gives one window's gradient to its cells, for U vectors of channels of k lanes each. Rows outside
// [own_from, own_to) are only looked at. kAdd: windows overlap.
template <bool kMax, bool kAdd, int U, class T>
HB_INLINE void spread_window(const T* x, const T* y, const T* dy, T* dx, int64_t row, int64_t channels, int64_t h,
                             int64_t w, int64_t own_from, int64_t own_to, int k) {
  constexpr int L = kLanes<T>;
  Vec<T> left[U], top[U];
  for (int u = 0; u < U; ++u) {
    left[u] = load_some<T>(dy + u * L, k);
    if (!kMax) left[u] = left[u] / static_cast<T>(h * w);
    top[u] = kMax ? load_some<T>(y + u * L, k) : Vec<T>{};
  }
  for (int64_t i = kMax ? 0 : own_from; i < own_to; ++i)
    for (int64_t j = 0; j < w; ++j)
      for (int u = 0; u < U; ++u) {
        const int64_t at = i * row + j * channels + u * L;
        Vec<T> share = left[u];
        if (kMax) {
          const Vec<T> cell = load_some<T>(x + at, k);
          const auto hit = (cell == top[u]) | (cell != cell);
          share = hit ? left[u] : Vec<T>{};
          left[u] = hit ? Vec<T>{} : left[u];
        }
        if (i >= own_from) store_some<T>(dx + at, kAdd ? load_some<T>(dx + at, k) + share : share, k);
      }
}

template <bool kMax, bool kAdd, class T>
static void spread_rows(const Geometry& g, const T* x, const T* y, const T* dy, T* dx, int64_t from, int64_t to) {
  for (int64_t oy = g.y.first_window(from); oy < g.y.end_window(to); ++oy) {
    const int64_t top = g.y.begin(oy), h = g.y.end(oy) - top;
    const int64_t own_from = larger(from - top, 0), own_to = smaller(to - top, h);
    for (int64_t ox = 0; ox < g.x.out; ++ox) {
      const int64_t left = g.x.begin(ox), w = g.x.end(ox) - left;
      const int64_t cell = top * g.in_row() + left * g.channels, out = oy * g.out_row() + ox * g.channels;
      each_channel<T>(g.channels, [&](auto vectors, int64_t c, int k) {
        spread_window<kMax, kAdd, decltype(vectors)::value>(kMax ? x + cell + c : nullptr, kMax ? y + out + c : nullptr,
                                                            dy + out + c, dx + cell + c, g.in_row(), g.channels, h, w,
                                                            own_from, own_to, k);
      });
    }
  }
}

template <bool kMax, class T>
static void pool_grad(const KernelCall& call) {
  const TensorRef& grad = call.in[kMax ? 2 : 0];
  const Geometry g = geometry(*static_cast<const PoolAttrs*>(call.attrs), call.out[0].shape, grad.shape);
  const T* x = kMax ? call.in[0].as<T>() : nullptr;
  const T* y = kMax ? call.in[1].as<T>() : nullptr;
  const T* dy = grad.as<T>();
  T* dx = call.out[0].as<T>();
  if (call.out[0].shape.count() == 0) return;
  const bool tiled = g.y.tiled() && g.x.tiled();
  const bool covered = tiled && g.y.in == g.y.out * g.y.size && g.x.in == g.x.out * g.x.size;
  // Pieces end where windows end if windows do not overlap.
  const int64_t period = g.y.out == 1 ? g.y.in : g.y.stride;
  const int64_t step = period * (1 + 16384 / (g.in_row() * period)), pieces = ceil_div(g.y.in, step);
  parallel_tasks(call, g.images * pieces, [&](int64_t task) {
    const int64_t image = task / pieces, from = task % pieces * step, to = smaller(from + step, g.y.in);
    const int64_t in = image * g.y.in * g.in_row(), out = image * g.y.out * g.out_row();
    if (!covered) __builtin_memset(dx + in + from * g.in_row(), 0, sizeof(T) * (to - from) * g.in_row());
    (tiled ? spread_rows<kMax, false, T> : spread_rows<kMax, true, T>)(g, kMax ? x + in : nullptr,
                                                                       kMax ? y + out : nullptr, dy + out, dx + in,
                                                                       from, to);
  });
}

template <bool kMax>
static void run_pool(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? pool<kMax, double>(call) : pool<kMax, float>(call);
}
static void run_gather(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? gather<double>(call) : gather<float>(call);
}
template <bool kMax>
static void run_grad(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? pool_grad<kMax, double>(call) : pool_grad<kMax, float>(call);
}

HB_EXPORT_KERNELS(pool, {"max_pool2d", "channels", supports_floats, nullptr, run_pool<true>},
                  {"avg_pool2d", "channels", supports_floats, nullptr, run_pool<false>},
                  {"max_pool2d_gather", "channels", supports_floats, nullptr, run_gather},
                  {"max_pool2d_grad", "input_rows", supports_floats, nullptr, run_grad<true>},
                  {"avg_pool2d_grad", "input_rows", supports_floats, nullptr, run_grad<false>})

HB_CPU_END
