// Products c = a b whose factors need not be matrices in memory: each says what its element (line, depth) is. The lines
// of a are the rows of c, those of b its columns; c(i, j) is the sum over all depths k of a(i, k) b(j, k).
//
// A factor has
//   kDepthFast          whether neighbours in depth are neighbours in memory, or those in line
//   Line line(p, i)     what there is to know of line i of product p
//   Depth depth(k)      what there is to know of depth k
//   T at(line, depth)
// and the result
//   Row row(p, i)       what there is to know of row i of product p
//   put(row, j, value)
//
// Which thread adds what in which order follows from the size alone.
#pragma once
#include "cuda/divider.h"
#include "cuda/gpu.h"
#include "cuda/scalar.h"

namespace hornbeam {

struct ProductSize {
  int64_t products, m, n, k;
  HB_INLINE int64_t results() const { return products * m * n; }
};

// How a product is shared out: a block makes a tile of one product, over one part of the depth. Parts are added by
// another launch.
struct ProductCut {
  ProductSize size;
  int64_t row_tiles, column_tiles, splits;

  static constexpr int64_t kFewRows = 8;  // up to which all rows are one tile, and b is read once
  static constexpr int64_t kDepth = 16;   // of a step of a tile

  // Tiles have `height` rows and `width` columns.
  static ProductCut of(const ProductSize& size, int64_t height, int64_t width) {
    ProductCut cut{size, (size.m + height - 1) / height, (size.n + width - 1) / width, 1};
    const int64_t tiles = size.products * cut.row_tiles * cut.column_tiles;
    constexpr int64_t kEnough = 256, kShortest = 256;  // blocks for any GPU; depths worth a block of their own
    if (tiles > 0 && tiles < kEnough) {
      const int64_t wanted = kEnough / tiles, most = size.k / kShortest;
      cut.splits = wanted < most ? wanted : most;
      if (cut.splits < 1) cut.splits = 1;
    }
    return cut;
  }
  int64_t blocks() const { return size.products * row_tiles * column_tiles * splits; }
  int64_t parts() const { return splits > 1 ? splits * size.results() : 0; }  // elements that are kept in between
};

// A block's place in it.
struct ProductTile {
  int64_t product, split, row, column, from, to;  // [from, to): depths

