// Convolution of NHWC images and NDHWC volumes with packed kernels, forward and backward-data alike
// (ops/conv_axis.h). An image is a volume of one plane.
//
// A register tile holds neighbouring outputs of one row times a panel of output channels, and walks
// over the taps' cells in memory order: taps side by side (no dilation) are one run of cells. Panels
// are packed as gemm.h packs them, [panel][tap plane][tap row][tap column][channel][GemmTile::cols]. Planes
// and rows outside the volume are skipped; padded columns come from a copy of a few rows in scratch.
// Where rows are too short to fill tiles, outputs are cut without regard to rows and their patches
// are gathered in scratch; a 1x1 convolution is cut that way with nothing to gather: a matrix product.
//
// Every output is summed in the order of its taps' cells (matrix products: in blocks of it).
#pragma once
#include "cpu/conv_gather.h"
#include "cpu/gemm.h"
#include "cpu/vmath.h"

HB_CPU_BEGIN

// ---- register tile --------------------------------------------------------------------------------

template <class T>
struct ConvTile {
  const T* x;
  int64_t pixel;                 // from one output's cells to the next output's
  int64_t planes, plane_pitch;   // taps: planes
  int64_t rows, row_pitch;       // of rows
  int64_t runs, run_pitch, run;  // of runs of contiguous cells
  const T* w;                    // panel, at the first row's cells
  int64_t w_plane;               // from one plane's first row to the next one's
  const T* bias;                 // null or GemmTile::cols of them
  T* y;
  int64_t y_pixel, cols;
  Activation activation;
};

template <class T, int M, int V>
static void conv_tile(const ConvTile<T>& t) {
  constexpr int L = kLanes<T>, kBases = (M + 3) / 4;
  Vec<T> acc[M][V];
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) acc[i][j] = t.bias ? load(t.bias + j * L) : Vec<T>{};
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) __builtin_prefetch(t.y + i * t.y_pixel + j * L, 1);
  const int64_t pixel = t.pixel, pixel3 = 3 * t.pixel;
  for (int64_t plane = 0; plane < t.planes; ++plane) {
    const T* w = t.w + plane * t.w_plane;
    for (int64_t row = 0; row < t.rows; ++row)
      for (int64_t run = 0; run < t.runs; ++run) {
        const T* const cells = t.x + plane * t.plane_pitch + row * t.row_pitch + run * t.run_pitch;
        // Output i through one of M/4 base pointers and one of four offsets: 14 pointers would not fit.
        const T* base[kBases];
#pragma GCC unroll 4
        for (int q = 0; q < kBases; ++q) base[q] = cells + 4 * q * pixel;
        for (const T* const end = cells + t.run; base[0] != end;) {
          const T* a[M];
#pragma GCC unroll 16
          for (int i = 0; i < M; ++i) a[i] = base[i / 4] + (i % 4 == 3 ? pixel3 : (i % 4) * pixel);
          __builtin_prefetch(w + 16 * GemmTile<T>::cols);
          tile_step<T, M, V>(acc, a, w);
          w += GemmTile<T>::cols;
#pragma GCC unroll 4
          for (int q = 0; q < kBases; ++q) ++base[q];
        }
      }
  }
  if (t.activation == Activation::relu) {
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) acc[i][j] = relu<T>(acc[i][j]);
  }
  const int tail = static_cast<int>(t.cols - (V - 1) * L);  // channels in the last vector
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) {
    T* y = t.y + i * t.y_pixel;
#pragma GCC unroll 4
    for (int j = 0; j < V - 1; ++j) store(y + j * L, acc[i][j]);
    if (tail == L) store(y + (V - 1) * L, acc[i][V - 1]);
    else store_tail(y + (V - 1) * L, acc[i][V - 1], tail);
  }
  if (t.activation != Activation::relu && t.activation != Activation::linear)
    for (int i = 0; i < M; ++i) activate<T>(t.activation, t.y + i * t.y_pixel, t.cols);
}

