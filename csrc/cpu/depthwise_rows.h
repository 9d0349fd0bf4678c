// Depthwise convolution, forward and backward-data alike (ops/conv_axis.h): every channel by itself, so
// vectors run over channels, and a register tile holds neighbouring outputs of a row. Outputs whose
// window reaches over the sides are done one by one with the taps that they have; nothing is padded.
//
// Several kernels per channel (a multiplier) are the same thing over a row in which every input channel
// is repeated, or, backward, over a row of `multiplier` parts that are summed afterwards.
#pragma once
#include "cpu/conv_gather.h"
#include "cpu/vmath.h"

HB_CPU_BEGIN

// ---- register tile --------------------------------------------------------------------------------

template <class T>
struct DepthwiseTile {
  const T* x;
  int64_t pixel;                             // from one output's cells to the next output's
  int64_t rows, row_pitch, cols, col_pitch;  // taps
  const T* w;
  int64_t w_row, w_col;  // negative backward, where taps are met in reverse
  const T* bias;         // or null
  T* y;
  int64_t y_pixel, channels;
  bool relu;
};

constexpr int kDepthwiseTile = 8;

// kShared: three taps per row, side by side at stride 1: outputs share the cells that they read.
template <class T, int M, bool kShared, bool kTail>
HB_INLINE void depthwise_lanes(const DepthwiseTile<T>& t, int64_t c, int n) {
  const auto get = [n](const T* p) __attribute__((always_inline)) { return kTail ? load_tail(p, n) : load(p); };
  Vec<T> acc[M];
#pragma GCC unroll 8
  for (int i = 0; i < M; ++i) acc[i] = t.bias ? get(t.bias + c) : Vec<T>{};
  const int64_t pixel = t.pixel;
  for (int64_t a = 0; a < t.rows; ++a) {
    const T* x = t.x + a * t.row_pitch + c;
    const T* w = t.w + a * t.w_row + c;
    if constexpr (kShared) {
      const Vec<T> w0 = get(w), w1 = get(w + t.w_col), w2 = get(w + 2 * t.w_col);
#pragma GCC unroll 10
      for (int j = 0; j < M + 2; ++j, x += pixel) {
        const Vec<T> v = get(x);
        if (j < M) acc[j < M ? j : 0] = fma<T>(v, w0, acc[j < M ? j : 0]);
        if (j >= 1 && j <= M) acc[j >= 1 && j <= M ? j - 1 : 0] = fma<T>(v, w1, acc[j >= 1 && j <= M ? j - 1 : 0]);
        if (j >= 2) acc[j >= 2 ? j - 2 : 0] = fma<T>(v, w2, acc[j >= 2 ? j - 2 : 0]);
      }
    } else {
      for (int64_t b = 0; b < t.cols; ++b, x += t.col_pitch, w += t.w_col) {
        const Vec<T> wv = get(w);
#pragma GCC unroll 8
        for (int i = 0; i < M; ++i) acc[i] = fma<T>(get(x + i * pixel), wv, acc[i]);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < M; ++i) {
    const Vec<T> v = t.relu ? relu<T>(acc[i]) : acc[i];
    if (kTail) store_tail(t.y + i * t.y_pixel + c, v, n);
    else store(t.y + i * t.y_pixel + c, v);
  }
}

template <class T, int M, bool kShared>
static void depthwise_tile(const DepthwiseTile<T>& t) {
  int64_t c = 0;
  for (; c + kLanes<T> <= t.channels; c += kLanes<T>) depthwise_lanes<T, M, kShared, false>(t, c, kLanes<T>);
  if (c < t.channels) depthwise_lanes<T, M, kShared, true>(t, c, static_cast<int>(t.channels - c));
}

template <class T>
struct DepthwiseTileTable {
  void (*fn[2][kDepthwiseTile])(const DepthwiseTile<T>&) = {};  // [shared][outputs - 1]
  constexpr DepthwiseTileTable() { fill<1>(); }
  template <int M>
  constexpr void fill() {
    fn[0][M - 1] = depthwise_tile<T, M, false>;
    fn[1][M - 1] = depthwise_tile<T, M, true>;
    if constexpr (M < kDepthwiseTile) fill<M + 1>();
  }
};
static constexpr DepthwiseTileTable<float> depthwise_tiles_f32{};
static constexpr DepthwiseTileTable<double> depthwise_tiles_f64{};

template <class T>
HB_INLINE void depthwise_tile_any(int64_t outputs, const DepthwiseTile<T>& t) {
  const bool shared = t.cols == 3 && t.col_pitch == t.pixel;
  if constexpr (sizeof(T) == 4) depthwise_tiles_f32.fn[shared][outputs - 1](t);
  else depthwise_tiles_f64.fn[shared][outputs - 1](t);
}

// ---- the whole sum --------------------------------------------------------------------------------

template <class T>
struct Depthwise {
  ConvAxis h, w;
  int64_t images, channels, multiplier;  // channels: of the kernel, the multiplier counted in
  bool backward;                         // y has channels / multiplier; forward x has
  int64_t kernel_width;
  const T* x = nullptr;
  const T* kernel = nullptr;
  const T* bias = nullptr;
  T* y = nullptr;
  int64_t y_height = 0, y_width = 0;
  Activation activation = Activation::linear;

  HB_INLINE int64_t x_channels() const { return backward ? channels : channels / multiplier; }
  HB_INLINE int64_t y_channels() const { return backward ? channels / multiplier : channels; }
};

struct DepthwisePlan {
  int64_t rows, pieces;  // output rows, over all images, per task
  int64_t scratch;       // elements per task, for channels repeated or parts to be summed
};

template <class T>
HB_INLINE DepthwisePlan plan_depthwise(const Depthwise<T>& d) {
  constexpr int64_t kTaskWork = 1 << 18, kMaxTasks = 64;  // multiply-adds that are worth a task
  const int64_t rows = d.images * d.h.out, per_row = d.w.out * d.channels * larger(1, d.h.taps * d.w.taps);
  DepthwisePlan p{};
  if (rows * d.w.out * d.channels == 0) return p;
  p.rows = larger(1 + kTaskWork / per_row, ceil_div(rows, kMaxTasks));
  p.pieces = ceil_div(rows, p.rows);
  if (d.multiplier > 1) p.scratch = round_up((d.backward ? d.w.out : d.h.taps * d.w.in) * d.channels, 64 / sizeof(T));
  return p;
}

// Each of n channels `times` times over.
template <class T>
static void repeat_channels(const T* x, int64_t n, int64_t times, T* dst) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < times; ++k) *dst++ = x[i];
}

