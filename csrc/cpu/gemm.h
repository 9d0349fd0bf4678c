// Matrix products on packed panels: the core that matmul, convolution and the recurrent kernels share.
//
// A product C = init + A B is cut into register tiles of GemmTile<T>::rows x ::cols. What a tile reads:
//   B  always a panel of `cols` columns: packed by gemm_pack_b (row k of panel p at (p * K + k) * cols,
//      missing columns zero), or any matrix whose rows lie `b_stride` apart, as long as whole vectors
//      of columns can be read.
//   A  either rows that lie `a_stride` apart (row-major A, read in place), or columns that lie
//      `a_stride` apart (packed by gemm_pack_a, or a transposed A read in place).
// Layers, from the bottom: gemm_tile (one register tile), gemm_run (a block, A and B read or packed in
// any of the ways below), gemm_block (gemm_run for the common case of a packed B).
//
// Every sum runs over k in ascending order within blocks of GemmTile<T>::depth, so the bits of a result
// depend on its shape and the instruction set only.
#pragma once
#include "cpu/shuffle.h"

HB_CPU_BEGIN

template <class T>
struct GemmTile {
  // Accumulators, `vecs` vectors of B and a broadcast element of A must fit the register file.
#if defined(__AVX512F__)
  static constexpr int rows = 14;
#elif defined(__aarch64__)
  static constexpr int rows = 12;
#else
  static constexpr int rows = 6;
#endif
  static constexpr int vecs = 2;
  static constexpr int cols = vecs * kLanes<T>;
  // A panel of B of this depth takes 32 KiB or less and stays in L1 while the rows of A pass by.
  static constexpr int64_t depth = HB_VECTOR_BYTES == 64 ? 2048 / (2 * sizeof(T)) : 1024 / sizeof(T);
  // Rows of A that gemm_block packs at a time (a multiple of `rows`), and the scratch that takes.
  static constexpr int64_t block_rows = 12 * rows;
  static constexpr int64_t scratch = block_rows * depth + kLanes<T>;
};

// A matrix anywhere in memory: element (i, j) is data[i * row + j * col].
template <class T>
struct MatView {
  const T* data;
  int64_t row, col;
  HB_INLINE MatView at(int64_t i, int64_t j) const { return {data + i * row + j * col, row, col}; }
};

// ---- register tile --------------------------------------------------------------------------------

template <class T>
struct TileCall {
  int64_t k;  // may be 0
  const T* a;
  int64_t a_stride;
  const T* b;
  int64_t b_stride;
  const T* init;  // added to the product; null: nothing; stride 0: one row for all
  int64_t init_stride;
  T* c;  // may be `init`
  int64_t c_stride;
  int64_t cols;             // 1..GemmTile<T>::cols: columns of init and c that exist
  const T* soon = nullptr;  // fetched into L2 meanwhile: soon[0 .. k * soon_step)
  int64_t soon_step = 0;
};

// Keeps a value in a register: left alone, GCC reloads a vector of B for each of up to three rows.
template <class T>
HB_INLINE void in_register(Vec<T>& v) {
#if defined(__x86_64__)
  __asm__("" : "+v"(v));
#else
  __asm__("" : "+w"(v));
#endif
}

template <class T, int M, int V>
HB_INLINE void tile_step(Vec<T> (&acc)[M][V], const T* const (&a)[M], const T* b) {
  Vec<T> bv[V];
#pragma GCC unroll 4
  for (int j = 0; j < V; ++j) {
    bv[j] = load(b + j * kLanes<T>);
    if (M > 1) in_register<T>(bv[j]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) {
    const Vec<T> av = splat(*a[i]);
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) acc[i][j] = fma<T>(av, bv[j], acc[i][j]);
  }
}

// One tile of M rows and V vectors. kColumns: a_stride lies between columns of A, else between rows.
template <class T, int M, int V, bool kColumns>
static void tile(const TileCall<T>& t) {
  constexpr int L = kLanes<T>;
  // Short tiles have too few independent sums to hide the latency of fma: they take several k at once.
  constexpr int S = M * V >= 8 ? 1 : M * V >= 4 ? 2 : 4;
  Vec<T> acc[S][M][V];
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s)
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) acc[s][i][j] = Vec<T>{};

