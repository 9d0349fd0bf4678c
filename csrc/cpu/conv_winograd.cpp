// conv2d and its gradients by Winograd's F(4x4, 3x3): 36 products where the direct sum takes 144.
//
// Outputs are cut into tiles of 4x4, each read from a patch of 6x6 (winograd_tile.h). With the patches V and
// the kernel U transformed, the sum over channels is 36 matrix products, of which A^T M A makes the outputs:
//   U  [panel of output channels][point][channel][GemmTile::cols], packed once for a kernel
//   V  [point][tile][channel], M [point][tile][GemmTile::cols], for a block of tiles that stays in L2
// Backward-data is the same over dy, with the kernel turned around and its channels exchanged.
// Backward-filter multiplies V with dy's transform over the tiles, and transforms the sums once.
//
// Rounding errors are relative to the values around and not to each output: against float64 and for normally
// distributed values, the largest error over the largest output was at most 1.5e-6 for 32 channels, 2.1e-6
// for 64, 3e-6 for 256 and 4.1e-6 for 512 (the direct kernels': 1.1e-6, 1.5e-6, 2.7e-6, 3.8e-6), and 1.2e-6 in
// backward-filter. An infinity makes nan of every output whose tile meets it.
#include "cpu/conv_winograd.h"
#include "cpu/conv_gather.h"
#include "cpu/export.h"
#include "cpu/vmath.h"
#include "cpu/winograd_tile.h"

HB_CPU_BEGIN

using Tile = GemmTile<float>;
constexpr int64_t kPanel = Tile::cols;
constexpr int64_t kPoints = kWinogradPoints;

// Tiles of all images, row by row, and where their patches lie.
struct TileGrid {
  ConvAxis h, w;
  int64_t images, rows, cols;

  HB_INLINE int64_t count() const { return images * rows * cols; }
};
struct TilePlace { int64_t image, row, col; };  // row and col of the first output

HB_INLINE TileGrid tile_grid(int64_t images, const ConvAxis& h, const ConvAxis& w) {
  return {h, w, images, ceil_div(h.out, kWinogradTile), ceil_div(w.out, kWinogradTile)};
}
HB_INLINE TilePlace tile_place(const TileGrid& g, int64_t tile) {
  return {tile / (g.rows * g.cols), tile / g.cols % g.rows * kWinogradTile, tile % g.cols * kWinogradTile};
}

// From one point's values to the next point's: an odd number of lines, or 36 streams share an L1 set.
HB_INLINE int64_t point_pitch(int64_t values) {
  constexpr int64_t kLine = 64 / sizeof(float);
  const int64_t lines = ceil_div(values, kLine);
  return (lines | 1) * kLine;
}

// How the tiles are cut, by shape alone: blocks of `size` tiles, dealt to `groups` tasks. A block's V
// (and dy's transform) has `channels` for each tile and point. Few groups: each has a scratch of its own,
// which is cold at first, and memory is what large convolutions wait for.
struct TileCut { int64_t size, blocks, groups; };

HB_INLINE TileCut cut_tiles(int64_t tiles, int64_t channels, int64_t most_groups) {
  constexpr int64_t kBlockValues = (384 << 10) / sizeof(float);
  int64_t size = smaller(3 * Tile::rows, kBlockValues / (kPoints * channels) / Tile::rows * Tile::rows);
  size = larger(2 * Tile::rows, smaller(size, round_up(ceil_div(tiles, most_groups), Tile::rows)));
  const int64_t blocks = ceil_div(tiles, size);
  return {ceil_div(tiles, blocks), blocks, smaller(blocks, most_groups)};
}

// ---- transforms of tiles ----------------------------------------------------------------------------

// The patch of a tile, outside the image zero: v[point * pitch + channel], whole vectors of channels.
static void transform_patch(const TileGrid& g, const float* x, int64_t channels, const TilePlace& at, int64_t pitch,
                            float* v) {
  constexpr int64_t L = kLanes<float>;
  const int64_t row = at.row + g.h.start, col = at.col + g.w.start;
  const float* const patch = x + ((at.image * g.h.in + row) * g.w.in + col) * channels;
  const int64_t row_pitch = g.w.in * channels;
  const bool inside = row >= 0 && row + kWinogradPatch <= g.h.in && col >= 0 && col + kWinogradPatch <= g.w.in;
  for (int64_t c = 0; c < channels; c += L) {
    const int n = static_cast<int>(smaller(L, channels - c));
    const float* const from = patch + c;
    const auto write = [&](int i, int j, vf value) { store(v + (i * kWinogradPatch + j) * pitch + c, value); };
    if (inside && n == L) {
      const auto read = [&](int i, int j) { return load(from + i * row_pitch + j * channels); };
      winograd_2d<6, 6>(winograd_input, read, write);
    } else {
      const auto read = [&](int i, int j) {
        const bool there = row + i >= 0 && row + i < g.h.in && col + j >= 0 && col + j < g.w.in;
        return there ? load_tail(from + i * row_pitch + j * channels, n) : vf{};
      };
      winograd_2d<6, 6>(winograd_input, read, write);
    }
  }
}