template <class T>
struct ConvTileTable {
  void (*fn[GemmTile<T>::vecs][GemmTile<T>::rows])(const ConvTile<T>&) = {};  // [vecs - 1][outputs - 1]
  constexpr ConvTileTable() { fill<1>(); }
  template <int M>
  constexpr void fill() {
    fn[0][M - 1] = conv_tile<T, M, 1>;
    fn[1][M - 1] = conv_tile<T, M, 2>;
    if constexpr (M < GemmTile<T>::rows) fill<M + 1>();
  }
};
static constexpr ConvTileTable<float> conv_tiles_f32{};
static constexpr ConvTileTable<double> conv_tiles_f64{};

template <class T>
HB_INLINE void conv_tile_any(int64_t outputs, const ConvTile<T>& t) {
  const int v = t.cols > kLanes<T>;
  if constexpr (sizeof(T) == 4) conv_tiles_f32.fn[v][outputs - 1](t);
  else conv_tiles_f64.fn[v][outputs - 1](t);
}

// ---- the whole sum --------------------------------------------------------------------------------

// y(image, plane, row, column, channel), a part of it where d, h and w are a phase of a strided backward pass.
template <class T>
struct Correlation {
  ConvAxis d, h, w;
  int64_t images, channels, outputs;  // channels in and out
  const T* x = nullptr;
  const T* packed = nullptr;
  const T* bias = nullptr;
  T* y = nullptr;
  int64_t y_depth = 0, y_height = 0, y_width = 0;
  Activation activation = Activation::linear;

  HB_INLINE int64_t positions() const { return images * d.out * h.out * w.out; }
  HB_INLINE int64_t terms() const { return d.taps * h.taps * w.taps * channels; }
  HB_INLINE T* y_at(int64_t n, int64_t s, int64_t p, int64_t q) const {
    const int64_t plane = n * y_depth + d.out0 + s * d.out_step, row = plane * y_height + h.out0 + p * h.out_step;
    return y + (row * y_width + w.out0 + q * w.out_step) * outputs;
  }
};

enum class ConvCut { rows, product, patches };

// How a Correlation is cut, by its shape alone. A unit is `size` rows of a plane (the last unit of a
// plane may have fewer), or `size` outputs; a task takes some units and some panels.
struct ConvPlan {
  ConvCut cut;
  int64_t size, units, units_per_plane;
  int64_t unit_groups, panel_groups;
  int64_t pitch;    // cells per copied pixel (rows) or patch
  bool copy;        // rows: input rows are copied with their padding
  int64_t scratch;  // elements per task
  int64_t shared;   // elements of patches that several groups of panels read: gathered before, once
};

// Tiles read about a dozen pixels at a time: distances below this do no harm.
constexpr int64_t kConvPage = 4096;

template <class T>
HB_INLINE ConvCut choose_cut(const Correlation<T>& c) {
  const ConvAxis &d = c.d, &h = c.h, &w = c.w;
  const auto same = [](const ConvAxis& a) { return a.step == 1 && a.out == a.in; };
  const auto single = [](const ConvAxis& a) { return a.taps == 1 && a.start == 0; };
  const bool dense = d.out_step == 1 && h.out_step == 1 && w.out_step == 1;
  const bool point = dense && single(d) && single(h) && single(w);
  if (point && same(d) && same(h) && same(w)) return ConvCut::product;
  if (!dense || !c.terms()) return ConvCut::rows;
  if (point && spread<T>(c.channels, w.step, kConvPage) != c.channels) return ConvCut::patches;
  // Rows that fill half a tile waste nothing but weights' loads, which patches for a few panels do not repay.
  const int64_t most = GemmTile<T>::rows, shortest = w.out / ceil_div(w.out, most);
  const bool many = gemm_panels<T>(c.outputs) >= 4;
  return 2 * shortest < most + many ? ConvCut::patches : ConvCut::rows;
}