#pragma GCC unroll 16
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) __builtin_prefetch(t.c + i * t.c_stride + j * L, 1);

  // Row i of A through one of M/4 base pointers and one of four offsets: 14 pointers would not fit.
  const int64_t row = kColumns ? 1 : t.a_stride, next = kColumns ? t.a_stride : 1;
  constexpr int kBases = kColumns ? 1 : (M + 3) / 4;
  const T* base[kBases];
#pragma GCC unroll 4
  for (int q = 0; q < kBases; ++q) base[q] = t.a + 4 * q * row;
  const int64_t row3 = 3 * row;
  const T *b = t.b, *soon = t.soon ? t.soon : t.b;
  auto step = [&](Vec<T>(&sum)[M][V], int64_t by) {
    const T* a[M];
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i)
      a[i] = kColumns ? base[0] + by * next + i : base[i / 4 % kBases] + by + (i % 4 == 3 ? row3 : (i % 4) * row);
    __builtin_prefetch(soon + by * t.soon_step, 0, 2);
    tile_step<T, M, V>(sum, a, b + by * t.b_stride);
  };
  auto advance = [&](int64_t by) {
#pragma GCC unroll 4
    for (int q = 0; q < kBases; ++q) base[q] += by * next;
    b += by * t.b_stride;
    soon += by * t.soon_step;
  };
  int64_t k = t.k;
  for (; k >= S; k -= S) {
#pragma GCC unroll 4
    for (int s = 0; s < S; ++s) step(acc[s], s);
    advance(S);
  }
  if (S > 1) {
    for (; k > 0; --k) {
      step(acc[0], 0);
      advance(1);
    }
#pragma GCC unroll 4
    for (int s = 1; s < S; ++s)
#pragma GCC unroll 16
      for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < V; ++j) acc[0][i][j] += acc[s][i][j];
  }

  if (t.cols == V * L) {
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) {
        Vec<T> v = acc[0][i][j];
        if (t.init) v += load(t.init + i * t.init_stride + j * L);
        store(t.c + i * t.c_stride + j * L, v);
      }
    }
    return;
  }
  // A tile at the right edge goes through memory, so that its rows can be a loop and not code.
  T rows[M][V * L];
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) store(&rows[i][j * L], acc[0][i][j]);
  const int tail = static_cast<int>(t.cols - (V - 1) * L);
#pragma GCC unroll 1
  for (int i = 0; i < M; ++i) {
#pragma GCC unroll 1
    for (int j = 0; j < V; ++j) {
      const int n = j + 1 < V ? L : tail;
      Vec<T> v = load(&rows[i][j * L]);
      if (t.init) v += load_tail(t.init + i * t.init_stride + j * L, n);
      store_tail(t.c + i * t.c_stride + j * L, v, n);
    }
  }
}

template <class T>
using TileFn = void (*)(const TileCall<T>&);
template <class T>
struct TileTable {
  TileFn<T> fn[2][GemmTile<T>::vecs][GemmTile<T>::rows] = {};  // [columns][vecs - 1][rows - 1]
  constexpr TileTable() { fill<1>(); }
  template <int M>
  constexpr void fill() {
    fn[0][0][M - 1] = tile<T, M, 1, false>;
    fn[0][1][M - 1] = tile<T, M, 2, false>;
    fn[1][0][M - 1] = tile<T, M, 1, true>;
    fn[1][1][M - 1] = tile<T, M, 2, true>;
    if constexpr (M < GemmTile<T>::rows) fill<M + 1>();
  }
};
static constexpr TileTable<float> tile_table_f32{};
static constexpr TileTable<double> tile_table_f64{};

// rows 1..GemmTile<T>::rows; `columns`: a_stride lies between columns of A, else between rows.
template <class T>
HB_INLINE void gemm_tile(int64_t rows, bool columns, const TileCall<T>& t) {
  const int v = t.cols > kLanes<T>;
  if constexpr (sizeof(T) == 4) tile_table_f32.fn[columns][v][rows - 1](t);
  else tile_table_f64.fn[columns][v][rows - 1](t);
}

