// Backward-filter: dw[tap, channel in, channel out] = sum over outputs of x cell * dy.
//
// A register tile holds up to GemmTile::rows neighbouring cells of a kernel row (tap column and channel
// in, which lie side by side in x too) times a panel of channels out, and walks over the outputs of a
// strip: whole rows of a plane, or whole planes of a volume, or whole volumes where they are small (an image
// is a volume of one plane). A strip's dy is packed in panels; x is read where it is, or from a copy with its
// padding in place.
//
// Outputs are dealt to at most 16 partial sums, by shape alone, which are added in order at the end.
#pragma once
#include "cpu/conv_gather.h"
#include "cpu/gemm.h"

HB_CPU_BEGIN

// ---- register tile --------------------------------------------------------------------------------

template <class T>
struct FilterTile {
  const T* x;  // cell 0 of the tile, for the first output
  int64_t x_image, x_plane, x_row, x_pixel;
  const T* dy;  // packed: GemmTile::cols per output
  int64_t dy_image, dy_plane, dy_row;
  int64_t images, planes, rows, pixels;
  T* sum;      // GemmTile::cols per cell
  bool first;  // sum holds nothing yet
};

template <class T, int M, int V>
static void filter_tile(const FilterTile<T>& t) {
  constexpr int L = kLanes<T>, W = GemmTile<T>::cols;
  Vec<T> acc[M][V];
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) acc[i][j] = t.first ? Vec<T>{} : load(t.sum + i * W + j * L);
  const int64_t x_pixel = t.x_pixel;
  for (int64_t n = 0; n < t.images; ++n)
    for (int64_t s = 0; s < t.planes; ++s)
      for (int64_t r = 0; r < t.rows; ++r) {
        const T* x = t.x + n * t.x_image + s * t.x_plane + r * t.x_row;
        const T* dy = t.dy + n * t.dy_image + s * t.dy_plane + r * t.dy_row;
        for (const T* const end = dy + t.pixels * W; dy != end; dy += W, x += x_pixel) {
          const T* a[M];
#pragma GCC unroll 16
          for (int i = 0; i < M; ++i) a[i] = x + i;
          tile_step<T, M, V>(acc, a, dy);
        }
      }
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) store(t.sum + i * W + j * L, acc[i][j]);
}

template <class T>
struct FilterTileTable {
  void (*fn[GemmTile<T>::vecs][GemmTile<T>::rows])(const FilterTile<T>&) = {};  // [vecs - 1][cells - 1]
  constexpr FilterTileTable() { fill<1>(); }
  template <int M>
  constexpr void fill() {
    fn[0][M - 1] = filter_tile<T, M, 1>;
    fn[1][M - 1] = filter_tile<T, M, 2>;
    if constexpr (M < GemmTile<T>::rows) fill<M + 1>();
  }
};
static constexpr FilterTileTable<float> filter_tiles_f32{};
static constexpr FilterTileTable<double> filter_tiles_f64{};

template <class T>
HB_INLINE void filter_tile_any(int64_t cells, int64_t cols, const FilterTile<T>& t) {
  const int v = cols > kLanes<T>;
  if constexpr (sizeof(T) == 4) filter_tiles_f32.fn[v][cells - 1](t);
  else filter_tiles_f64.fn[v][cells - 1](t);
}

// ---- the whole sum --------------------------------------------------------------------------------

template <class T>
struct FilterGrad {
  ConvAxis d, h, w;
  int64_t images, channels, outputs;
  const T* x = nullptr;
  const T* dy = nullptr;
  T* dw = nullptr;

  HB_INLINE int64_t cells() const { return d.taps * h.taps * w.taps * channels; }
  HB_INLINE int64_t positions() const { return images * d.out * h.out * w.out; }
};

struct FilterPlan {
  int64_t strip_images, strip_planes, strip_rows;  // of what it does not have whole, a strip has one
  int64_t strips_per_plane, strips_per_image, strips;
  int64_t partials, panel_groups;
  bool copy;
  int64_t pitch;              // cells per pixel of x, as it lies or as it is copied
  int64_t x_cells, dy_cells;  // scratch per task
  int64_t sum_cells;          // per partial
};