// ---- forward and backward-data ----------------------------------------------------------------------

struct Winograd {
  TileGrid grid;
  int64_t channels, outputs;  // channels in and out
  Activation activation = Activation::linear;
  const float *x = nullptr, *packed = nullptr, *bias = nullptr;
  float* y = nullptr;

  HB_INLINE int64_t v_row() const { return round_up(channels, kLanes<float>); }
};

// A block's buffers in a task's scratch.
struct WinogradScratch { int64_t v_pitch, m_pitch, size; };
HB_INLINE WinogradScratch scratch_of(const Winograd& c, const TileCut& cut) {
  const int64_t v = point_pitch(cut.size * c.v_row()), m = point_pitch(cut.size * kPanel);
  return {v, m, kPoints * (v + m)};
}

// The outputs of a tile in `cols` channels of a panel, from m[point * pitch + channel].
static void finish_tile(const Winograd& c, const TilePlace& at, const float* m, int64_t pitch, int64_t first,
                        int64_t cols) {
  constexpr int64_t L = kLanes<float>;
  const TileGrid& g = c.grid;
  const int64_t rows = smaller(kWinogradTile, g.h.out - at.row), width = smaller(kWinogradTile, g.w.out - at.col);
  float* const y = c.y + ((at.image * g.h.out + at.row) * g.w.out + at.col) * c.outputs + first;
  const int64_t row_pitch = g.w.out * c.outputs;
  for (int64_t k = 0; k < cols; k += L) {
    const int n = static_cast<int>(smaller(L, cols - k));
    const vf bias = c.bias ? load_tail(c.bias + first + k, n) : vf{};
    const auto read = [&](int i, int j) { return load(m + (i * kWinogradPatch + j) * pitch + k); };
    const auto write = [&](int i, int j, vf value) {
      if (i >= rows || j >= width) return;
      value += bias;
      if (c.activation == Activation::relu) value = relu<float>(value);
      float* const to = y + i * row_pitch + j * c.outputs + k;
      if (n == L) store(to, value);
      else store_tail(to, value, n);
    };
    winograd_2d<6, 4>(winograd_output, read, write);
  }
  if (c.activation == Activation::linear || c.activation == Activation::relu) return;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < width; ++j) activate<float>(c.activation, y + i * row_pitch + j * c.outputs, cols);
}

// m[tile][cols] = v[tile][channels] * one point's panel; the panel after it comes meanwhile.
static void multiply_point(const float* v, int64_t v_row, const float* panel, int64_t tiles, int64_t channels,
                           int64_t cols, float* m) {
  const int64_t height = gemm_tile_rows<float>(tiles);
  TileCall<float> t{};
  t.k = channels;
  t.a_stride = v_row;
  t.b = panel;
  t.b_stride = kPanel;
  t.c_stride = kPanel;
  t.cols = cols;
  for (int64_t i = 0; i < tiles; i += height) {
    const int64_t rows = smaller(height, tiles - i);
    t.a = v + i * v_row;
    t.c = m + i * kPanel;
    t.soon_step = ceil_div(rows * kPanel, tiles);
    t.soon = panel + channels * kPanel + i * kPanel / tiles * channels;
    gemm_tile<float>(rows, false, t);
  }
}

