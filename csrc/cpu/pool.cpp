// Pooling over NHWC, vectorised over channels. Forward tasks own rows of the output; backward tasks
// own rows of the input and visit every window that touches them, so no two write the same cell and
// each cell adds its windows in row-major order whatever the cut.
#include "ops/pool.h"

#include "cpu/export.h"
#include "cpu/packs.h"
#include "cpu/parallel.h"
#include "cpu/window.h"

HB_CPU_BEGIN

// Calls f(pack width as a constant) with the widest pack that fits into the channels. Channel loops end
// with a pack that overlaps the one before.
template <int N> struct Width { static constexpr int value = N; };
template <class T, class F> HB_INLINE void with_width(int64_t channels, const F& f) {
  if (channels >= kLanes<T>) return f(Width<kLanes<T>>{});
  if constexpr (kLanes<T> > 4)
    if (channels >= 4) return f(Width<4>{});
  f(Width<1>{});
}

struct Axis {
  int64_t in, out, size, stride, pad;

  HB_INLINE int64_t begin(int64_t o) const { return o * stride > pad ? o * stride - pad : 0; }
  HB_INLINE int64_t end(int64_t o) const {
    const int64_t e = o * stride - pad + size;
    return e < in ? e : in;
  }
  // Windows that touch cells [from, to) are [first_window(from), end_window(to)).
  HB_INLINE int64_t first_window(int64_t from) const {
    const int64_t past = from + pad - size;
    return past < 0 ? 0 : past / stride + 1;
  }
  HB_INLINE int64_t end_window(int64_t to) const {
    const int64_t o = (to - 1 + pad) / stride + 1;
    return o < out ? o : out;
  }
};

struct Geometry {
  Axis y, x;
  int64_t images, channels;
  HB_INLINE int64_t in_row() const { return x.in * channels; }
  HB_INLINE int64_t out_row() const { return x.out * channels; }
};

static Geometry geometry(const PoolAttrs& a, const Shape& in, const Shape& out) {
  Axis axis[2];
  for (int i = 0; i < 2; ++i)
    axis[i] = {in[1 + i], out[1 + i], a.size[i], a.strides[i],
               pad_before(in[1 + i], out[1 + i], a.size[i], a.strides[i], 1, a.padding)};
  return {axis[0], axis[1], in[0], in[3]};
}

// NaN if either is NaN.
template <class V> HB_INLINE V max_nan(V a, V b) { return (a > b) | (a != a) ? a : b; }

// U packs of channels of one window of h by w cells. Averages add row sums, so the error is at most
// (w + h) roundings of the sum of magnitudes.
template <bool kMax, int N, int U, class T>
HB_INLINE void pool_window(const T* x, int64_t row, int64_t channels, int64_t h, int64_t w, T* y) {
  using P = Pack<T, N>;
  P all[U];
  for (int u = 0; u < U; ++u) all[u] = kMax ? load_pack<N>(x + u * N) : P{};
  for (int64_t i = 0; i < h; ++i) {
    P line[U];
    for (int u = 0; u < U; ++u) line[u] = load_pack<N>(x + i * row + u * N);
    for (int64_t j = 1; j < w; ++j)
      for (int u = 0; u < U; ++u) {
        const P cell = load_pack<N>(x + i * row + j * channels + u * N);
        line[u] = kMax ? max_nan(cell, line[u]) : line[u] + cell;
      }
    for (int u = 0; u < U; ++u) all[u] = kMax ? max_nan(line[u], all[u]) : all[u] + line[u];
  }
  for (int u = 0; u < U; ++u) store_pack<N>(y + u * N, kMax ? all[u] : all[u] / static_cast<T>(h * w));
}

template <bool kMax, int N, class T>
HB_INLINE void pool_channels(const T* x, int64_t row, int64_t channels, int64_t h, int64_t w, T* y) {
  int64_t c = 0;
  for (; c + 4 * N <= channels; c += 4 * N) pool_window<kMax, N, 4>(x + c, row, channels, h, w, y + c);
  for (; c + N <= channels; c += N) pool_window<kMax, N, 1>(x + c, row, channels, h, w, y + c);
  if (c < channels) pool_window<kMax, N, 1>(x + channels - N, row, channels, h, w, y + channels - N);
}

