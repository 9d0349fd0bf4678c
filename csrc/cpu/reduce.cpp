// Reductions. Any set of axes becomes a few passes, innermost first, over (outer, n, inner) -> (outer,
// inner): along rows where inner is 1, down columns elsewhere. A pass with few and long sums cuts them
// into at most 16 parts, by shape alone.
//
// Sums of floats: every lane adds at most 16 values in a row, lanes fold as a tree, and blocks join in a
// compensated sum. The error stays below 32 roundings (2^-19 in float32) of the sum of magnitudes
// however long the sum, in each pass.
#include "ops/reduce.h"

#include "core/limits.h"
#include "cpu/export.h"
#include "cpu/lanes.h"
#include "cpu/parallel.h"
#include "cpu/sums.h"

HB_CPU_BEGIN

// ---- what merges -----------------------------------------------------------------------------------
struct Sum {
  template <class T>
  static constexpr T identity = T(0);
  template <class T>
  static constexpr bool compensated = kIsFloat<T>;
  template <class V>
  HB_INLINE V operator()(V a, V b) const {
    return a + b;
  }
};
struct Prod {
  template <class T>
  static constexpr T identity = T(1);
  template <class T>
  static constexpr bool compensated = false;
  template <class V>
  HB_INLINE V operator()(V a, V b) const {
    return a * b;
  }
};
struct Max {  // NaN if either is
  template <class T>
  static constexpr T identity = kLowest<T>;
  template <class T>
  static constexpr bool compensated = false;
  template <class V>
  HB_INLINE V operator()(V a, V b) const {
    return ((a > b) | (a != a)) ? a : b;
  }
};
struct Min {
  template <class T>
  static constexpr T identity = kHighest<T>;
  template <class T>
  static constexpr bool compensated = false;
  template <class V>
  HB_INLINE V operator()(V a, V b) const {
    return ((a < b) | (a != a)) ? a : b;
  }
};
struct All {  // of bytes 0 and 1; Max is Any
  template <class T>
  static constexpr T identity = T(1);
  template <class T>
  static constexpr bool compensated = false;
  template <class V>
  HB_INLINE V operator()(V a, V b) const {
    return a & b;
  }
};

// Adds a block's result to a running one. `rest` is used by compensated sums only.
template <class Op, class T>
HB_INLINE void join(Vec<T>& value, Vec<T>& rest, Vec<T> block) {
  const Vec<T> before = value;
  if constexpr (Op::template compensated<T>) {
    value = before + block;
    rest += rounded_away<Vec<T>>(before, block, value);
  } else {
    value = Op()(before, block);
  }
}
template <class Op, class T>
HB_INLINE Vec<T> finish(Vec<T> value, Vec<T> rest) {
  if constexpr (Op::template compensated<T>) return rounded<Vec<T>>(value, rest);
  else return value;
}

// ---- one row ---------------------------------------------------------------------------------------
template <class Op, class T>
static T reduce_row(const T* x, int64_t n) {
  constexpr int L = kLanes<T>, kParallel = 8, kBlock = 64;
  constexpr T id = Op::template identity<T>;
  Vec<T> value = splat<T>(id), rest{};
  int64_t i = 0;
  for (; i + kBlock * L <= n; i += kBlock * L) {
    Vec<T> part[kParallel];
    for (int u = 0; u < kParallel; ++u) part[u] = load(x + i + u * L);
    for (int k = kParallel; k < kBlock; k += kParallel)
      for (int u = 0; u < kParallel; ++u) part[u] = Op()(part[u], load(x + i + (k + u) * L));
    for (int w = kParallel / 2; w > 0; w /= 2)
      for (int u = 0; u < w; ++u) part[u] = Op()(part[u], part[u + w]);
    join<Op, T>(value, rest, part[0]);
  }
  if (i < n) {
    Vec<T> part[4];
    for (Vec<T>& p : part) p = splat<T>(id);
    for (; i + 4 * L <= n; i += 4 * L)
      for (int u = 0; u < 4; ++u) part[u] = Op()(part[u], load(x + i + u * L));
    for (int u = 0; u < 3; ++u)
      if (i + L <= n) part[u] = Op()(part[u], load(x + i)), i += L;
    if (i < n) part[3] = Op()(part[3], load_tail<T>(x + i, static_cast<int>(n - i), id));
    join<Op, T>(value, rest, Op()(Op()(part[0], part[1]), Op()(part[2], part[3])));
  }
  return fold<T>(finish<Op, T>(value, rest), Op());
}

