// matmul: packed products cut into tasks by shape. Weights that stay the same from run to run are
// packed once (kernel "packed"); others are packed in the run, or read in place where a packing would
// be used only once (kernel "panels"). A product too small to share is one task (kernel "small").
#include "cpu/export.h"
#include "cpu/matmul_cut.h"
#include "cpu/vmath.h"

HB_CPU_BEGIN
namespace {  // member functions of templates must not become weak symbols

// Applies the activation to finished tiles.
template <class T>
struct Activate {
  Activation activation;
  HB_INLINE void operator()(T* c, int64_t ldc, int64_t, int64_t, int64_t rows, int64_t cols) const {
    if (activation == Activation::linear) return;
    for (int64_t i = 0; i < rows; ++i) activate<T>(activation, c + i * ldc, cols);
  }
};

template <class T>
struct Matmul {
  const KernelCall& call;
  const MatmulDims d;
  const MatmulCut cut;
  const T *a, *b, *bias;
  T* c;
  const T* kept_b;  // packed weights, or null
  T *packed_a, *packed_b, *partial;
  Activate<T> post;

  Matmul(const KernelCall& k, const T* kept)
      : call(k),
        d(matmul_dims(k)),
        cut(matmul_cut<T>(d, kept)),
        a(k.in[0].as<T>()),
        b(k.in[1].as<T>()),
        bias(input_of<T>(k, 2)),
        c(k.out[0].as<T>()),
        kept_b(kept),
        packed_a(reinterpret_cast<T*>(k.workspace)),
        packed_b(packed_a + cut.packed_a),
        partial(packed_b + cut.packed_b),
        post{static_cast<const MatmulAttrs*>(k.attrs)->activation} {}

  MatView<T> view_a(int64_t offset) const { return {a + offset, d.a_row, d.a_col}; }
  MatView<T> view_b(int64_t offset) const { return {b + offset, d.b_row, d.b_col}; }

  void pack_first() const {
    const int64_t a_pieces = cut.pack_a == PackTime::first ? ceil_div(cut.tiles, 4) : 0;
    const int64_t b_pieces = cut.pack_b == PackTime::first ? ceil_div(cut.panels, 2) : 0;
    const int64_t matrices = d.one_b ? 1 : d.batch;
    if (a_pieces + b_pieces == 0) return;
    parallel_tasks(call, a_pieces + b_pieces * matrices, [&](int64_t t) {
      if (t < a_pieces) {
        gemm_pack_lhs<T>(view_a(0), d.m, d.k, cut.height, 4 * t, smaller(cut.tiles, 4 * t + 4), packed_a);
        return;
      }
      t -= a_pieces;
      const int64_t matrix = t / b_pieces, from = t % b_pieces * 2;
      int64_t a_offset, b_offset;
      d.offsets(matrix, a_offset, b_offset);
      gemm_pack_b<T>(view_b(b_offset), d.k, d.n, from, smaller(cut.panels, from + 2),
                     packed_b + matrix * gemm_packed_b<T>(d.k, d.n));
    });
  }

  // Rows and columns of one block of one product, over one part of k.
  void block(int64_t task) const {
    using G = GemmTile<T>;
    // Neighbours share rows of A, which stay in L2 while B passes by once for each block of rows.
    const int64_t column_block = task % cut.column_blocks;
    task /= cut.column_blocks;
    const int64_t row_block = task % cut.row_blocks;
    task /= cut.row_blocks;
    const int64_t part = task % cut.parts, index = task / cut.parts;
    int64_t a_offset, b_offset;
    d.offsets(index, a_offset, b_offset);
    const int64_t tile = cut.tiles * row_block / cut.row_blocks;
    const int64_t row = tile * cut.height,
                  row_end = smaller(d.m, cut.tiles * (row_block + 1) / cut.row_blocks * cut.height);
    const int64_t panel = cut.panels * column_block / cut.column_blocks;
    const int64_t col = panel * G::cols,
                  col_end = smaller(d.n, cut.panels * (column_block + 1) / cut.column_blocks * G::cols);
    const int64_t chunks = ceil_div(d.k, G::depth);
    const int64_t k_begin = chunks * part / cut.parts * G::depth,
                  k_end = smaller(d.k, chunks * (part + 1) / cut.parts * G::depth);

    T a_scratch[G::scratch] __attribute__((aligned(64)));
    T b_scratch[G::depth * G::cols] __attribute__((aligned(64)));
    GemmLhs<T> lhs{view_a(a_offset).at(row, 0), cut.height};
    if (cut.pack_a == PackTime::by_task) lhs.scratch = a_scratch;
    if (cut.pack_a == PackTime::first) {
      lhs.packed = packed_a;
      lhs.packed_rows = d.m;
      lhs.first_row = row;
    }
    GemmRhs<T> rhs{nullptr, d.k, view_b(b_offset).at(0, col), b_scratch, cut.b_in_place};
    const T* whole_b = kept_b ? kept_b : packed_b + (d.one_b ? 0 : index) * gemm_packed_b<T>(d.k, d.n);
    if (kept_b || cut.pack_b == PackTime::first) rhs.packed = whole_b + col * d.k;

    if (cut.parts == 1) {
      T* out = c + index * d.m * d.n + row * d.n + col;
      gemm_run<T>(row_end - row, col_end - col, k_begin, k_end, lhs, rhs, bias ? bias + col : nullptr, 0, out, d.n,
                  post);
    } else {
      T* out = partial + (part * d.batch + index) * d.m * d.n + row * d.n + col;
      gemm_run<T>(row_end - row, col_end - col, k_begin, k_end, lhs, rhs, nullptr, 0, out, d.n, NoPost{});
    }
  }