  HB_INLINE ProductTile(const ProductCut& cut, int64_t block, int64_t height, int64_t width) {
    // Neighbours share rows of a.
    column = block % cut.column_tiles * width;
    block /= cut.column_tiles;
    row = block % cut.row_tiles * height;
    block /= cut.row_tiles;
    split = block % cut.splits;
    product = block / cut.splits;
    const int64_t steps = (cut.size.k + ProductCut::kDepth - 1) / ProductCut::kDepth;
    from = steps * split / cut.splits * ProductCut::kDepth;
    to = steps * (split + 1) / cut.splits * ProductCut::kDepth;
    if (to > cut.size.k) to = cut.size.k;
  }
  // Where element (i, j) of the part is kept.
  HB_INLINE int64_t part(const ProductSize& s, int64_t i, int64_t j) const {
    return ((split * s.products + product) * s.m + i) * s.n + j;
  }
};

// ---- tiles ----------------------------------------------------------------------------------------------
// 256 threads make 16 kPer rows by as many columns, each of them kPer by kPer, from a slice of both factors in shared
// memory: 16 depths at a time, while the next 16 are on their way.

template <class T> struct alignas(16) Four { T v[4]; };

template <int kPer> struct TileShape {
  static constexpr int kThreads = 256, kSide = 16 * kPer;
  static constexpr int kPitch = kSide + 4;  // keeps stores of neighbouring depths in different banks
  static constexpr int kDepth = static_cast<int>(ProductCut::kDepth);
  static constexpr int kSlice = kDepth * kPitch;
  // Register i of a thread's part belongs to this line of the tile: in fours, which are read at once.
  static HB_INLINE int line(int thread, int i) { return i / 4 * 64 + thread * 4 + i % 4; }
};

// What a thread brings of a factor: kPer elements of each slice.
template <int kPer, class T, class F> class TileFetch {
 public:
  __device__ __forceinline__ TileFetch(const F& factor, int64_t product, int64_t first, int64_t count)
      : thread_(static_cast<int>(threadIdx.x)) {
    for (int j = 0; j < kLines; ++j) {
      const int64_t i = first + (F::kDepthFast ? thread_ / S::kDepth + 16 * j : thread_ % S::kSide);
      there_[j] = i < count;
      line_[j] = factor.line(product, there_[j] ? i : first);
    }
  }
  __device__ __forceinline__ void fetch(const F& factor, int64_t from, int64_t to) {
    if constexpr (F::kDepthFast) {
      const int64_t k = from + thread_ % S::kDepth;
      const typename F::Depth depth = factor.depth(k < to ? k : from);
      for (int j = 0; j < kPer; ++j) held_[j] = k < to && there_[j] ? factor.at(line_[j], depth) : T(0);
    } else {
      for (int j = 0; j < kPer; ++j) {
        const int64_t k = from + thread_ / S::kSide + j * kApart;
        held_[j] = k < to && there_[0] ? factor.at(line_[0], factor.depth(k)) : T(0);
      }
    }
  }
  __device__ __forceinline__ void store(T* slice) const {
    for (int j = 0; j < kPer; ++j)
      if constexpr (F::kDepthFast) slice[thread_ % S::kDepth * S::kPitch + thread_ / S::kDepth + 16 * j] = held_[j];
      else slice[(thread_ / S::kSide + j * kApart) * S::kPitch + thread_ % S::kSide] = held_[j];
  }

 private:
  using S = TileShape<kPer>;
  static constexpr int kLines = F::kDepthFast ? kPer : 1, kApart = S::kThreads / S::kSide;
  int thread_;
  bool there_[kLines];
  typename F::Line line_[kLines];
  T held_[kPer];
};

template <int kPer, class T, class A, class B, class R>
__global__ void __launch_bounds__(256)
    product_tiles(GPU_PARAM A a, GPU_PARAM B b, GPU_PARAM R result, T* parts, GPU_PARAM ProductCut cut) {
  using S = TileShape<kPer>;
  GPU_SHARED(T, slices);  // of a and of b, twice
  const ProductTile tile(cut, blockIdx.x, S::kSide, S::kSide);
  TileFetch<kPer, T, A> left(a, tile.product, tile.row, cut.size.m);
  TileFetch<kPer, T, B> right(b, tile.product, tile.column, cut.size.n);
  const int across = static_cast<int>(threadIdx.x % 16), down = static_cast<int>(threadIdx.x / 16);
  T sum[kPer][kPer] = {};
  T* now = slices;
  if (tile.from < tile.to) {
    left.fetch(a, tile.from, tile.to);
    right.fetch(b, tile.from, tile.to);
    left.store(now);
    right.store(now + S::kSlice);
  }
  __syncthreads();
  for (int64_t k = tile.from; k < tile.to; k += S::kDepth) {
    T* const next = slices + (now == slices ? 2 * S::kSlice : 0);
    const bool more = k + S::kDepth < tile.to;
    if (more) {
      left.fetch(a, k + S::kDepth, tile.to);
      right.fetch(b, k + S::kDepth, tile.to);
    }
    for (int d = 0; d < S::kDepth; ++d) {
      Four<T> rows[kPer / 4], columns[kPer / 4];
      for (int q = 0; q < kPer / 4; ++q) {
        rows[q] = *reinterpret_cast<const Four<T>*>(now + d * S::kPitch + S::line(down, 4 * q));
        columns[q] = *reinterpret_cast<const Four<T>*>(now + S::kSlice + d * S::kPitch + S::line(across, 4 * q));
      }
      for (int i = 0; i < kPer; ++i)
        for (int j = 0; j < kPer; ++j)
          sum[i][j] = scalar::fma(rows[i / 4].v[i % 4], columns[j / 4].v[j % 4], sum[i][j]);
    }
    if (more) {
      left.store(next);
      right.store(next + S::kSlice);
    }
    __syncthreads();
    now = next;
  }
  for (int i = 0; i < kPer; ++i) {
    const int64_t row = tile.row + S::line(down, i);
    if (row >= cut.size.m) continue;
    const typename R::Row at = result.row(tile.product, row);
    for (int j = 0; j < kPer; ++j) {
      const int64_t column = tile.column + S::line(across, j);
      if (column >= cut.size.n) continue;
      if (parts) parts[tile.part(cut.size, row, column)] = sum[i][j];
      else result.put(at, column, sum[i][j]);
    }
  }
}

// ---- few rows -------------------------------------------------------------------------------------------
// Bound by reading b: each element is read once, by one thread, and met by all rows. The threads of a column each take
// a share of the depth.

template <bool kDepthFast> struct FewRowsShape {
  static constexpr int kThreads = 256, kColumns = kDepthFast ? 8 : 32, kShares = kThreads / kColumns;
};

template <int kRows, class T, class A, class B, class R>
__global__ void __launch_bounds__(256)
    product_of_few_rows(GPU_PARAM A a, GPU_PARAM B b, GPU_PARAM R result, T* parts, GPU_PARAM ProductCut cut) {
  using S = FewRowsShape<B::kDepthFast>;
  GPU_SHARED(T, sums);  // (share, row, column)
  const ProductTile tile(cut, blockIdx.x, kRows, S::kColumns);
  const int thread = static_cast<int>(threadIdx.x);
  const int column = B::kDepthFast ? thread / S::kShares : thread % S::kColumns;
  const int share = B::kDepthFast ? thread % S::kShares : thread / S::kColumns;
  const bool there = tile.column + column < cut.size.n;
  const typename B::Line right = b.line(tile.product, there ? tile.column + column : tile.column);
  typename A::Line left[kRows];
  for (int r = 0; r < kRows; ++r) left[r] = a.line(tile.product, r < cut.size.m ? r : 0);
  T sum[kRows] = {};
  if (there)
    for (int64_t k = tile.from + share; k < tile.to; k += S::kShares) {
      const T w = b.at(right, b.depth(k));
      const typename A::Depth depth = a.depth(k);
      for (int r = 0; r < kRows; ++r) sum[r] = scalar::fma(a.at(left[r], depth), w, sum[r]);
    }
  for (int r = 0; r < kRows; ++r) sums[(share * kRows + r) * S::kColumns + column] = sum[r];
  __syncthreads();
  const int row = thread / S::kColumns;
  const int64_t to = tile.column + thread % S::kColumns;
  if (row >= kRows || row >= cut.size.m || to >= cut.size.n) return;
  T all = 0;
  for (int s = 0; s < S::kShares; ++s) all += sums[s * kRows * S::kColumns + thread];
  if (parts) parts[tile.part(cut.size, row, to)] = all;
  else result.put(result.row(tile.product, row), to, all);
}

// ---- what kernels call -----------------------------------------------------------------------------------
enum class ProductWay { few_rows, small_tiles, large_tiles };

template <class T, class B> struct ProductPlan {
  ProductWay way;
  ProductCut cut;

  static ProductPlan of(const ProductSize& size) {
    using Few = FewRowsShape<B::kDepthFast>;
    if (size.m <= ProductCut::kFewRows)
      return {ProductWay::few_rows, ProductCut::of(size, ProductCut::kFewRows, Few::kColumns)};
    const ProductCut large = ProductCut::of(size, TileShape<8>::kSide, TileShape<8>::kSide);
    // Where there are enough of them: a large tile reads half as much for each product.
    if (sizeof(T) == 4 && size.products * large.row_tiles * large.column_tiles >= 128)
      return {ProductWay::large_tiles, large};
    return {ProductWay::small_tiles, ProductCut::of(size, TileShape<4>::kSide, TileShape<4>::kSide)};
  }
};

// Bytes that a product needs between its launches.
template <class T, class B> int64_t product_workspace(const ProductSize& size) {
  return ProductPlan<T, B>::of(size).cut.parts() * static_cast<int64_t>(sizeof(T));
}

template <class T, class R>
static void add_parts(Lane& lane, const char* name, const R& result, const T* parts, const ProductCut& cut) {
  const int64_t results = cut.size.results(), splits = cut.splits;
  const Divider rows = Divider::of(cut.size.m), columns = Divider::of(cut.size.n);
  each(lane, name, results, [=] GPU_LAMBDA(int64_t i) {
    T all = parts[i];
    for (int64_t s = 1; s < splits; ++s) all += parts[s * results + i];
    int64_t product = i;
    const int64_t column = columns.take(product), row = rows.take(product);
    result.put(result.row(product, row), column, all);
  });
}

template <class T, class A, class B, class R>
void multiply(Lane& lane, const char* name, const A& a, const B& b, const R& result, const ProductSize& size,
              void* workspace) {
  if (size.results() == 0) return;
  const auto [way, cut] = ProductPlan<T, B>::of(size);
  T* const parts = cut.splits > 1 ? static_cast<T*>(workspace) : nullptr;
  const dim3 blocks(static_cast<unsigned>(cut.blocks())), threads(256);
  const auto slices = [](int slice) { return sizeof(T) * 4 * static_cast<size_t>(slice); };
  if (way == ProductWay::few_rows && size.m == 1)
    launch(lane, name, product_of_few_rows<1, T, A, B, R>, blocks, threads, sizeof(T) * 256, a, b, result, parts, cut);
  else if (way == ProductWay::few_rows)
    launch(lane, name, product_of_few_rows<8, T, A, B, R>, blocks, threads, sizeof(T) * 256 * 8, a, b, result, parts,
           cut);
  else if constexpr (sizeof(T) == 4) {
    if (way == ProductWay::large_tiles)
      launch(lane, name, product_tiles<8, T, A, B, R>, blocks, threads, slices(TileShape<8>::kSlice), a, b, result,
             parts, cut);
    else
      launch(lane, name, product_tiles<4, T, A, B, R>, blocks, threads, slices(TileShape<4>::kSlice), a, b, result,
             parts, cut);
  } else {
    launch(lane, name, product_tiles<4, T, A, B, R>, blocks, threads, slices(TileShape<4>::kSlice), a, b, result, parts,
           cut);
  }
  if (parts) add_parts<T>(lane, name, result, parts, cut);
}

// ---- common factors and results --------------------------------------------------------------------------
// A matrix in memory; one of its two steps is 1. Products find theirs by `batch`.
struct ProductBatch {
  int32_t rank = 0, unused = 0;
  Divider n[kMaxRank];
  int64_t step[kMaxRank] = {};