template <class T>
HB_INLINE FilterPlan plan_filter(const FilterGrad<T>& f) {
  constexpr int64_t kStripOutputs = 128;                  // enough to pay for loading and storing a tile's sums
  constexpr int64_t kTaskWork = 4 << 20, kMaxTasks = 16;  // multiply-adds that are worth a task
  using G = GemmTile<T>;
  const ConvAxis &d = f.d, &h = f.h, &w = f.w;
  const int64_t per_plane = h.out * w.out, outputs = f.positions(), panels = gemm_panels<T>(f.outputs);

  FilterPlan p{};
  if (outputs * f.cells() * f.outputs == 0) return p;
  const auto whole = [&](int64_t count, int64_t each) { return larger(1, smaller(count, kStripOutputs / each)); };
  p.strips_per_plane = larger(1, smaller(h.out, (per_plane + kStripOutputs / 2) / kStripOutputs));
  p.strip_rows = ceil_div(h.out, p.strips_per_plane);
  p.strips_per_plane = ceil_div(h.out, p.strip_rows);
  p.strip_planes = p.strips_per_plane > 1 ? 1 : whole(d.out, per_plane);
  p.strips_per_image = p.strips_per_plane * ceil_div(d.out, p.strip_planes);
  p.strip_images = p.strips_per_image > 1 ? 1 : whole(f.images, d.out * per_plane);
  p.strips = p.strips_per_image * ceil_div(f.images, p.strip_images);

  // Each partial is written and read once more; each group of panels reads all of x.
  const int64_t target = larger(1, smaller(kMaxTasks, outputs * f.outputs * f.cells() / kTaskWork));
  const int64_t x_cells = f.images * d.in * h.in * w.in * f.channels, dw_cells = f.cells() * f.outputs;
  int64_t least = INT64_MAX;
  for (int64_t partials = 1; partials <= smaller(target, p.strips); partials *= 2) {
    const int64_t groups = smaller(panels, ceil_div(target, partials)), missing = ceil_div(target, partials * groups);
    const int64_t traffic = missing * (2 * partials * dw_cells + groups * x_cells);
    if (traffic >= least) continue;
    least = traffic;
    p.partials = partials;
    p.panel_groups = groups;
  }
  // Tiles walk over a hundred pixels and come back to them: even small powers of two collide.
  p.pitch = spread<T>(f.channels, w.step, 512);
  p.copy = reads_outside(w) || p.pitch != f.channels;
  constexpr int64_t kLine = 64 / sizeof(T);
  const int64_t strip_x_rows = p.strip_images * d.span(p.strip_planes) * h.span(p.strip_rows);
  p.x_cells = p.copy ? round_up(strip_x_rows * w.span(w.out) * p.pitch, kLine) : 0;
  p.dy_cells = p.strip_images * p.strip_planes * p.strip_rows * w.out * ceil_div(panels, p.panel_groups) * G::cols;
  p.sum_cells = panels * f.cells() * G::cols;
  return p;
}

template <class T>
HB_INLINE int64_t filter_workspace_bytes(const FilterPlan& p) {
  return (p.partials * p.sum_cells + p.partials * p.panel_groups * (p.x_cells + p.dy_cells)) *
         static_cast<int64_t>(sizeof(T));
}