static void run_tiles(const KernelCall& call, const Winograd& c, const TileCut& cut) {
  const WinogradScratch size = scratch_of(c, cut);
  const int64_t tiles = c.grid.count(), v_row = c.v_row();
  parallel_tasks(call, cut.groups, [&](int64_t group) {
    float* const v = reinterpret_cast<float*>(call.workspace) + group * size.size;
    float* const m = v + kPoints * size.v_pitch;
    const int64_t last = cut.blocks * (group + 1) / cut.groups;
    for (int64_t block = cut.blocks * group / cut.groups; block < last && !interrupted(call); ++block) {
      const int64_t begin = block * cut.size, count = smaller(cut.size, tiles - begin);
      for (int64_t t = 0; t < count; ++t)
        transform_patch(c.grid, c.x, c.channels, tile_place(c.grid, begin + t), size.v_pitch, v + t * v_row);
      const float* panel = c.packed;
      for (int64_t first = 0; first < c.outputs; first += kPanel) {
        const int64_t cols = smaller(kPanel, c.outputs - first);
        for (int64_t point = 0; point < kPoints; ++point, panel += c.channels * kPanel)
          multiply_point(v + point * size.v_pitch, v_row, panel, count, c.channels, round_up(cols, kLanes<float>),
                         m + point * size.m_pitch);
        for (int64_t t = 0; t < count; ++t)
          finish_tile(c, tile_place(c.grid, begin + t), m + t * kPanel, size.m_pitch, first, cols);
      }
    }
  });
}

// The nine taps of a panel lie where its first nine points will; row by row they make place for all 36.
static void transform_panel(int64_t channels, float* panel) {
  const int64_t point = channels * kPanel;
  for (int64_t at = 0; at < point; at += kLanes<float>)
    winograd_2d<3, 6>(
        winograd_filter, [&](int i, int j) { return load(panel + (i * 3 + j) * point + at); },
        [&](int i, int j, vf value) { store(panel + (i * kWinogradPatch + j) * point + at, value); });
}

HB_INLINE int64_t packed_size(int64_t channels, int64_t outputs) {
  return kPoints * gemm_packed_b<float>(channels, outputs) * static_cast<int64_t>(sizeof(float));
}

constexpr int64_t kMostGroups = 16;

static Winograd forward_of(const KernelCall& call) {
  const ConvAttrs& a = *static_cast<const ConvAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &y = call.out[0].shape;
  Winograd c;
  c.grid = tile_grid(x[0], forward_axis(x[1], y[1], 3, 1, 1, a.padding), forward_axis(x[2], y[2], 3, 1, 1, a.padding));
  c.channels = x[3];
  c.outputs = y[3];
  c.activation = a.activation;
  return c;
}
static Winograd backward_of(const KernelCall& call) {
  const ConvAttrs& a = *static_cast<const ConvAttrs*>(call.attrs);
  const Shape &dy = call.in[0].shape, &x = call.out[0].shape;
  Winograd c;
  c.grid = tile_grid(x[0], backward_axis(x[1], dy[1], 3, 1, 1, a.padding, 0),
                     backward_axis(x[2], dy[2], 3, 1, 1, a.padding, 0));
  c.channels = dy[3];
  c.outputs = x[3];
  c.activation = a.activation;
  return c;
}

template <Winograd (*geometry)(const KernelCall&)>
static int64_t tiles_workspace(const KernelCall& call) {
  const Winograd c = geometry(call);
  const TileCut cut = cut_tiles(c.grid.count(), c.channels, kMostGroups);
  return scratch_of(c, cut).size * cut.groups * static_cast<int64_t>(sizeof(float));
}
// The bias, if there is one, is input kBias.
template <Winograd (*geometry)(const KernelCall&), int kBias>
static void run_winograd(const KernelCall& call) {
  Winograd c = geometry(call);
  c.x = call.in[0].as<float>();
  c.bias = input_of<float>(call, kBias);
  c.packed = static_cast<const float*>(call.packed[1]);
  c.y = call.out[0].as<float>();
  run_tiles(call, c, cut_tiles(c.grid.count(), c.channels, kMostGroups));
}
static int64_t forward_packed_bytes(const KernelCall& call) {
  const Shape& k = call.in[1].shape;
  return packed_size(k[2], k[3]);
}
static void pack_forward(const KernelCall& call, void* dst) {
  const Shape& k = call.in[1].shape;
  float* to = static_cast<float*>(dst);
  for (int64_t first = 0; first < k[3]; first += kPanel, to += kPoints * k[2] * kPanel) {
    for (int64_t tap = 0; tap < 9; ++tap)
      gemm_pack_b_panel<float>({call.in[1].as<float>() + tap * k[2] * k[3] + first, k[3], 1}, k[2],
                               smaller(kPanel, k[3] - first), to + tap * k[2] * kPanel);
    transform_panel(k[2], to);
  }
}