template <class T>
HB_INLINE ConvPlan plan_conv(const Correlation<T>& c) {
  constexpr int64_t kTaskWork = 4 << 20;  // multiply-adds that are worth a task
  constexpr int64_t kMaxTasks = 64;
  constexpr int64_t kUnitCells = (256 << 10) / sizeof(T), kPatchCells = 4 * kUnitCells;
  constexpr int64_t kSteadyWeights = (512 << 10) / sizeof(T);  // stay in L2
  constexpr int64_t kShared = (16 << 20) / sizeof(T);          // of patches
  const ConvAxis &d = c.d, &h = c.h, &w = c.w;
  const int64_t rows_max = GemmTile<T>::rows, panels = gemm_panels<T>(c.outputs);
  const int64_t outputs = c.positions(), weights = c.outputs * c.terms();
  // Few outputs are not cut finely: each piece of them reads all the weights.
  const int64_t max_tasks = outputs <= 2 * GemmTile<T>::block_rows && weights > kSteadyWeights ? 16 : kMaxTasks;
  const int64_t target = larger(1, smaller(max_tasks, outputs * weights / kTaskWork));

  ConvPlan p{};
  if (outputs * c.outputs == 0) return p;
  p.cut = choose_cut(c);
  const bool by_rows = p.cut == ConvCut::rows, patches = p.cut == ConvCut::patches;
  if (by_rows) p.pitch = spread<T>(c.channels, w.step, kConvPage);
  if (patches) p.pitch = spread<T>(c.terms(), 1, kConvPage);
  p.copy = by_rows && c.terms() && (reads_outside(w) || p.pitch != c.channels);
  const int64_t row_cells = d.taps * (p.copy ? w.span(w.out) * p.pitch : w.in * c.channels);
  int64_t most = GemmTile<T>::block_rows;  // of a unit's size
  if (by_rows) most = (kUnitCells / larger(1, row_cells) - (h.taps - 1) * h.gap) / h.step;
  if (patches) most = smaller(most, kPatchCells / p.pitch / rows_max * rows_max);

  const auto cut_units = [&](int64_t tasks) {
    if (by_rows) {
      const int64_t rows = larger(1, smaller(most, ceil_div(c.images * d.out * h.out, tasks)));
      p.units_per_plane = ceil_div(h.out, rows);
      p.size = ceil_div(h.out, p.units_per_plane);
      p.units = c.images * d.out * p.units_per_plane;
    } else {
      p.size = larger(rows_max, smaller(most, round_up(ceil_div(outputs, tasks), rows_max)));
      p.units = ceil_div(outputs, p.size);
    }
  };
  // Every group of panels reads the input anew, and every unit the weights, unless they stay in L2.
  const int64_t cells = patches ? outputs * c.terms() : c.images * d.in * h.in * w.in * c.channels;
  int64_t least = INT64_MAX, groups = 1;
  for (int64_t g = 1; g <= panels; g *= 2) {
    cut_units(ceil_div(target, g));
    const int64_t traffic = g * cells + (weights > kSteadyWeights ? p.units * weights : 0);
    if (traffic < least) groups = g;
    least = smaller(least, traffic);
  }
  cut_units(ceil_div(target, groups));
  p.panel_groups = larger(groups, smaller(panels, target / p.units));
  p.unit_groups = smaller(p.units, ceil_div(target, p.panel_groups));

  // A product packs its rows where a tile's would fall into one set of L2.
  const bool pack = c.channels * static_cast<int64_t>(sizeof(T)) % (32 << 10) == 0;
  if (patches && p.panel_groups > 1 && outputs * p.pitch <= kShared) p.shared = outputs * p.pitch;
  if (by_rows) p.scratch = p.copy ? h.span(p.size) * row_cells : 0;
  else if (patches) p.scratch = p.shared ? 0 : p.size * p.pitch;
  else p.scratch = pack ? GemmTile<T>::scratch : 0;
  p.scratch = round_up(p.scratch, 64 / sizeof(T));
  return p;
}

template <class T>
HB_INLINE int64_t conv_scratch_bytes(const ConvPlan& p) {
  return (p.shared + p.scratch * p.unit_groups * p.panel_groups) * static_cast<int64_t>(sizeof(T));
}

