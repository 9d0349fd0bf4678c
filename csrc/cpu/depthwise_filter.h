// Depthwise backward-filter: dw[tap, channel] = sum over outputs of x cell * dy. Vectors run over
// channels; a register tile holds up to three neighbouring taps of a kernel row and walks over the
// outputs of a strip of rows for which all of them lie inside the image. The few outputs at the sides
// are added tap by tap. Outputs are dealt to at most 16 partial sums, by shape alone, added in order.
#pragma once
#include "cpu/depthwise_rows.h"

HB_CPU_BEGIN

template <class T>
struct DepthwiseFilterTile {
  const T* x;  // the first tap's cell of the first output
  int64_t x_row, x_pixel, x_tap;
  const T* dy;
  int64_t dy_row, dy_pixel;
  int64_t rows, pixels;
  T* sum;
  int64_t sum_tap, channels;
};

template <class T, int S, int V, bool kTail>
HB_INLINE void depthwise_filter_lanes(const DepthwiseFilterTile<T>& t, int64_t c, int n) {
  constexpr int L = kLanes<T>;
  const auto get = [n](const T* p) __attribute__((always_inline)) { return kTail ? load_tail(p, n) : load(p); };
  Vec<T> acc[S][V];
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) acc[s][j] = get(t.sum + s * t.sum_tap + c + j * L);
  const int64_t x_tap = t.x_tap;
  for (int64_t r = 0; r < t.rows; ++r) {
    const T* x = t.x + r * t.x_row + c;
    const T* dy = t.dy + r * t.dy_row + c;
    for (int64_t q = 0; q < t.pixels; ++q, x += t.x_pixel, dy += t.dy_pixel)
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) {
        const Vec<T> d = get(dy + j * L);
#pragma GCC unroll 4
        for (int s = 0; s < S; ++s) acc[s][j] = fma<T>(get(x + s * x_tap + j * L), d, acc[s][j]);
      }
  }
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) {
      T* sum = t.sum + s * t.sum_tap + c + j * L;
      if (kTail) store_tail(sum, acc[s][j], n);
      else store(sum, acc[s][j]);
    }
}

template <class T, int S>
static void depthwise_filter_taps(const DepthwiseFilterTile<T>& t) {
  constexpr int L = kLanes<T>;
  int64_t c = 0;
  for (; c + 4 * L <= t.channels; c += 4 * L) depthwise_filter_lanes<T, S, 4, false>(t, c, L);
  for (; c + 2 * L <= t.channels; c += 2 * L) depthwise_filter_lanes<T, S, 2, false>(t, c, L);
  for (; c + L <= t.channels; c += L) depthwise_filter_lanes<T, S, 1, false>(t, c, L);
  if (c < t.channels) depthwise_filter_lanes<T, S, 1, true>(t, c, static_cast<int>(t.channels - c));
}

template <class T>
struct DepthwiseFilter {
  ConvAxis h, w;
  int64_t images, channels, multiplier;  // channels: of dy, the multiplier counted in
  const T* x = nullptr;
  const T* dy = nullptr;
  T* dw = nullptr;

  HB_INLINE int64_t cells() const { return h.taps * w.taps * channels; }
};

struct DepthwiseFilterPlan {
  int64_t strip_rows, strips_per_image, partials;
  int64_t scratch;  // elements per partial, for x with its channels repeated
};

template <class T>
HB_INLINE DepthwiseFilterPlan plan_depthwise_filter(const DepthwiseFilter<T>& f) {
  constexpr int64_t kStripOutputs = 256, kTaskWork = 1 << 18, kMaxPartials = 16;
  DepthwiseFilterPlan p{};
  const int64_t work = f.images * f.h.out * f.w.out * f.cells();
  if (work == 0) return p;
  p.strip_rows = larger(1, smaller(f.h.out, kStripOutputs / f.w.out));
  p.strips_per_image = ceil_div(f.h.out, p.strip_rows);
  p.partials = larger(1, smaller(smaller(kMaxPartials, f.images * p.strips_per_image), work / kTaskWork));
  if (f.multiplier > 1) p.scratch = f.h.span(p.strip_rows) * f.w.in * f.channels;
  return p;
}