// ---- packing --------------------------------------------------------------------------------------

template <class T, int D, int... C>
HB_INLINE void swap_blocks(Vec<T>& x, Vec<T>& y, Indices<C...>) {
  constexpr int L = kLanes<T>;
  const Vec<T> a = x, b = y;
  x = __builtin_shufflevector(a, b, ((C & D) ? L + C - D : C)...);
  y = __builtin_shufflevector(a, b, ((C & D) ? L + C : C + D)...);
}
// Transposes a square of lanes x lanes: off-diagonal blocks change places, at each power of two.
template <class T, int D = kLanes<T> / 2>
HB_INLINE void transpose_square(Vec<T> (&r)[kLanes<T>]) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes<T>; ++i)
    if (!(i & D)) swap_blocks<T, D>(r[i], r[i | D], UpTo<kLanes<T>>{});
  if constexpr (D > 1) transpose_square<T, D / 2>(r);
}

// dst[j * ld + i] = src[i * row + j] for i < w, j < n; 0 for w <= i < W.
template <class T>
static void pack_transposed(const T* src, int64_t row, int64_t w, int64_t n, int64_t W, int64_t ld, T* dst) {
  constexpr int L = kLanes<T>;
  for (int64_t i = 0; i < W; i += L) {
    const int64_t have = w - i < L ? w - i : L;  // source rows behind this vector of the panel
    const int64_t room = W - i < L ? W - i : L;  // lanes of it that belong to the panel
    int64_t j = 0;
    for (; j + L <= n; j += L) {
      Vec<T> r[L];
      if (have == L) {
#pragma GCC unroll 16
        for (int q = 0; q < L; ++q) r[q] = load(src + (i + q) * row + j);
      } else {
#pragma GCC unroll 16
        for (int q = 0; q < L; ++q) r[q] = q < have ? load(src + (i + q) * row + j) : Vec<T>{};
      }
      transpose_square<T>(r);
      if (room == L) {
#pragma GCC unroll 16
        for (int q = 0; q < L; ++q) store(dst + (j + q) * ld + i, r[q]);
      } else {
        for (int q = 0; q < L; ++q) store_tail(dst + (j + q) * ld + i, r[q], static_cast<int>(room));
      }
    }
    for (; j < n; ++j)
      for (int64_t q = 0; q < room; ++q) dst[j * ld + i + q] = q < have ? src[(i + q) * row + j] : T(0);
  }
}

// dst[j * W + i] = src[i + j * col] for i < w, j < n; 0 for w <= i < W.
template <class T>
HB_INLINE void pack_straight(const T* src, int64_t col, int64_t w, int64_t n, int64_t W, T* dst) {
  constexpr int L = kLanes<T>;
  for (int64_t j = 0; j < n; ++j, src += col, dst += W) {
    for (int64_t i = 0; i < W; i += L) {
      const int have = w - i >= L ? L : w > i ? static_cast<int>(w - i) : 0;
      const Vec<T> v = have == L ? load(src + i) : load_tail(src + i, have);
      if (W - i >= L) store(dst + i, v);
      else store_tail(dst + i, v, static_cast<int>(W - i));
    }
  }
}

// Packs the k x w columns of b (w <= GemmTile<T>::cols) as one panel, k * GemmTile<T>::cols elements.
template <class T>
static void gemm_pack_b_panel(MatView<T> b, int64_t k, int64_t w, T* dst) {
  constexpr int W = GemmTile<T>::cols;
  if (b.col == 1) {
    if (w == W) pack_straight<T>(b.data, b.row, W, k, W, dst);
    else pack_straight<T>(b.data, b.row, w, k, W, dst);
  } else if (b.row == 1) {
    pack_transposed<T>(b.data, b.col, w, k, W, W, dst);
  } else {
    for (int64_t p = 0; p < k; ++p)
      for (int64_t j = 0; j < W; ++j) dst[p * W + j] = j < w ? b.data[p * b.row + j * b.col] : T(0);
  }
}