template <bool kMax, class T> static void pool(const KernelCall& call) {
  const Geometry g = geometry(*static_cast<const PoolAttrs*>(call.attrs), call.in[0].shape, call.out[0].shape);
  const T* x = call.in[0].as<T>();
  T* y = call.out[0].as<T>();
  if (call.out[0].shape.count() == 0) return;
  with_width<T>(g.channels, [&](auto width) {
    constexpr int N = decltype(width)::value;
    parallel_ranges(call, g.images * g.y.out, g.out_row() * g.y.size * g.x.size, [&](int64_t from, int64_t to) {
      for (int64_t r = from; r < to; ++r) {
        const int64_t oy = r % g.y.out, top = g.y.begin(oy), h = g.y.end(oy) - top;
        const T* image = x + (r / g.y.out * g.y.in + top) * g.in_row();
        for (int64_t ox = 0; ox < g.x.out; ++ox) {
          const int64_t left = g.x.begin(ox), w = g.x.end(ox) - left;
          const T* cell = image + left * g.channels;
          T* to_cell = y + (r * g.x.out + ox) * g.channels;
          if (h == 2 && w == 2)  // the common window, with its loops unrolled
            pool_channels<kMax, N>(cell, g.in_row(), g.channels, 2, 2, to_cell);
          else
            pool_channels<kMax, N>(cell, g.in_row(), g.channels, h, w, to_cell);
        }
      }
    });
  });
}

// What `g` holds at each window's first maximum: the transpose of max_pool2d_grad. Cells are visited
// backwards, so the first one is the last to be taken.
template <class T> static void gather(const KernelCall& call) {
  const Geometry g = geometry(*static_cast<const PoolAttrs*>(call.attrs), call.in[0].shape, call.out[0].shape);
  const T *x = call.in[0].as<T>(), *top = call.in[1].as<T>(), *value = call.in[2].as<T>();
  T* out = call.out[0].as<T>();
  if (call.out[0].shape.count() == 0) return;
  with_width<T>(g.channels, [&](auto width) {
    constexpr int N = decltype(width)::value;
    using P = Pack<T, N>;
    parallel_ranges(call, g.images * g.y.out, g.out_row() * g.y.size * g.x.size, [&](int64_t from, int64_t to) {
      for (int64_t o = from * g.x.out; o < to * g.x.out; ++o) {
        const int64_t r = o / g.x.out, oy = r % g.y.out, ox = o % g.x.out;
        const int64_t image = r / g.y.out * g.y.in;
        for (int64_t c = 0; c < g.channels; c += N) {
          const int64_t from_c = c + N > g.channels ? g.channels - N : c;
          const P most = load_pack<N>(top + o * g.channels + from_c);
          P taken{};
          for (int64_t i = g.y.end(oy) - 1; i >= g.y.begin(oy); --i)
            for (int64_t j = g.x.end(ox) - 1; j >= g.x.begin(ox); --j) {
              const int64_t at = (image + i) * g.in_row() + j * g.channels + from_c;
              const P cell = load_pack<N>(x + at);
              taken = (cell == most) | (cell != cell) ? load_pack<N>(value + at) : taken;
            }
          store_pack<N>(out + o * g.channels + from_c, taken);
        }
      }
    });
  });
}

// Gives one window's gradient to its cells, for one pack of channels; `first` lanes were served by the
// pack before. Rows outside [own_from, own_to) are only looked at. kAdd: windows overlap.
template <bool kMax, bool kAdd, int N, class T>
HB_INLINE void spread_window(const T* x, const T* y, const T* dy, T* dx, int64_t row, int64_t channels, int64_t h,
                             int64_t w, int64_t own_from, int64_t own_to, int first) {
  using P = Pack<T, N>;
  P left = load_pack<N>(dy);
  if (!kMax) left = left / static_cast<T>(h * w);
  if (kAdd && first > 0) {
    decltype(left != left) lane;
    for (int i = 0; i < N; ++i) lane[i] = i;
    left = lane >= first ? left : P{};
  }
  const P top = kMax ? load_pack<N>(y) : P{};
  for (int64_t i = kMax ? 0 : own_from; i < own_to; ++i)
    for (int64_t j = 0; j < w; ++j) {
      P share = left;
      const int64_t at = i * row + j * channels;
      if (kMax) {
        const P cell = load_pack<N>(x + at);
        const auto hit = (cell == top) | (cell != cell);
        share = hit ? left : P{};
        left = hit ? P{} : left;
      }
      if (i >= own_from) store_pack<N>(dx + at, kAdd ? load_pack<N>(dx + at) + share : share);
    }
}