template <class T>
HB_INLINE int64_t depthwise_filter_cells(const DepthwiseFilter<T>& f) {
  const DepthwiseFilterPlan p = plan_depthwise_filter(f);
  return p.partials * (f.cells() + p.scratch);
}

template <class T>
static void depthwise_filter_strip(const DepthwiseFilter<T>& f, const DepthwiseFilterPlan& p, int64_t strip, T* sums,
                                   T* scratch) {
  const ConvAxis &h = f.h, &w = f.w;
  const int64_t C = f.channels, n = strip / p.strips_per_image, o0 = strip % p.strips_per_image * p.strip_rows;
  const int64_t o1 = smaller(h.out, o0 + p.strip_rows);
  const T* x = f.x + n * h.in * w.in * (C / f.multiplier);
  int64_t row0 = 0;
  if (f.multiplier > 1) {
    row0 = larger(0, h.first_read(o0));
    const int64_t last = smaller(h.in - 1, h.first_read(o1 - 1) + (h.taps - 1) * h.gap),
                  row = w.in * (C / f.multiplier);
    if (last >= row0) repeat_channels(x + row0 * row, (last + 1 - row0) * row, f.multiplier, scratch);
    x = scratch;
  }
  DepthwiseFilterTile<T> t;
  t.x_row = h.step * w.in * C;
  t.x_pixel = w.step * C;
  t.x_tap = w.gap * C;
  t.dy_row = w.out * C;
  t.dy_pixel = C;
  t.sum_tap = C;
  t.channels = C;
  for (int64_t a = 0; a < h.taps; ++a) {
    const int64_t begin = larger(o0, h.out_begin(a));
    t.rows = smaller(o1, h.out_end(a)) - begin;
    if (t.rows <= 0) continue;
    const T* const x_row = x + (h.first_read(begin) + a * h.gap - row0) * w.in * C;
    const T* const dy_row = f.dy + (n * h.out + begin) * w.out * C;
    const auto add = [&](int64_t b, int64_t taps, int64_t q0, int64_t q1) {
      if (q1 <= q0) return;
      t.pixels = q1 - q0;
      t.x = x_row + (w.first_read(q0) + b * w.gap) * C;
      t.dy = dy_row + q0 * C;
      t.sum = sums + (a * w.taps + b) * C;
      if (taps == 3) depthwise_filter_taps<T, 3>(t);
      else if (taps == 2) depthwise_filter_taps<T, 2>(t);
      else depthwise_filter_taps<T, 1>(t);
    };
    for (int64_t b = 0, taps; b < w.taps; b += taps) {
      taps = smaller(3, w.taps - b);
      // A later tap reads further right: the first tap begins last, the last tap ends first.
      const int64_t q0 = w.out_begin(b), q1 = larger(q0, w.out_end(b + taps - 1));
      add(b, taps, q0, q1);
      for (int64_t s = b; s < b + taps; ++s) {
        add(s, 1, w.out_begin(s), smaller(q0, w.out_end(s)));
        add(s, 1, larger(q1, w.out_begin(s)), w.out_end(s));
      }
    }
  }
}

template <class T>
static void run_depthwise_filter(const KernelCall& call, const DepthwiseFilter<T>& f) {
  const DepthwiseFilterPlan p = plan_depthwise_filter(f);
  const int64_t cells = f.cells();
  if (p.partials == 0) return zero_cells(f.dw, cells);
  T* const sums = reinterpret_cast<T*>(call.workspace);
  parallel_tasks(call, p.partials, [&](int64_t part) {
    const int64_t strips = f.images * p.strips_per_image, end = strips * (part + 1) / p.partials;
    T* const mine = sums + part * cells;
    zero_cells(mine, cells);
    for (int64_t strip = strips * part / p.partials; strip < end && !interrupted(call); ++strip)
      depthwise_filter_strip(f, p, strip, mine, sums + p.partials * cells + part * p.scratch);
  });
  for (int64_t i = 0; i < cells; i += kLanes<T>) {
    const int n = static_cast<int>(smaller(kLanes<T>, cells - i));
    Vec<T> v = load_tail(sums + i, n);
    for (int64_t part = 1; part < p.partials; ++part) v += load_tail(sums + part * cells + i, n);
    store_tail(f.dw + i, v, n);
  }
}

HB_CPU_END