template <class T>
HB_INLINE int64_t gemm_panels(int64_t n) {
  return (n + GemmTile<T>::cols - 1) / GemmTile<T>::cols;
}
// Elements that k x n takes when packed.
template <class T>
HB_INLINE int64_t gemm_packed_b(int64_t k, int64_t n) {
  return gemm_panels<T>(n) * GemmTile<T>::cols * k;
}

// Packs panels [from, to) of b, each to its place in dst.
template <class T>
static void gemm_pack_b(MatView<T> b, int64_t k, int64_t n, int64_t from, int64_t to, T* dst) {
  constexpr int W = GemmTile<T>::cols;
  for (int64_t p = from; p < to; ++p) {
    const int64_t w = n - p * W < W ? n - p * W : W;
    gemm_pack_b_panel<T>(b.at(0, p * W), k, w, dst + p * W * k);
  }
}

// The height of tiles that cuts m rows evenly: 32 rows go as 11 + 11 + 10, not as 14 + 14 + 4.
template <class T>
HB_INLINE int64_t gemm_tile_rows(int64_t m) {
  constexpr int R = GemmTile<T>::rows;
  const int64_t tiles = (m + R - 1) / R;
  return tiles ? (m + tiles - 1) / tiles : 1;
}

// Packs m x k of a in panels of h rows: panel p at p * h * k, column by column; a last panel that is
// lower is packed that much narrower.
template <class T>
static void gemm_pack_a(MatView<T> a, int64_t m, int64_t k, int64_t h, T* dst) {
  for (int64_t i = 0; i < m; i += h, dst += h * k) {
    const int64_t w = m - i < h ? m - i : h;
    const T* src = a.data + i * a.row;
    if (a.row == 1) pack_straight<T>(src, a.col, w, k, w, dst);
    else if (a.col == 1) pack_transposed<T>(src, a.row, w, k, w, w, dst);
    else
      for (int64_t p = 0; p < k; ++p)
        for (int64_t q = 0; q < w; ++q) dst[p * w + q] = src[q * a.row + p * a.col];
  }
}

// ---- blocks ---------------------------------------------------------------------------------------

// What is done to a finished tile while it is in L1: post(c, ldc, row, col, rows, cols), row and col
// counted from the block's corner. This one does nothing.
struct NoPost {
  template <class T>
  HB_INLINE void operator()(T*, int64_t, int64_t, int64_t, int64_t, int64_t) const {}
};

// How a block reads its A: in place (row == 1 or col == 1); packed chunk by chunk into `scratch`
// (GemmTile<T>::scratch elements, so at most block_rows rows); or packed as a whole before, by
// gemm_pack_lhs, of which the block's first row is `first_row`.
template <class T>
struct GemmLhs {
  MatView<T> view;
  int64_t height;  // of tiles, from gemm_tile_rows
  T* scratch = nullptr;
  const T* packed = nullptr;
  int64_t packed_rows = 0, first_row = 0;
};

// How a block reads its B: packed panels, each packed_k deep; or a view whose panels are packed into
// `scratch` (depth * cols elements) when their turn comes, or, `in_place`, read where they are as far
// as they are whole.
template <class T>
struct GemmRhs {
  const T* packed;
  int64_t packed_k;
  MatView<T> view = {};
  T* scratch = nullptr;
  bool in_place = false;
};

// Packs m x k of a for GemmLhs::packed (m * k elements): chunks of `depth`, in each the tiles [from, to).
template <class T>
static void gemm_pack_lhs(MatView<T> a, int64_t m, int64_t k, int64_t height, int64_t from, int64_t to, T* dst) {
  const int64_t row = from * height, rows = (to * height < m ? to * height : m) - row;
  for (int64_t p = 0; p < k; p += GemmTile<T>::depth) {
    const int64_t kb = k - p < GemmTile<T>::depth ? k - p : GemmTile<T>::depth;
    gemm_pack_a<T>(a.at(row, p), rows, kb, height, dst + p * m + row * kb);
  }
}