// Along one axis a strip has outputs [begin, begin + count), which read cells [from, from + reads).
struct StripRange { int64_t begin, count, from, reads; };
HB_INLINE StripRange strip_range(const ConvAxis& a, int64_t begin, int64_t size) {
  const int64_t count = smaller(size, a.out - begin), from = larger(0, a.first_read(begin));
  const int64_t last = smaller(a.in - 1, a.first_read(begin + count - 1) + (a.taps - 1) * a.gap);
  return {begin, count, from, larger(0, last + 1 - from)};
}
struct FilterStrip {
  int64_t image, images;
  StripRange d, h;
};
template <class T>
HB_INLINE FilterStrip filter_strip_at(const FilterGrad<T>& f, const FilterPlan& p, int64_t i) {
  const int64_t image = i / p.strips_per_image * p.strip_images, rest = i % p.strips_per_image;
  return {image, smaller(p.strip_images, f.images - image),
          strip_range(f.d, rest / p.strips_per_plane * p.strip_planes, p.strip_planes),
          strip_range(f.h, rest % p.strips_per_plane * p.strip_rows, p.strip_rows)};
}

// What a task sums up: panels [panel0, panel1) of some strips, one after the other.
template <class T> struct FilterTask {
  int64_t panel0, panel1;
  T *sums, *x_scratch, *dy_scratch;
};

// Adds a strip's products to the sums; `next` is the strip after it, whose cells are fetched ahead.
template <class T>
static void filter_strip(const FilterGrad<T>& f, const FilterPlan& p, const FilterTask<T>& task, int64_t strip,
                         int64_t next, bool first) {
  using G = GemmTile<T>;
  const ConvAxis &d = f.d, &h = f.h, &w = f.w;
  const auto [panel0, panel1, sums, x_scratch, dy_scratch] = task;
  const FilterStrip s = filter_strip_at(f, p, strip), v = filter_strip_at(f, p, next);

  FilterTile<T> t;
  t.x_pixel = w.step * p.pitch;
  t.images = s.images;
  t.pixels = w.out;
  t.dy_row = w.out * G::cols;
  t.dy_plane = s.h.count * t.dy_row;
  t.dy_image = s.d.count * t.dy_plane;
  t.first = first;
  const int64_t x_row = w.in * f.channels, x_plane = h.in * x_row, x_image = d.in * x_plane;
  const T* cells = f.x + s.image * x_image + w.start * f.channels;
  int64_t plane0 = 0, row0 = 0, row_pitch = x_row, plane_pitch = x_plane;
  t.x_image = x_image;
  // Of a single plane's strip, the strips before it have read all input planes but the last.
  const bool planes = v.d.count > 1;
  const T* const coming =
      f.x + v.image * x_image + (planes ? v.d.from : larger(0, v.d.from + v.d.reads - 1)) * x_plane + v.h.from * x_row;
  const int64_t coming_cells = next == strip  ? 0
                               : v.images > 1 ? v.images * x_image
                               : planes       ? v.d.reads * x_plane
                                              : v.h.reads * x_row;
  if (p.copy) {
    plane0 = s.d.from;
    row0 = s.h.from;
    row_pitch = w.span(w.out) * p.pitch;
    plane_pitch = s.h.reads * row_pitch;
    t.x_image = s.d.reads * plane_pitch;
    for (int64_t n = 0; n < s.images; ++n)
      for (int64_t e = 0; e < s.d.reads; ++e)
        copy_padded_rows(f.x + (s.image + n) * x_image + (s.d.from + e) * x_plane, w, f.channels, s.h.from, s.h.reads,
                         p.pitch, x_scratch + n * t.x_image + e * plane_pitch);
    cells = x_scratch;
  }
  t.x_row = h.step * row_pitch;
  t.x_plane = d.step * plane_pitch;

  const int64_t pixels = s.images * s.d.count * s.h.count * w.out;
  const T* const dy = f.dy + ((s.image * d.out + s.d.begin) * h.out + s.h.begin) * w.out * f.outputs;
  for (int64_t panel = panel0; panel < panel1; ++panel)
    gemm_pack_b_panel<T>({dy + panel * G::cols, f.outputs, 1}, pixels, smaller(G::cols, f.outputs - panel * G::cols),
                         dy_scratch + (panel - panel0) * pixels * G::cols);

  const bool joined = w.gap == 1 && p.pitch == f.channels;  // a tap row is one run of cells
  const int64_t runs = joined ? 1 : w.taps, run = joined ? w.taps * f.channels : f.channels;
  const int64_t tiles = ceil_div(run, G::rows), calls = (panel1 - panel0) * runs * tiles * d.taps * h.taps;
  Ahead x_ahead(coming, coming_cells, calls);
  Ahead dy_ahead(f.dy + ((v.image * d.out + v.d.begin) * h.out + v.h.begin) * w.out * f.outputs,
                 next == strip ? 0 : v.images * v.d.count * v.h.count * w.out * f.outputs, calls);
  // Panels and tap rows innermost: they read almost the same cells of x, which stay in L1.
  for (int64_t b = 0; b < runs; ++b)
    for (int64_t tile = 0, i = 0; tile < tiles; ++tile) {
      const int64_t m = run / tiles + (tile < run % tiles);
      for (int64_t panel = panel0; panel < panel1; ++panel)
        for (int64_t tap = 0; tap < d.taps * h.taps; ++tap) {
          const int64_t e = tap / h.taps, a = tap % h.taps;
          const int64_t plane = larger(s.d.begin, d.out_begin(e)), row = larger(s.h.begin, h.out_begin(a));
          t.planes = larger(0, smaller(s.d.begin + s.d.count, d.out_end(e)) - plane);
          t.rows = larger(0, smaller(s.h.begin + s.h.count, h.out_end(a)) - row);
          t.x = cells + (d.first_read(plane) + e * d.gap - plane0) * plane_pitch +
                (h.first_read(row) + a * h.gap - row0) * row_pitch + b * w.gap * p.pitch + i;
          t.dy = dy_scratch + (panel - panel0) * pixels * G::cols + (plane - s.d.begin) * t.dy_plane +
                 (row - s.h.begin) * t.dy_row;
          t.sum = sums + (panel * f.cells() + (tap * runs + b) * run + i) * G::cols;
          filter_tile_any<T>(m, f.outputs - panel * G::cols, t);
          x_ahead.fetch();
          dy_ahead.fetch();
        }
      i += m;
    }
}