static int64_t backward_packed_bytes(const KernelCall& call) {
  const Shape& k = call.in[1].shape;
  return packed_size(k[3], k[2]);
}
static void pack_backward(const KernelCall& call, void* dst) {
  const Shape& k = call.in[1].shape;
  float* to = static_cast<float*>(dst);
  for (int64_t first = 0; first < k[2]; first += kPanel, to += kPoints * k[3] * kPanel) {
    for (int64_t tap = 0; tap < 9; ++tap)
      gemm_pack_b_panel<float>({call.in[1].as<float>() + ((8 - tap) * k[2] + first) * k[3], 1, k[3]}, k[3],
                               smaller(kPanel, k[2] - first), to + tap * k[3] * kPanel);
    transform_panel(k[3], to);
  }
}

// ---- backward-filter --------------------------------------------------------------------------------

// A task takes a group of blocks of tiles and a few panels, so that its sums stay in L2. Tasks of the
// same group transform the same patches again, which costs less than sums that come from memory.
struct WinogradFilter {
  TileGrid grid;
  int64_t channels, outputs;
  TileCut cut;
  int64_t panels, panels_per_task, panel_groups;
  int64_t v_row, v_pitch;    // V [point][tile][channel]
  int64_t d_panel, d_pitch;  // dy's transform [point][panel][tile][GemmTile::cols]
  int64_t sums;              // a task's sums [point][panel][channel][GemmTile::cols]
  int64_t scratch;           // a task's elements in all
};

static WinogradFilter filter_of(const KernelCall& call) {
  constexpr int64_t kMostSums = (1280 << 10) / sizeof(float), kMostTasks = 16;
  const ConvFilterGradAttrs& a = *static_cast<const ConvFilterGradAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &dy = call.in[1].shape;
  WinogradFilter f;
  f.grid =
      tile_grid(x[0], forward_axis(x[1], dy[1], 3, 1, 1, a.padding), forward_axis(x[2], dy[2], 3, 1, 1, a.padding));
  f.channels = x[3];
  f.outputs = dy[3];
  f.panels = gemm_panels<float>(f.outputs);
  const int64_t panel_sums = kPoints * f.channels * kPanel;
  f.panel_groups = ceil_div(f.panels, larger(1, kMostSums / panel_sums));
  f.panels_per_task = ceil_div(f.panels, f.panel_groups);
  f.panel_groups = ceil_div(f.panels, f.panels_per_task);
  f.sums = panel_sums * f.panels_per_task;
  f.cut = cut_tiles(f.grid.count(), f.channels + f.panels_per_task * kPanel, larger(1, kMostTasks / f.panel_groups));
  f.v_row = round_up(f.channels, kLanes<float>);
  f.v_pitch = point_pitch(f.cut.size * f.v_row);
  f.d_panel = f.cut.size * kPanel;
  f.d_pitch = point_pitch(f.panels_per_task * f.d_panel);
  f.scratch = f.sums + kPoints * (f.v_pitch + f.d_pitch);
  return f;
}

// The panels of a task.
struct PanelRange { int64_t begin, end; };
HB_INLINE PanelRange panels_of(const WinogradFilter& f, int64_t group) {
  return {group * f.panels_per_task, smaller(f.panels, (group + 1) * f.panels_per_task)};
}

// A tile of dy, outside the image zero: d[point * pitch + panel * d_panel + channel in panel].
static void transform_dy(const WinogradFilter& f, const float* dy, const TilePlace& at, const PanelRange& panels,
                         float* d) {
  constexpr int64_t L = kLanes<float>;
  const TileGrid& g = f.grid;
  const int64_t rows = g.h.out - at.row, width = g.w.out - at.col, row_pitch = g.w.out * f.outputs;
  const float* const tile = dy + ((at.image * g.h.out + at.row) * g.w.out + at.col) * f.outputs;
  const int64_t first = panels.begin * kPanel;
  for (int64_t k = first; k < panels.end * kPanel; k += L) {
    const int n = static_cast<int>(larger(0, smaller(L, f.outputs - k)));
    float* const to = d + (k - first) / kPanel * f.d_panel + k % kPanel;
    const auto write = [&](int i, int j, vf value) { store(to + (i * kWinogradPatch + j) * f.d_pitch, value); };
    if (rows >= kWinogradTile && width >= kWinogradTile && n == L) {
      const auto read = [&](int i, int j) { return load(tile + i * row_pitch + j * f.outputs + k); };
      winograd_2d<4, 6>(winograd_output_adjoint, read, write);
    } else {
      const auto read = [&](int i, int j) {
        return i < rows && j < width ? load_tail(tile + i * row_pitch + j * f.outputs + k, n) : vf{};
      };
      winograd_2d<4, 6>(winograd_output_adjoint, read, write);
    }
  }
}