// c[0:m, 0:n] = init + a b over k in [k_begin, k_end), then post on every tile.
template <class T, class Post>
static void gemm_run(int64_t m, int64_t n, int64_t k_begin, int64_t k_end, const GemmLhs<T>& a, const GemmRhs<T>& b,
                     const T* init, int64_t init_stride, T* c, int64_t ldc, const Post& post) {
  using G = GemmTile<T>;
  int64_t p = k_begin;
  do {
    const int64_t kb = k_end - p < G::depth ? k_end - p : G::depth;
    const bool first = p == k_begin, last = p + kb >= k_end;
    MatView<T> lhs = a.view.at(0, p);
    const bool packed = a.packed || a.scratch;
    if (a.packed) lhs.data = a.packed + p * a.packed_rows + a.first_row * kb;
    if (a.scratch) {
      gemm_pack_a<T>(lhs, m, kb, a.height, a.scratch);
      lhs.data = a.scratch;
    }
    const bool columns = packed || lhs.row == 1;
    for (int64_t j = 0; j < n; j += G::cols) {
      TileCall<T> t;
      t.k = kb;
      t.cols = n - j < G::cols ? n - j : G::cols;
      if (b.packed) {
        t.b = b.packed + j * b.packed_k + p * G::cols;
        t.b_stride = G::cols;
      } else if (b.in_place && t.cols == G::cols) {
        t.b = b.view.data + p * b.view.row + j;
        t.b_stride = b.view.row;
      } else {
        gemm_pack_b_panel<T>(b.view.at(p, j), kb, t.cols, b.scratch);
        t.b = b.scratch;
        t.b_stride = G::cols;
      }
      t.c_stride = ldc;
      t.init_stride = first ? init_stride : ldc;
      // The next packed panel comes while this one is used, a share of it with each tile: all of it at
      // the first tile is more than memory gives in that time.
      const T* soon = nullptr;
      if (b.packed && j + G::cols < n) soon = t.b + b.packed_k * G::cols;
      else if (b.packed && !last) soon = b.packed + (p + kb) * G::cols;
      for (int64_t i = 0; i < m; i += a.height) {
        const int64_t rows = m - i < a.height ? m - i : a.height;
        if (soon) {
          t.soon_step = (rows * G::cols + m - 1) / m;
          t.soon = soon + i * G::cols / m * kb;
        }
        t.a = packed ? lhs.data + i * kb : lhs.data + i * lhs.row;
        t.a_stride = packed ? rows : columns ? lhs.col : lhs.row;
        t.c = c + i * ldc + j;
        t.init = !first ? t.c : init ? init + i * init_stride + j : nullptr;
        gemm_tile<T>(rows, columns, t);
        if (last) post(t.c, ldc, i, j, rows, t.cols);
      }
    }
    p += kb;
  } while (p < k_end);
}

// One task's block on packed panels of b (b_k: their depth): c[0:m, 0:n] = init + a b, then post.
//   init     null, or rows init_stride apart (0: one row, a bias, for all); may be c itself
//   scratch  GemmTile<T>::scratch elements to pack A in, or null to read A in place
template <class T, class Post>
HB_INLINE void gemm_block(int64_t m, int64_t n, int64_t k, MatView<T> a, const T* b, int64_t b_k, const T* init,
                          int64_t init_stride, T* c, int64_t ldc, T* scratch, const Post& post) {
  using G = GemmTile<T>;
  const int64_t blocks = (m + G::block_rows - 1) / G::block_rows, tiles = (m + G::rows - 1) / G::rows;
  const int64_t step = scratch ? (tiles + blocks - 1) / (blocks ? blocks : 1) * G::rows : m;  // even blocks
  for (int64_t i = 0; i < m; i += step) {
    const int64_t rows = m - i < step ? m - i : step;
    const auto shifted = [&](T* tile, int64_t ld, int64_t row, int64_t col, int64_t r, int64_t w) {
      post(tile, ld, i + row, col, r, w);
    };
    gemm_run<T>(rows, n, 0, k, {a.at(i, 0), gemm_tile_rows<T>(rows), scratch}, {b, b_k},
                init ? init + i * init_stride : nullptr, init_stride, c + i * ldc, ldc, shifted);
  }
}

HB_CPU_END