// Rows shorter than a vector, as many as it has lanes: turned, so that lanes need no folding.
template <class Op, class T>
static void reduce_short_rows(const T* x, int64_t n, T* out) {
  constexpr int L = kLanes<T>;
  Vec<T> value = splat<T>(Op::template identity<T>);
  for (int64_t i = 0; i < n; ++i) {
    T column[L];
    for (int r = 0; r < L; ++r) column[r] = x[r * n + i];
    value = Op()(value, load(column));
  }
  store(out, value);
}

// ---- columns ---------------------------------------------------------------------------------------
constexpr int kTileVectors = 64;  // columns of a task: 4 KiB, so that the running state stays in L1
constexpr int kChunk = 16;        // rows added before they join the state

// n rows of `width` columns (at most a tile) into out.
template <class Op, class T>
static void reduce_tile(const T* x, int64_t stride, int64_t n, int64_t width, T* out) {
  constexpr int L = kLanes<T>;
  constexpr T id = Op::template identity<T>;
  Vec<T> value[kTileVectors], rest[kTileVectors];
  const int64_t vectors = (width + L - 1) / L;
  for (int64_t j = 0; j < vectors; ++j) value[j] = splat<T>(id), rest[j] = Vec<T>{};
  for (int64_t r = 0; r < n; r += kChunk) {
    const T* rows = x + r * stride;
    for (int64_t j = 0; j < vectors; ++j) {
      Vec<T> part[2] = {splat<T>(id), splat<T>(id)};
      const T* at = rows + j * L;
      if (j * L + L > width)
        for (int64_t i = 0; i < kChunk && r + i < n; ++i)
          part[0] = Op()(part[0], load_tail<T>(at + i * stride, static_cast<int>(width - j * L)));
      else if (r + kChunk <= n)
        for (int i = 0; i < kChunk; ++i) part[i & 1] = Op()(part[i & 1], load(at + i * stride));
      else
        for (int64_t i = 0; r + i < n; ++i) part[i & 1] = Op()(part[i & 1], load(at + i * stride));
      join<Op, T>(value[j], rest[j], Op()(part[0], part[1]));
    }
  }
  for (int64_t j = 0; j < vectors; ++j) {
    const int64_t left = width - j * L;
    if (left >= L) store<T>(out + j * L, finish<Op, T>(value[j], rest[j]));
    else store_tail<T>(out + j * L, finish<Op, T>(value[j], rest[j]), static_cast<int>(left));
  }
}

// Few columns: rows are joined until they are whole vectors, and the joined columns folded afterwards.
template <class Op, class T>
static void reduce_narrow(const T* x, int64_t n, int64_t inner, T* out) {
  constexpr int L = kLanes<T>;
  int64_t join_rows = 1;
  while (inner * join_rows % L) join_rows *= 2;
  const int64_t width = inner * join_rows, wide = n / join_rows;
  T joined[kTileVectors * L];
  reduce_tile<Op>(x, width, wide, width, joined);
  // At most a tile of values per column are left: the joined rows, and the rows after the last wide one.
  for (int64_t c = 0; c < inner; ++c) {
    T column[2 * L];
    int64_t k = 0;
    for (int64_t j = c; j < width; j += inner) column[k++] = joined[j];
    for (int64_t r = wide * join_rows; r < n; ++r) column[k++] = x[r * inner + c];
    out[c] = reduce_row<Op>(column, k);
  }
}

template <class Op, class T>
static void reduce_columns(const T* x, int64_t stride, int64_t n, int64_t width, T* out) {
  // Rows that are short and not whole vectors, so short that a wide row is less than a tile.
  if (stride == width && width < kTileVectors && width % kLanes<T> && n >= 2 * kLanes<T>)
    reduce_narrow<Op>(x, n, width, out);
  else reduce_tile<Op>(x, stride, n, width, out);
}

// ---- passes ------------------------------------------------------------------------------------------
template <class T>
constexpr int64_t kTile = kTileVectors * kLanes<T>;

template <class T>
static int64_t tiles_of(const ReducePass& p) {
  return p.inner == 1 ? 1 : ceil_div(p.inner, kTile<T>);
}

// Parts into which each sum is cut.
template <class T>
static int64_t splits_of(const ReducePass& p) {
  if (p.outer * tiles_of<T>(p) >= 16) return 1;
  const int64_t work = p.n * smaller(p.inner, kTile<T>), most = smaller(p.n, 16);
  return larger(1, smaller(work / 32768, most));
}