// A unit of the cut by rows: outputs [begin, end) of a plane, which read rows [row, row + rows) of the input
// planes at taps [tap_begin, tap_end), `gap` planes apart from `plane` on.
struct ConvRows { int64_t image, out_plane, begin, end, row, rows, tap_begin, tap_end, plane; };
HB_INLINE ConvRows rows_of_unit(const ConvAxis& d, const ConvAxis& h, const ConvPlan& p, int64_t unit) {
  ConvRows u;
  u.begin = unit % p.units_per_plane * p.size;
  u.end = smaller(h.out, u.begin + p.size);
  u.row = larger(0, h.first_read(u.begin));
  const int64_t last = smaller(h.in - 1, h.first_read(u.end - 1) + (h.taps - 1) * h.gap);
  u.rows = larger(0, last + 1 - u.row);
  u.out_plane = unit / p.units_per_plane % d.out;
  u.image = unit / p.units_per_plane / d.out;
  u.tap_begin = d.tap_begin(u.out_plane);
  u.tap_end = larger(u.tap_begin, d.tap_end(u.out_plane));
  u.plane = d.first_read(u.out_plane) + u.tap_begin * d.gap;
  return u;
}

template <class T>
static void conv_rows_unit(const Correlation<T>& c, const ConvPlan& p, int64_t unit, int64_t next, int64_t panel0,
                           int64_t panel1, T* scratch) {
  using G = GemmTile<T>;
  const ConvAxis &d = c.d, &h = c.h, &w = c.w;
  const ConvRows u = rows_of_unit(d, h, p, unit), v = rows_of_unit(d, h, p, next);
  const int64_t x_plane = h.in * w.in * c.channels;
  const T* const plane = c.x + (u.image * d.in + u.plane) * x_plane;
  const T* cells = plane + w.start * c.channels;  // the first read of output column 0, in row `row0`
  int64_t row0 = 0, row_pitch = w.in * c.channels, plane_pitch = d.gap * x_plane;
  // Of the planes that come next, the units before this one have read all but the last.
  const int64_t newest = v.plane + larger(0, v.tap_end - v.tap_begin - 1) * d.gap;
  const T* const coming = c.x + (v.image * d.in + newest) * x_plane + v.row * row_pitch;
  if (p.copy) {
    row0 = u.row;
    row_pitch = w.span(w.out) * p.pitch;
    plane_pitch = u.rows * row_pitch;
    for (int64_t e = 0; e < u.tap_end - u.tap_begin; ++e)
      copy_padded_rows(plane + e * d.gap * x_plane, w, c.channels, u.row, u.rows, p.pitch, scratch + e * plane_pitch);
    cells = scratch;
  }
  Ahead ahead(coming, next == unit || v.tap_begin == v.tap_end ? 0 : v.rows * w.in * c.channels,
              (u.end - u.begin) * ceil_div(w.out, G::rows) * (panel1 - panel0));
  const bool joined = w.gap == 1 && p.pitch == c.channels;  // a tap row is one run of cells
  const int64_t tiles = ceil_div(w.out, G::rows), short_tile = w.out / tiles, long_tiles = w.out % tiles;
  ConvTile<T> t;
  t.pixel = w.step * p.pitch;
  t.planes = u.tap_end - u.tap_begin;
  t.plane_pitch = plane_pitch;
  t.w_plane = h.taps * w.taps * c.channels * G::cols;
  t.row_pitch = h.gap * row_pitch;
  t.runs = joined ? 1 : w.taps;
  t.run_pitch = w.gap * p.pitch;
  t.run = joined ? w.taps * c.channels : c.channels;
  t.y_pixel = w.out_step * c.outputs;
  t.activation = c.activation;
  for (int64_t panel = panel0; panel < panel1; ++panel) {
    const T* const packed = c.packed + panel * c.terms() * G::cols + u.tap_begin * t.w_plane;
    t.cols = smaller(G::cols, c.outputs - panel * G::cols);
    T bias[G::cols] = {};
    if (c.bias) copy_cells(bias, c.bias + panel * G::cols, t.cols);
    t.bias = c.bias ? bias : nullptr;
    for (int64_t o = u.begin; o < u.end; ++o) {
      const int64_t a0 = h.tap_begin(o), a1 = h.tap_end(o);
      t.rows = larger(0, a1 - a0);
      t.w = packed + a0 * w.taps * c.channels * G::cols;
      const T* const row = cells + (h.first_read(o) + a0 * h.gap - row0) * row_pitch;
      for (int64_t tile = 0, q = 0; tile < tiles; ++tile) {
        const int64_t m = short_tile + (tile < long_tiles);
        t.x = row + q * t.pixel;
        t.y = c.y_at(u.image, u.out_plane, o, q) + panel * G::cols;
        conv_tile_any<T>(m, t);
        ahead.fetch();
        q += m;
      }
    }
  }
}