// sums += V^T dy over a block's tiles, for every point.
static void multiply_filter(const WinogradFilter& f, const float* v, const float* d, int64_t tiles, bool first,
                            int64_t panels, float* sums) {
  const int64_t height = gemm_tile_rows<float>(f.channels), point_sums = f.panels_per_task * f.channels * kPanel;
  TileCall<float> t{};
  t.k = tiles;
  t.a_stride = f.v_row;
  t.b_stride = t.c_stride = t.init_stride = t.cols = kPanel;
  for (int64_t point = 0; point < kPoints; ++point)
    for (int64_t panel = 0; panel < panels; ++panel)
      for (int64_t c = 0; c < f.channels; c += height) {
        t.a = v + point * f.v_pitch + c;
        t.b = d + point * f.d_pitch + panel * f.d_panel;
        t.c = sums + point * point_sums + (panel * f.channels + c) * kPanel;
        t.init = first ? nullptr : t.c;
        gemm_tile<float>(smaller(height, f.channels - c), true, t);
      }
}

// dw of one channel: the tasks' sums in order, then G^T.
static void finish_filter(const WinogradFilter& f, const float* workspace, int64_t channel, float* dw) {
  const int64_t point_sums = f.panels_per_task * f.channels * kPanel;
  for (int64_t k = 0; k < f.outputs; k += kLanes<float>) {
    const int64_t panel = k / kPanel, in_group = panel % f.panels_per_task;
    const float* const from =
        workspace + panel / f.panels_per_task * f.scratch + (in_group * f.channels + channel) * kPanel + k % kPanel;
    const int n = static_cast<int>(smaller(kLanes<float>, f.outputs - k));
    const auto read = [&](int i, int j) {
      const float* const point = from + (i * kWinogradPatch + j) * point_sums;
      vf sum{};
      for (int64_t group = 0; group < f.cut.groups; ++group) sum += load(point + group * f.panel_groups * f.scratch);
      return sum;
    };
    winograd_2d<6, 3>(winograd_filter_adjoint, read, [&](int i, int j, vf value) {
      store_tail(dw + ((i * 3 + j) * f.channels + channel) * f.outputs + k, value, n);
    });
  }
}

static void run_filter(const KernelCall& call) {
  const WinogradFilter f = filter_of(call);
  const float *const x = call.in[0].as<float>(), *const dy = call.in[1].as<float>();
  float* const workspace = reinterpret_cast<float*>(call.workspace);
  parallel_tasks(call, f.cut.groups * f.panel_groups, [&](int64_t task) {
    float* const sums = workspace + task * f.scratch;
    float *const v = sums + f.sums, *const d = v + kPoints * f.v_pitch;
    const PanelRange panels = panels_of(f, task % f.panel_groups);
    const int64_t group = task / f.panel_groups, from = f.cut.blocks * group / f.cut.groups;
    const int64_t to = f.cut.blocks * (group + 1) / f.cut.groups;
    for (int64_t block = from; block < to && !interrupted(call); ++block) {
      const int64_t begin = block * f.cut.size, count = smaller(f.cut.size, f.grid.count() - begin);
      for (int64_t t = 0; t < count; ++t) {
        const TilePlace at = tile_place(f.grid, begin + t);
        transform_patch(f.grid, x, f.channels, at, f.v_pitch, v + t * f.v_row);
        transform_dy(f, dy, at, panels, d + t * kPanel);
      }
      multiply_filter(f, v, d, count, block == from, panels.end - panels.begin, sums);
    }
  });
  parallel_ranges(call, f.channels, f.outputs * kPoints * (f.cut.groups + 6), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) finish_filter(f, workspace, c, call.out[0].as<float>());
  });
}

static int64_t filter_workspace(const KernelCall& call) {
  const WinogradFilter f = filter_of(call);
  return f.scratch * f.cut.groups * f.panel_groups * static_cast<int64_t>(sizeof(float));
}

HB_EXPORT_KERNELS(conv_winograd,
                  {"conv2d", "winograd4x4", winograd_forward, tiles_workspace<forward_of>, run_winograd<forward_of, 2>,
                   1, forward_packed_bytes, pack_forward},
                  {"conv2d_input_grad", "winograd4x4", winograd_input_grad, tiles_workspace<backward_of>,
                   run_winograd<backward_of, 3>, 1, backward_packed_bytes, pack_backward},
                  {"conv2d_filter_grad", "winograd4x4", winograd_filter_grad, filter_workspace, run_filter})

HB_CPU_END