template <class T>
static void run_filter_grad(const KernelCall& call, const FilterGrad<T>& f) {
  using G = GemmTile<T>;
  if (f.positions() == 0) return zero_cells(f.dw, f.cells() * f.outputs);
  const FilterPlan p = plan_filter(f);
  const int64_t panels = gemm_panels<T>(f.outputs);
  T* const sums = reinterpret_cast<T*>(call.workspace);
  T* const scratch = sums + p.partials * p.sum_cells;
  parallel_tasks(call, p.partials * p.panel_groups, [&](int64_t i) {
    const int64_t part = i / p.panel_groups, group = i % p.panel_groups;
    T* const mine = scratch + i * (p.x_cells + p.dy_cells);
    const FilterTask<T> task{panels * group / p.panel_groups, panels * (group + 1) / p.panel_groups,
                             sums + part * p.sum_cells, mine + p.dy_cells, mine};
    const int64_t begin = p.strips * part / p.partials, end = p.strips * (part + 1) / p.partials;
    for (int64_t strip = begin; strip < end && !interrupted(call); ++strip)
      filter_strip(f, p, task, strip, smaller(strip + 1, end - 1), strip == begin);
  });
  parallel_ranges(call, f.cells(), p.partials * panels * GemmTile<T>::vecs, [&](int64_t begin, int64_t end) {
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t cols = smaller(G::cols, f.outputs - panel * G::cols);
      for (int64_t cell = begin; cell < end; ++cell) {
        const T* sum = sums + (panel * f.cells() + cell) * G::cols;
        T* dw = f.dw + cell * f.outputs + panel * G::cols;
        for (int64_t j = 0; j < cols; j += kLanes<T>) {
          Vec<T> v = load(sum + j);
          for (int64_t part = 1; part < p.partials; ++part) v += load(sum + part * p.sum_cells + j);
          store_tail(dw + j, v, static_cast<int>(smaller(kLanes<T>, cols - j)));
        }
      }
    }
  });
}

HB_CPU_END