  // Adds the parts in ascending order of k.
  void add_parts() const {
    constexpr int L = kLanes<T>;
    const int64_t size = d.batch * d.m * d.n;
    parallel_ranges(call, d.batch * d.m, d.n * cut.parts, [&](int64_t from, int64_t to) {
      for (int64_t r = from; r < to; ++r) {
        for (int64_t j = 0; j < d.n; j += L) {
          const int w = static_cast<int>(smaller(L, d.n - j));
          Vec<T> v = bias ? load_tail(bias + j, w) : Vec<T>{};
          for (int64_t q = 0; q < cut.parts; ++q) v += load_tail(partial + q * size + r * d.n + j, w);
          store_tail(c + r * d.n + j, v, w);
        }
        activate<T>(post.activation, c + r * d.n, d.n);
      }
    });
  }

  // Few rows and a transposed b: packing b would cost as much as the product itself. Its rows are read
  // in place instead, as the left factor of c' = b' a', and finished blocks are transposed into c.
  void run_swapped() const {
    using G = GemmTile<T>;
    const int64_t a_panels = gemm_panels<T>(d.m), width = a_panels * G::cols;
    const MatView<T> right{a, d.a_col, d.a_row};
    parallel_tasks(call, a_panels, [&](int64_t p) { gemm_pack_b<T>(right, d.k, d.m, p, p + 1, packed_b); });
    parallel_tasks(call, cut.column_blocks, [&](int64_t t) {
      T turned[G::block_rows * 2 * G::cols] __attribute__((aligned(64)));
      T a_scratch[G::scratch] __attribute__((aligned(64)));
      const int64_t from = d.n * t / cut.column_blocks, rows = d.n * (t + 1) / cut.column_blocks - from;
      GemmLhs<T> lhs{{b + from * d.b_col, d.b_col, 1}, gemm_tile_rows<T>(rows)};
      if (d.b_col * sizeof(T) % 4096 == 0) lhs.scratch = a_scratch;
      gemm_run<T>(rows, d.m, 0, d.k, lhs, {packed_b, d.k}, nullptr, 0, turned, width, NoPost{});
      pack_transposed<T>(turned, width, rows, d.m, rows, d.n, c + from);
      for (int64_t i = 0; i < d.m; ++i) {
        T* row = c + i * d.n + from;
        if (bias)
          for (int64_t j = 0; j < rows; ++j) row[j] += bias[from + j];
        activate<T>(post.activation, row, rows);
      }
    });
  }

  // Few rows: parts of c, then their sum with the bias.
  void run_skinny() const {
    parallel_tasks(call, cut.column_blocks * cut.parts, [&](int64_t t) {
      const int64_t part = t / cut.column_blocks, block = t % cut.column_blocks;
      const int64_t col = d.n * block / cut.column_blocks, cols = d.n * (block + 1) / cut.column_blocks - col;
      const int64_t from = d.k * part / cut.parts, depth = d.k * (part + 1) / cut.parts - from;
      gemv<T>(d.m, cols, depth, view_a(0).at(0, from), view_b(0).at(from, col), partial + part * d.m * d.n + col, d.n);
    });
    add_parts();
  }