  HB_INLINE int64_t offset(int64_t product) const {
    int64_t at = 0;
    for (int d = rank - 1; d >= 0; --d) at += n[d].take(product) * step[d];
    return at;
  }
  // Product after product, `step` apart.
  static ProductBatch each_after(int64_t step) {
    ProductBatch b;
    b.rank = 1;
    b.n[0] = Divider::of(INT64_MAX);
    b.step[0] = step;
    return b;
  }
};

template <class T, bool kFast> struct MatrixFactor {
  static constexpr bool kDepthFast = kFast;
  using Line = const T*;
  using Depth = int64_t;

  const T* data;
  int64_t pitch;  // of what is not neighbours in memory
  ProductBatch batch;

  HB_INLINE Line line(int64_t product, int64_t i) const {
    return data + batch.offset(product) + (kFast ? i * pitch : i);
  }
  HB_INLINE Depth depth(int64_t k) const { return kFast ? k : k * pitch; }
  HB_INLINE T at(Line line, Depth depth) const { return line[depth]; }
};

// `line` and `depth` exchanged.
template <class F> struct TurnedFactor {
  static constexpr bool kDepthFast = !F::kDepthFast;
  using Line = typename F::Depth;
  using Depth = typename F::Line;

  F factor;

  HB_INLINE Line line(int64_t, int64_t i) const { return factor.depth(i); }
  HB_INLINE Depth depth(int64_t k) const { return factor.line(0, k); }
  HB_INLINE auto at(const Line& line, const Depth& depth) const { return factor.at(depth, line); }
};

// Called with where its result goes: nothing need survive the call.
template <class T> HB_CALLED void store_activated(Activation a, T x, T* to) { *to = scalar::activate(a, x); }
template <class T> HB_INLINE void store_result(Activation a, T x, T* to) {
  if (a == Activation::linear) *to = x;
  else store_activated(a, x, to);
}

// A matrix in memory, with what comes after the sum.
template <class T> struct MatrixResult {
  using Row = T*;

  T* data;
  int64_t m, pitch, step;  // step: from product to product
  const T* bias = nullptr;
  Activation activation = Activation::linear;
  int32_t unused = 0;

  HB_INLINE Row row(int64_t product, int64_t i) const { return data + product * step + i * pitch; }
  HB_INLINE void put(Row row, int64_t column, T value) const {
    if (bias) value += bias[column];
    store_result(activation, value, row + column);
  }
};

}  // namespace hornbeam