// Elements of workspace: the parts of one pass and what goes from pass to pass.
template <class T>
static int64_t scratch_of(const ReducePasses& passes) {
  int64_t parts = 0, between = 0;
  for (int i = 0; i < passes.count; ++i) {
    const ReducePass& p = passes.item[i];
    const int64_t out = p.outer * p.inner, splits = splits_of<T>(p);
    if (splits > 1 && splits * out > parts) parts = splits * out;
    if (i + 1 < passes.count) between += out;
  }
  return parts + between;
}

template <class Op, class T>
static void run_rows(const KernelCall& call, const ReducePass& p, const T* x, T* parts, T* out) {
  const int64_t splits = splits_of<T>(p);
  if (splits == 1)
    return parallel_ranges(call, p.outer, p.n, [&](int64_t from, int64_t to) {
      int64_t o = from;
      if (p.n <= kLanes<T>)
        for (; o + kLanes<T> <= to; o += kLanes<T>) reduce_short_rows<Op>(x + o * p.n, p.n, out + o);
      for (; o < to; ++o) out[o] = reduce_row<Op>(x + o * p.n, p.n);
    });
  parallel_tasks(call, p.outer * splits, [&](int64_t task) {
    const int64_t o = task / splits, s = task % splits, from = p.n * s / splits, to = p.n * (s + 1) / splits;
    parts[task] = reduce_row<Op>(x + o * p.n + from, to - from);
  });
  for (int64_t o = 0; o < p.outer; ++o) out[o] = reduce_row<Op>(parts + o * splits, splits);
}

template <class Op, class T>
static void run_columns(const KernelCall& call, const ReducePass& p, const T* x, T* parts, T* out) {
  const int64_t splits = splits_of<T>(p), tiles = tiles_of<T>(p), size = p.outer * p.inner;
  T* to = splits == 1 ? out : parts;
  const int64_t cost = p.n / splits * smaller(p.inner, kTile<T>);
  parallel_ranges(call, p.outer * tiles * splits, cost, [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      const int64_t s = task % splits, tile = task / splits % tiles, o = task / splits / tiles;
      const int64_t column = tile * kTile<T>, width = smaller(p.inner - column, kTile<T>);
      const int64_t from = p.n * s / splits, rows = p.n * (s + 1) / splits - from;
      reduce_columns<Op>(x + (o * p.n + from) * p.inner + column, p.inner, rows, width,
                         to + s * size + o * p.inner + column);
    }
  });
  if (splits > 1)
    for (int64_t c = 0; c < size; c += kTile<T>)
      reduce_columns<Op>(parts + c, size, splits, smaller(size - c, kTile<T>), out + c);
}

template <class Op, class T>
static void reduce(const KernelCall& call) {
  const ReducePasses passes = passes_of(call.in[0].shape, static_cast<const ReduceAttrs*>(call.attrs)->axes);
  const T* x = call.in[0].as<T>();
  T* out = call.out[0].as<T>();
  const int64_t size = call.out[0].shape.count();
  if (size == 0) return;
  if (passes.count == 0) {
    __builtin_memcpy(out, x, sizeof(T) * size);
    return;
  }
  T* between = reinterpret_cast<T*>(call.workspace);
  T* parts = between;
  for (int i = 0; i + 1 < passes.count; ++i) parts += passes.item[i].outer * passes.item[i].inner;
  for (int i = 0; i < passes.count; ++i) {
    const ReducePass& p = passes.item[i];
    T* to = i + 1 == passes.count ? out : between;
    p.inner == 1 ? run_rows<Op>(call, p, x, parts, to) : run_columns<Op>(call, p, x, parts, to);
    x = between;
    between += p.outer * p.inner;
  }
}

template <class T>
static void mean(const KernelCall& call) {
  reduce<Sum, T>(call);
  const int64_t size = call.out[0].shape.count();
  if (size == 0) return;
  T* out = call.out[0].as<T>();
  const T n = static_cast<T>(call.in[0].shape.count() / size);
  parallel_ranges(call, size, 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) out[i] /= n;
  });
}

// ---- positions ---------------------------------------------------------------------------------------
template <class Op, class T>
HB_INLINE int64_t first_match(const T* x, int64_t n) {
  const T best = reduce_row<Op>(x, n);
  const auto hit = [&](int64_t i) { return x[i] == best || x[i] != x[i]; };  // best is NaN if there is one
  int64_t from = 0;
  for (; from + 64 <= n; from += 64) {
    int any = 0;  // without a branch per element, so that this becomes vectors
    for (int64_t i = from; i < from + 64; ++i) any |= (x[i] == best) | (x[i] != x[i]);
    if (any) break;
  }
  while (!hit(from)) ++from;
  return from;
}