template <class T>
static void conv_product_unit(const Correlation<T>& c, const ConvPlan& p, int64_t unit, int64_t next, int64_t panel0,
                              int64_t panel1, T* scratch) {
  using G = GemmTile<T>;
  const int64_t outputs = c.positions(), k = c.terms();
  const int64_t first = unit * p.size, m = smaller(p.size, outputs - first);
  const int64_t coming = p.cut == ConvCut::product && next != unit ? smaller(p.size, outputs - next * p.size) : 0;
  Ahead ahead(c.x + next * p.size * k, coming * k, ceil_div(m, G::rows) * (panel1 - panel0));
  MatView<T> a{c.x + first * k, k, 1};
  if (p.cut == ConvCut::patches) {
    if (!p.shared) copy_patches(c.x, c.d, c.h, c.w, c.channels, first, m, p.pitch, scratch);
    a = {p.shared ? scratch + first * p.pitch : scratch, p.pitch, 1};
  }
  const int64_t j = panel0 * G::cols, n = smaller(c.outputs, panel1 * G::cols) - j;
  const auto post = [&](T* y, int64_t pitch, int64_t, int64_t, int64_t rows, int64_t cols) {
    ahead.fetch();
    if (c.activation == Activation::linear) return;
    for (int64_t r = 0; r < rows; ++r) activate<T>(c.activation, y + r * pitch, cols);
  };
  gemm_block<T>(m, n, k, a, c.packed + j * k, k, c.bias ? c.bias + j : nullptr, 0, c.y + first * c.outputs + j,
                c.outputs, p.cut == ConvCut::product && p.scratch ? scratch : nullptr, post);
}

template <class T>
static void run_correlation(const KernelCall& call, const Correlation<T>& c) {
  const ConvPlan p = plan_conv(c);
  const int64_t panels = gemm_panels<T>(c.outputs);
  T* const workspace = reinterpret_cast<T*>(call.workspace);
  if (p.shared)
    parallel_ranges(call, c.positions(), p.pitch, [&](int64_t from, int64_t to) {
      copy_patches(c.x, c.d, c.h, c.w, c.channels, from, to - from, p.pitch, workspace + from * p.pitch);
    });
  parallel_tasks(call, p.unit_groups * p.panel_groups, [&](int64_t task) {
    T* const scratch = workspace + task * p.scratch;
    const int64_t ug = task / p.panel_groups, pg = task % p.panel_groups;
    const int64_t panel0 = panels * pg / p.panel_groups, panel1 = panels * (pg + 1) / p.panel_groups;
    const int64_t last = p.units * (ug + 1) / p.unit_groups;
    for (int64_t unit = p.units * ug / p.unit_groups; unit < last && !interrupted(call); ++unit) {
      const int64_t next = smaller(unit + 1, last - 1);
      if (p.cut == ConvCut::rows) conv_rows_unit(c, p, unit, next, panel0, panel1, scratch);
      else conv_product_unit(c, p, unit, next, panel0, panel1, scratch);
    }
  });
}

HB_CPU_END
