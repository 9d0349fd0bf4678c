// Backward-filter: dw[tap, channel in, channel out] = sum over outputs of x cell * dy.
//
// A register tile holds up to GemmTile::rows neighbouring cells of a kernel row (tap column and channel
// in, which lie side by side in x too) times a panel of channels out, and walks over the outputs of a
// strip: whole rows of an image, or whole images where they are small. A strip's dy is packed panel by
// panel; x is read where it is, or from a copy with its padding in place.
//
// Outputs are dealt to at most 16 partial sums, by shape alone, which are added in order at the end.
#pragma once
#include "cpu/conv_gather.h"
#include "cpu/gemm.h"

HB_CPU_BEGIN

// ---- register tile --------------------------------------------------------------------------------

template <class T> struct FilterTile {
  const T* x;   // cell 0 of the tile, for the first output
  int64_t x_image, x_row, x_pixel;
  const T* dy;  // packed: GemmTile::cols per output
  int64_t dy_image, dy_row;
  int64_t images, rows, pixels;
  T* sum;       // GemmTile::cols per cell
  bool first;   // sum holds nothing yet
};

template <class T, int M, int V> static void filter_tile(const FilterTile<T>& t) {
  constexpr int L = kLanes<T>, W = GemmTile<T>::cols;
  Vec<T> acc[M][V];
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) acc[i][j] = t.first ? Vec<T>{} : load(t.sum + i * W + j * L);
  const int64_t x_pixel = t.x_pixel;
  for (int64_t n = 0; n < t.images; ++n)
    for (int64_t r = 0; r < t.rows; ++r) {
      const T* x = t.x + n * t.x_image + r * t.x_row;
      const T* dy = t.dy + n * t.dy_image + r * t.dy_row;
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

template <class T> struct FilterTileTable {
  void (*fn[GemmTile<T>::vecs][GemmTile<T>::rows])(const FilterTile<T>&) = {};  // [vecs - 1][cells - 1]
  constexpr FilterTileTable() { fill<1>(); }
  template <int M> constexpr void fill() {
    fn[0][M - 1] = filter_tile<T, M, 1>;
    fn[1][M - 1] = filter_tile<T, M, 2>;
    if constexpr (M < GemmTile<T>::rows) fill<M + 1>();
  }
};
static constexpr FilterTileTable<float> filter_tiles_f32{};
static constexpr FilterTileTable<double> filter_tiles_f64{};

template <class T> HB_INLINE void filter_tile_any(int64_t cells, int64_t cols, const FilterTile<T>& t) {
  const int v = cols > kLanes<T>;
  if constexpr (sizeof(T) == 4) filter_tiles_f32.fn[v][cells - 1](t);
  else filter_tiles_f64.fn[v][cells - 1](t);
}

// ---- the whole sum --------------------------------------------------------------------------------

template <class T> struct FilterGrad {
  Axis h, w;
  int64_t images, channels, outputs;
  const T* x = nullptr;
  const T* dy = nullptr;
  T* dw = nullptr;

  HB_INLINE int64_t cells() const { return h.taps * w.taps * channels; }
};

struct FilterPlan {
  int64_t strip_images, strip_rows;  // a strip is some rows of one image, or all rows of some images
  int64_t strips_per_image, strips;
  int64_t partials, panel_groups;
  bool copy;
  int64_t x_cells, dy_cells;         // scratch per task
  int64_t sum_cells;                 // per partial
};

template <class T> HB_INLINE FilterPlan plan_filter(const FilterGrad<T>& f) {
  constexpr int64_t kStripOutputs = 224;  // enough to pay for loading and storing a tile's sums
  constexpr int64_t kPartialOutputs = 1024, kMaxPartials = 16;  // a partial costs one pass over dw
  constexpr int64_t kTaskWork = 2 << 20, kMaxTasks = 32;
  using G = GemmTile<T>;
  const Axis &h = f.h, &w = f.w;
  const int64_t per_image = h.out * w.out, outputs = f.images * per_image, panels = gemm_panels<T>(f.outputs);

  FilterPlan p{};
  if (outputs * f.cells() * f.outputs == 0) return p;
  p.strips_per_image = max_of(1, min_of(h.out, (per_image + kStripOutputs / 2) / kStripOutputs));
  p.strip_rows = ceil_div(h.out, p.strips_per_image);
  p.strips_per_image = ceil_div(h.out, p.strip_rows);
  p.strip_images = p.strips_per_image > 1 ? 1 : max_of(1, min_of(f.images, kStripOutputs / per_image));
  p.strips = p.strip_images == 1 ? f.images * p.strips_per_image : ceil_div(f.images, p.strip_images);

  const int64_t target = max_of(1, min_of(kMaxTasks, outputs * f.outputs * f.cells() / kTaskWork));
  const int64_t most = min_of(min_of(kMaxPartials, target), min_of(p.strips, outputs / kPartialOutputs));
  p.partials = 1;
  while (2 * p.partials <= most) p.partials *= 2;
  p.panel_groups = max_of(1, min_of(panels, target / p.partials));

  p.copy = reads_outside(w);
  constexpr int64_t kLine = 64 / sizeof(T);
  p.x_cells = p.copy ? round_up(p.strip_images * h.span(p.strip_rows) * w.span(w.out) * f.channels, kLine) : 0;
  p.dy_cells = p.strip_images * p.strip_rows * w.out * G::cols;
  p.sum_cells = panels * f.cells() * G::cols;
  return p;
}

template <class T> HB_INLINE int64_t filter_workspace_bytes(const FilterPlan& p) {
  return (p.partials * p.sum_cells + p.partials * p.panel_groups * (p.x_cells + p.dy_cells)) * static_cast<int64_t>(sizeof(T));
}

// Adds a strip's products to the sums of panels [panel0, panel1).
template <class T>
static void filter_strip(const FilterGrad<T>& f, const FilterPlan& p, int64_t strip, int64_t panel0, int64_t panel1, bool first,
                         T* sums, T* x_scratch, T* dy_scratch) {
  using G = GemmTile<T>;
  const Axis &h = f.h, &w = f.w;
  const int64_t n0 = p.strip_images == 1 ? strip / p.strips_per_image : strip * p.strip_images;
  const int64_t images = min_of(p.strip_images, f.images - n0);
  const int64_t o0 = p.strip_images == 1 ? strip % p.strips_per_image * p.strip_rows : 0;
  const int64_t rows = min_of(p.strip_rows, h.out - o0);

  FilterTile<T> t;
  t.x_pixel = w.step * f.channels;
  t.images = images;
  t.pixels = w.out;
  t.dy_row = w.out * G::cols;
  t.dy_image = rows * t.dy_row;
  t.first = first;
  int64_t row0 = 0, row_pitch = w.in * f.channels;
  t.x_image = h.in * row_pitch;
  const T* cells = f.x + n0 * t.x_image + w.start * f.channels;
  if (p.copy) {
    row0 = max_of(0, h.first_read(o0));
    const int64_t copied = max_of(0, min_of(h.in, h.first_read(o0 + rows - 1) + (h.taps - 1) * h.gap + 1) - row0);
    row_pitch = w.span(w.out) * f.channels;
    t.x_image = copied * row_pitch;
    for (int64_t n = 0; n < images; ++n)
      copy_padded_rows(f.x + (n0 + n) * h.in * w.in * f.channels, w, f.channels, row0, copied, f.channels, x_scratch + n * t.x_image);
    cells = x_scratch;
  }
  t.x_row = h.step * row_pitch;

  const int64_t runs = w.gap == 1 ? 1 : w.taps, run = w.gap == 1 ? w.taps * f.channels : f.channels;
  const int64_t tiles = ceil_div(run, G::rows);
  for (int64_t panel = panel0; panel < panel1; ++panel) {
    const int64_t cols = min_of(G::cols, f.outputs - panel * G::cols);
    const T* dy = f.dy + (n0 * h.out + o0) * w.out * f.outputs + panel * G::cols;
    gemm_pack_b_panel<T>({dy, f.outputs, 1}, images * rows * w.out, cols, dy_scratch);
    T* sum = sums + panel * f.cells() * G::cols;
    for (int64_t a = 0; a < h.taps; ++a) {
      const int64_t begin = max_of(o0, h.out_begin(a)), end = min_of(o0 + rows, h.out_end(a));
      t.rows = max_of(0, end - begin);
      t.dy = dy_scratch + (begin - o0) * t.dy_row;
      const T* const row = cells + (h.first_read(begin) + a * h.gap - row0) * row_pitch;
      for (int64_t b = 0; b < runs; ++b)
        for (int64_t tile = 0, i = 0; tile < tiles; ++tile) {
          const int64_t m = run / tiles + (tile < run % tiles);
          t.x = row + b * w.gap * f.channels + i;
          t.sum = sum;
          filter_tile_any<T>(m, cols, t);
          sum += m * G::cols;
          i += m;
        }
    }
  }
}

template <class T> static void run_filter_grad(const KernelCall& call, const FilterGrad<T>& f) {
  using G = GemmTile<T>;
  if (f.images * f.h.out * f.w.out == 0) return zero_cells(f.dw, f.cells() * f.outputs);
  const FilterPlan p = plan_filter(f);
  const int64_t panels = gemm_panels<T>(f.outputs);
  T* const sums = reinterpret_cast<T*>(call.workspace);
  T* const scratch = sums + p.partials * p.sum_cells;
  parallel_tasks(call, p.partials * p.panel_groups, [&](int64_t task) {
    const int64_t part = task / p.panel_groups, group = task % p.panel_groups;
    const int64_t panel0 = panels * group / p.panel_groups, panel1 = panels * (group + 1) / p.panel_groups;
    T* const mine = scratch + task * (p.x_cells + p.dy_cells);
    const int64_t begin = p.strips * part / p.partials, end = p.strips * (part + 1) / p.partials;
    for (int64_t strip = begin; strip < end; ++strip)
      filter_strip(f, p, strip, panel0, panel1, strip == begin, sums + part * p.sum_cells, mine + p.dy_cells, mine);
  });
  parallel_ranges(call, f.cells(), p.partials * panels * GemmTile<T>::vecs, [&](int64_t begin, int64_t end) {
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t cols = min_of(G::cols, f.outputs - panel * G::cols);
      for (int64_t cell = begin; cell < end; ++cell) {
        const T* sum = sums + (panel * f.cells() + cell) * G::cols;
        T* dw = f.dw + cell * f.outputs + panel * G::cols;
        for (int64_t j = 0; j < cols; j += kLanes<T>) {
          Vec<T> v = load(sum + j);
          for (int64_t part = 1; part < p.partials; ++part) v += load(sum + part * p.sum_cells + j);
          store_tail(dw + j, v, static_cast<int>(min_of(kLanes<T>, cols - j)));
        }
      }
    }
  });
}

HB_CPU_END