template <bool kMax, bool kAdd, int N, class T>
static void spread_rows(const Geometry& g, const T* x, const T* y, const T* dy, T* dx, int64_t from, int64_t to) {
  for (int64_t oy = g.y.first_window(from); oy < g.y.end_window(to); ++oy) {
    const int64_t top = g.y.begin(oy), h = g.y.end(oy) - top;
    const int64_t own_from = from > top ? from - top : 0, own_to = to - top < h ? to - top : h;
    for (int64_t ox = 0; ox < g.x.out; ++ox) {
      const int64_t left = g.x.begin(ox), w = g.x.end(ox) - left;
      const int64_t cell = top * g.in_row() + left * g.channels, out = oy * g.out_row() + ox * g.channels;
      for (int64_t c = 0; c < g.channels; c += N) {
        const int64_t over = c + N > g.channels ? c + N - g.channels : 0;
        const int64_t i = cell + c - over, o = out + c - over;
        spread_window<kMax, kAdd, N>(kMax ? x + i : nullptr, kMax ? y + o : nullptr, dy + o, dx + i, g.in_row(),
                                     g.channels, h, w, own_from, own_to, static_cast<int>(over));
      }
    }
  }
}

template <bool kMax, class T> static void pool_grad(const KernelCall& call) {
  const TensorRef& grad = call.in[kMax ? 2 : 0];
  const Geometry g = geometry(*static_cast<const PoolAttrs*>(call.attrs), call.out[0].shape, grad.shape);
  const T* x = kMax ? call.in[0].as<T>() : nullptr;
  const T* y = kMax ? call.in[1].as<T>() : nullptr;
  const T* dy = grad.as<T>();
  T* dx = call.out[0].as<T>();
  if (call.out[0].shape.count() == 0) return;
  const bool tiled = g.y.size == g.y.stride && g.x.size == g.x.stride && g.y.pad == 0 && g.x.pad == 0;
  const bool covered = tiled && g.y.in == g.y.out * g.y.size && g.x.in == g.x.out * g.x.size;
  // Pieces end where windows end if windows do not overlap.
  const int64_t step = g.y.stride * (1 + 16384 / (g.in_row() * g.y.stride)), pieces = (g.y.in + step - 1) / step;
  with_width<T>(g.channels, [&](auto width) {
    constexpr int N = decltype(width)::value;
    parallel_tasks(call, g.images * pieces, [&](int64_t task) {
      const int64_t image = task / pieces, from = task % pieces * step, to = from + step < g.y.in ? from + step : g.y.in;
      const int64_t in = image * g.y.in * g.in_row(), out = image * g.y.out * g.out_row();
      if (!covered) __builtin_memset(dx + in + from * g.in_row(), 0, sizeof(T) * (to - from) * g.in_row());
      (tiled ? spread_rows<kMax, false, N, T> : spread_rows<kMax, true, N, T>)(
          g, kMax ? x + in : nullptr, kMax ? y + out : nullptr, dy + out, dx + in, from, to);
    });
  });
}

static bool supports(const KernelCall& call) { return item_size(call.in[0].dtype) >= 4; }

template <bool kMax> static void run_pool(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? pool<kMax, double>(call) : pool<kMax, float>(call);
}
static void run_gather(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? gather<double>(call) : gather<float>(call);
}
template <bool kMax> static void run_grad(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? pool_grad<kMax, double>(call) : pool_grad<kMax, float>(call);
}

HB_EXPORT_KERNELS(pool,
  {"max_pool2d", "channels", supports, nullptr, run_pool<true>},
  {"avg_pool2d", "channels", supports, nullptr, run_pool<false>},
  {"max_pool2d_gather", "channels", supports, nullptr, run_gather},
  {"max_pool2d_grad", "input_rows", supports, nullptr, run_grad<true>},
  {"avg_pool2d_grad", "input_rows", supports, nullptr, run_grad<false>})

HB_CPU_END