  void run() const {
    if (cut.way == MatmulWay::swapped) return run_swapped();
    if (cut.way == MatmulWay::skinny) return run_skinny();
    pack_first();
    parallel_tasks(call, d.batch * cut.row_blocks * cut.column_blocks * cut.parts, [&](int64_t t) { block(t); });
    if (cut.parts > 1) add_parts();
  }
};

}  // namespace

static void run_panels(const KernelCall& c) {
  if (c.in[0].dtype == DType::float64) Matmul<double>(c, nullptr).run();
  else Matmul<float>(c, nullptr).run();
}
template <class T>
static int64_t workspace_of(const KernelCall& c, bool kept) {
  const MatmulCut cut = matmul_cut<T>(matmul_dims(c), kept);
  return (cut.packed_a + cut.packed_b + cut.partial) * static_cast<int64_t>(sizeof(T));
}
template <bool kKept>
static int64_t workspace(const KernelCall& c) {
  return c.in[0].dtype == DType::float64 ? workspace_of<double>(c, kKept) : workspace_of<float>(c, kKept);
}

// ---- packed: b is one matrix that stays the same ----------------------------------------------------

static bool packable(const KernelCall& c) {
  const Shape& b = c.in[1].shape;
  return c.in[1].steady && b.count(0, b.rank - 2) == 1 && b.count() >= 1024;
}
template <class T>
static int64_t packed_elements(const KernelCall& c) {
  const MatmulDims d = matmul_dims(c);
  return gemm_packed_b<T>(d.k, d.n);
}
static int64_t packed_bytes(const KernelCall& c) {
  return c.in[1].dtype == DType::float64 ? packed_elements<double>(c) * 8 : packed_elements<float>(c) * 4;
}
template <class T>
static void pack_as(const KernelCall& c, T* dst) {
  const MatmulDims d = matmul_dims(c);
  const MatView<T> b{c.in[1].as<T>(), d.b_row, d.b_col};
  parallel_ranges(c, gemm_panels<T>(d.n), d.k * GemmTile<T>::cols,
                  [&](int64_t from, int64_t to) { gemm_pack_b<T>(b, d.k, d.n, from, to, dst); });
}
static void pack(const KernelCall& c, void* dst) {
  c.in[1].dtype == DType::float64 ? pack_as(c, static_cast<double*>(dst)) : pack_as(c, static_cast<float*>(dst));
}
static void run_packed(const KernelCall& c) {
  if (c.in[0].dtype == DType::float64) Matmul<double>(c, static_cast<const double*>(c.packed[1])).run();
  else Matmul<float>(c, static_cast<const float*>(c.packed[1])).run();
}

// ---- small: one task, nothing packed beyond a panel of b ---------------------------------------------

template <class T>
static bool fits_small(const KernelCall& c) {
  const MatmulDims d = matmul_dims(c);
  return d.batch == 1 && d.k <= GemmTile<T>::depth && d.m * d.n * d.k <= 4096;
}
static bool small(const KernelCall& c) {
  return c.in[0].dtype == DType::float64 ? fits_small<double>(c) : fits_small<float>(c);
}
template <class T>
static void run_small_as(const KernelCall& c) {
  using G = GemmTile<T>;
  const MatmulAttrs& at = *static_cast<const MatmulAttrs*>(c.attrs);
  const MatmulDims d = matmul_dims(c);
  T b_scratch[G::depth * G::cols] __attribute__((aligned(64)));
  const GemmLhs<T> lhs{{c.in[0].as<T>(), d.a_row, d.a_col}, gemm_tile_rows<T>(d.m)};
  const GemmRhs<T> rhs{nullptr, d.k, {c.in[1].as<T>(), d.b_row, d.b_col}, b_scratch, d.m <= G::rows && d.b_col == 1};
  const T* bias = input_of<T>(c, 2);
  gemm_run<T>(d.m, d.n, 0, d.k, lhs, rhs, bias, 0, c.out[0].as<T>(), d.n, Activate<T>{at.activation});
}
static void run_small(const KernelCall& c) {
  c.in[0].dtype == DType::float64 ? run_small_as<double>(c) : run_small_as<float>(c);
}

HB_EXPORT_KERNELS(matmul, {"matmul", "small", small, nullptr, run_small},
                  {"matmul", "packed", packable, workspace<true>, run_packed, 1, packed_bytes, pack},
                  {"matmul", "panels", nullptr, workspace<false>, run_panels})

HB_CPU_END