template <class T>
static void depthwise_row(const Depthwise<T>& d, int64_t n, int64_t o, T* scratch) {
  const ConvAxis &h = d.h, &w = d.w;
  const int64_t C = d.channels, a0 = h.tap_begin(o), a1 = h.tap_end(o);
  const int64_t x_row = w.in * d.x_channels(), first = h.first_read(o) + a0 * h.gap;
  DepthwiseTile<T> t;
  t.rows = w.taps ? larger(0, a1 - a0) : 0;
  t.row_pitch = h.gap * w.in * C;
  t.col_pitch = w.gap * C;
  t.pixel = w.step * C;
  t.w_row = h.tap_step * d.kernel_width * C;
  t.w_col = w.tap_step * C;
  t.bias = d.bias;
  t.channels = C;
  t.relu = d.activation == Activation::relu;
  const T* x = d.x + (n * h.in + first) * x_row;
  T* y = d.y + ((n * d.y_height + h.out0 + o * h.out_step) * d.y_width + w.out0) * d.y_channels();
  T* const row = y;
  t.y_pixel = w.out_step * C;
  if (d.multiplier > 1 && !d.backward) {
    for (int64_t a = 0; a < t.rows; ++a)
      repeat_channels(x + a * h.gap * x_row, x_row, d.multiplier, scratch + a * w.in * C);
    x = scratch;
    t.row_pitch = w.in * C;
  } else if (d.multiplier > 1) {
    y = scratch;
    t.y_pixel = C;
  }
  const auto outputs = [&](int64_t q, int64_t count, int64_t b0, int64_t b1) {
    t.cols = b1 - b0;
    t.x = x + (w.first_read(q) + b0 * w.gap) * C;
    t.w = d.kernel + ((h.tap0 + a0 * h.tap_step) * d.kernel_width + w.tap0 + b0 * w.tap_step) * C;
    t.y = y + q * t.y_pixel;
    depthwise_tile_any<T>(count, t);
    if (d.activation == Activation::linear || t.relu) return;
    for (int64_t i = 0; i < count; ++i) activate<T>(d.activation, t.y + i * t.y_pixel, C);
  };
  const auto at_side = [&](int64_t q) { outputs(q, 1, w.tap_begin(q), larger(w.tap_begin(q), w.tap_end(q))); };
  // Outputs [inner0, inner1) have all their taps inside the row.
  const int64_t inner0 = w.taps ? smaller(w.out, w.out_begin(0)) : 0;
  const int64_t inner1 = w.taps ? larger(inner0, w.out_end(w.taps - 1)) : w.out;
  int64_t q = 0;
  for (; q < inner0; ++q) at_side(q);
  for (int64_t tiles = ceil_div(inner1 - inner0, kDepthwiseTile); tiles > 0; --tiles) {
    const int64_t m = ceil_div(inner1 - q, tiles);
    outputs(q, m, 0, w.taps);
    q += m;
  }
  for (; q < w.out; ++q) at_side(q);
  if (d.multiplier == 1 || !d.backward) return;
  for (int64_t i = 0; i < w.out; ++i)
    for (int64_t c = 0; c < d.y_channels(); ++c) {
      T sum = 0;
      for (int64_t k = 0; k < d.multiplier; ++k) sum += scratch[(i * d.y_channels() + c) * d.multiplier + k];
      row[i * w.out_step * d.y_channels() + c] = sum;
    }
}

template <class T>
static void run_depthwise(const KernelCall& call, const Depthwise<T>& d) {
  const DepthwisePlan p = plan_depthwise(d);
  parallel_tasks(call, p.pieces, [&](int64_t task) {
    const int64_t end = smaller(d.images * d.h.out, (task + 1) * p.rows);
    for (int64_t r = task * p.rows; r < end && !interrupted(call); ++r)
      depthwise_row(d, r / d.h.out, r % d.h.out, reinterpret_cast<T*>(call.workspace) + task * p.scratch);
  });
}

HB_CPU_END