// Of `width` columns; `to` holds the positions found so far.
template <class Op, class T>
static void arg_columns(const T* x, int64_t stride, int64_t n, int64_t width, int64_t* to) {
  T best[kTile<T>];
  for (int64_t j = 0; j < width; ++j) best[j] = x[j], to[j] = 0;
  for (int64_t r = 1; r < n; ++r)
    for (int64_t j = 0; j < width; ++j) {
      const T v = x[r * stride + j], merged = Op()(best[j], v);
      const bool better = (merged != best[j]) & (best[j] == best[j]);
      to[j] = better ? r : to[j];
      best[j] = merged;
    }
}

template <class Op, class T>
static void arg(const KernelCall& call) {
  const Shape& shape = call.in[0].shape;
  const int64_t axis = static_cast<const ArgReduceAttrs*>(call.attrs)->axis;
  const int a = static_cast<int>(axis < 0 ? axis + shape.rank : axis);
  const ReducePass p = {shape.count(0, a), shape[a], shape.count(a + 1, shape.rank)};
  const T* x = call.in[0].as<T>();
  int64_t* out = call.out[0].as<int64_t>();
  if (p.inner == 1)
    return parallel_ranges(call, p.outer, 2 * p.n, [&](int64_t from, int64_t to) {
      for (int64_t o = from; o < to; ++o) out[o] = first_match<Op>(x + o * p.n, p.n);
    });
  const int64_t tiles = tiles_of<T>(p);
  parallel_ranges(call, p.outer * tiles, 2 * p.n * smaller(p.inner, kTile<T>), [&](int64_t from, int64_t to) {
    for (int64_t task = from; task < to; ++task) {
      const int64_t o = task / tiles, column = task % tiles * kTile<T>;
      const int64_t width = smaller(p.inner - column, kTile<T>);
      arg_columns<Op>(x + o * p.n * p.inner + column, p.inner, p.n, width, out + o * p.inner + column);
    }
  });
}

// ---- types -------------------------------------------------------------------------------------------
// f(a value of the element type). Sums and products of integers wrap around, so they are unsigned.
template <class F>
HB_INLINE auto with_type(DType t, const F& f) {
  switch (t) {
    case DType::int8: return f(int8_t());
    case DType::uint16: return f(uint16_t());
    case DType::int16: return f(int16_t());
    case DType::int32: return f(int32_t());
    case DType::int64: return f(int64_t());
    case DType::float32: return f(float());
    case DType::float64: return f(double());
    default: return f(uint8_t());
  }
}
template <class F>
HB_INLINE auto with_wrapping_type(DType t, const F& f) {
  switch (t) {
    case DType::uint16:
    case DType::int16: return f(uint16_t());
    case DType::int32: return f(uint32_t());
    case DType::int64: return f(uint64_t());
    case DType::float32: return f(float());
    case DType::float64: return f(double());
    default: return f(uint8_t());
  }
}

static bool supports(const KernelCall& call) { return call.in[0].dtype != DType::float16; }
static int64_t workspace(const KernelCall& call) {
  const ReducePasses passes = passes_of(call.in[0].shape, static_cast<const ReduceAttrs*>(call.attrs)->axes);
  return with_type(call.in[0].dtype, [&](auto t) { return int64_t(sizeof t) * scratch_of<decltype(t)>(passes); });
}
template <class Op>
static void run_wrapping(const KernelCall& call) {
  with_wrapping_type(call.in[0].dtype, [&](auto t) { reduce<Op, decltype(t)>(call); });
}
template <class Op>
static void run_ordered(const KernelCall& call) {
  with_type(call.in[0].dtype, [&](auto t) { reduce<Op, decltype(t)>(call); });
}
template <class Op>
static void run_arg(const KernelCall& call) {
  with_type(call.in[0].dtype, [&](auto t) { arg<Op, decltype(t)>(call); });
}
static void run_mean(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? mean<double>(call) : mean<float>(call);
}

HB_EXPORT_KERNELS(reduce, {"reduce_sum", "passes", supports, workspace, run_wrapping<Sum>},
                  {"reduce_mean", "passes", supports, workspace, run_mean},
                  {"reduce_prod", "passes", supports, workspace, run_wrapping<Prod>},
                  {"reduce_max", "passes", supports, workspace, run_ordered<Max>},
                  {"reduce_min", "passes", supports, workspace, run_ordered<Min>},
                  {"reduce_any", "passes", supports, workspace, reduce<Max, uint8_t>},
                  {"reduce_all", "passes", supports, workspace, reduce<All, uint8_t>},
                  {"argmax", "rows_or_columns", supports, nullptr, run_arg<Max>},
                  {"argmin", "rows_or_columns", supports, nullptr, run_arg<Min>})

HB_CPU_END
