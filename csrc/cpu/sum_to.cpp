// sum_to: sums over the axes that broadcasting had added. Most calls sum columns (the gradient of a
// bias), some sum rows, few do anything else.
//
// Order of a sum: blocks of 64 rows are added up on their own, lane by lane; so the error grows with
// n/64 + 64 rounding errors and not with n. Large sums with few results are cut into 16 parts that
// are added at the end. Both depend on the shapes only.
#include "core/dispatch.h"
#include "cpu/export.h"
#include "cpu/lanes.h"
#include "cpu/parallel.h"

HB_CPU_BEGIN

// Axes of x from the outermost, merged while neighbours are both kept or both summed. `out` is the
// stride in the result, 0 for a summed axis.
struct SumAxes {
  int rank = 0;
  int64_t n[kMaxRank], out[kMaxRank];
};

static SumAxes sum_axes(const Shape& x, const Shape& y) {
  SumAxes a;
  for (int i = 0; i < x.rank; ++i) {
    if (x[i] == 1) continue;
    const int to = i - (x.rank - y.rank);
    const bool kept = to >= 0 && y[to] != 1;
    const int64_t stride = kept ? y.count(to + 1, y.rank) : 0;
    if (a.rank && (a.out[a.rank - 1] != 0) == kept) {
      a.n[a.rank - 1] *= x[i];
    } else {
      a.n[a.rank++] = x[i];
    }
    a.out[a.rank - 1] = stride;
  }
  return a;
}

// sum[c] (+)= sum over r of x[r][c] for W vectors of columns, or for the first `tail` lanes of one.
template <class T, int W, bool kTail>
HB_INLINE void sum_strip(const T* x, int64_t rows, int64_t ld, T* sum, bool add, int tail) {
  const auto get = [&](const T* p) { return kTail ? load_tail(p, tail) : load(p); };
  Vec<T> total[W] = {};
  for (int64_t r0 = 0; r0 < rows; r0 += 64) {
    Vec<T> part[W] = {};
    const int64_t end = smaller(rows, r0 + 64);
    for (int64_t r = r0; r < end; ++r)
      for (int w = 0; w < W; ++w) part[w] += get(x + r * ld + w * kLanes<T>);
    for (int w = 0; w < W; ++w) total[w] += part[w];
  }
  for (int w = 0; w < W; ++w) {
    T* to = sum + w * kLanes<T>;
    if (add) total[w] += get(to);
    kTail ? store_tail(to, total[w], tail) : store(to, total[w]);
  }
}

template <class T>
static void sum_strips(const T* x, int64_t rows, int64_t columns, int64_t ld, T* sum, bool add) {
  constexpr int kWide = 4, L = kLanes<T>;
  int64_t c = 0;
  for (; c + kWide * L <= columns; c += kWide * L) sum_strip<T, kWide, false>(x + c, rows, ld, sum + c, add, 0);
  for (; c + L <= columns; c += L) sum_strip<T, 1, false>(x + c, rows, ld, sum + c, add, 0);
  if (c < columns) sum_strip<T, 1, true>(x + c, rows, ld, sum + c, add, static_cast<int>(columns - c));
}

// A few columns would leave lanes idle. As many rows as a vector has lanes are one long row of whole
// vectors; its sums are folded at the end.
template <class T>
static void sum_columns(const T* x, int64_t rows, int64_t columns, int64_t ld, T* sum, bool add) {
  constexpr int L = kLanes<T>;
  const int64_t folded = rows / L, wide = columns * L;
  if (columns >= 4 * L || columns % L == 0 || ld != columns || folded < 4)
    return sum_strips(x, rows, columns, ld, sum, add);
  T sums[4 * L * L];
  sum_strips(x, folded, wide, wide, sums, false);
  sum_strips(sums, L, columns, columns, sum, add);
  sum_strips(x + folded * wide, rows - folded * L, columns, columns, sum, true);
}

template <class T>
static T sum_row(const T* x, int64_t n) {
  constexpr int64_t kStep = 4 * kLanes<T>;
  Vec<T> total = {};
  int64_t i = 0;
  while (i + kStep <= n) {
    Vec<T> part[4] = {};
    for (const int64_t end = smaller(n, i + 64 * kStep); i + kStep <= end; i += kStep)
      for (int w = 0; w < 4; ++w) part[w] += load(x + i + w * kLanes<T>);
    total += (part[0] + part[1]) + (part[2] + part[3]);
  }
  for (; i + kLanes<T> <= n; i += kLanes<T>) total += load(x + i);
  if (i < n) total += load_tail(x + i, static_cast<int>(n - i));
  return fold<T>(total, [](auto a, auto b) { return static_cast<decltype(a)>(a + b); });
}

// The two innermost axes as a matrix: `across` sums its columns, else its rows.
struct Matrix {
  bool across;
  int64_t rows, columns;
  HB_INLINE int64_t results() const { return across ? columns : rows; }
  // Tasks that the results can be cut into: rows one by one, columns by the line of cache or so.
  HB_INLINE int64_t cuts() const { return across ? columns / 64 : rows; }
};

template <class T>
static void sum_matrix(const Matrix& m, const T* x, int64_t ld, T* sum, bool add) {
  if (m.across) return sum_columns(x, m.rows, m.columns, ld, sum, add);
  for (int64_t r = 0; r < m.rows; ++r) {
    const T s = sum_row(x + r * ld, m.columns);
    sum[r] = add ? sum[r] + s : s;
  }
}

static Matrix inner_matrix(const SumAxes& a) {
  if (a.rank == 0) return {true, 1, 1};
  const bool across = a.out[a.rank - 1] != 0;
  const int64_t columns = a.n[a.rank - 1], rows = a.rank > 1 ? a.n[a.rank - 2] : 1;
  return {across, rows, columns};
}

constexpr int64_t kGrain = 32 * 1024;  // elements a task

// Parts that one large matrix is cut into along the summed axis, where its results are too few to cut.
static int64_t sum_parts(const SumAxes& a) {
  const Matrix m = inner_matrix(a);
  if (a.rank > 2 || m.cuts() >= 16 || m.results() * 16 > m.rows * m.columns) return 1;
  return larger(1, smaller(16, m.rows * m.columns / kGrain));
}

static int64_t sum_to_workspace(const KernelCall& c) {
  const SumAxes a = sum_axes(c.in[0].shape, c.out[0].shape);
  const int64_t parts = sum_parts(a);
  return parts > 1 ? parts * inner_matrix(a).results() * item_size(c.out[0].dtype) : 0;
}

// One matrix whose sums are long: parts side by side into the workspace, then those are summed.
template <class T>
static void sum_in_parts(const KernelCall& c, const Matrix& m, int64_t parts, const T* x, T* y) {
  T* partial = reinterpret_cast<T*>(c.workspace);
  parallel_tasks(c, parts, [&](int64_t p) {
    const int64_t n = m.across ? m.rows : m.columns, begin = n * p / parts, end = n * (p + 1) / parts;
    Matrix piece = m;
    (m.across ? piece.rows : piece.columns) = end - begin;
    sum_matrix(piece, x + begin * (m.across ? m.columns : 1), m.columns, partial + p * m.results(), false);
  });
  sum_columns(partial, parts, m.results(), m.results(), y, false);
}

template <class T>
static void sum_to(const KernelCall& c) {
  const SumAxes a = sum_axes(c.in[0].shape, c.out[0].shape);
  const T* x = c.in[0].as<const T>();
  T* y = c.out[0].as<T>();
  const int64_t count = c.in[0].shape.count();
  if (count == 0) {
    for (int64_t i = 0, n = c.out[0].shape.count(); i < n; ++i) y[i] = 0;
    return;
  }
  const Matrix m = inner_matrix(a);
  const int64_t parts = sum_parts(a);
  if (parts > 1) return sum_in_parts(c, m, parts, x, y);

  const int outer = a.rank > 2 ? a.rank - 2 : 0;
  int64_t kept = 1, summed = 1;
  for (int i = 0; i < outer; ++i) (a.out[i] ? kept : summed) *= a.n[i];
  // One task: some results of one matrix, for all the summed outer positions in turn.
  const int64_t pieces = larger(1, smaller(m.cuts(), m.rows * m.columns * summed / kGrain));
  const int64_t grain = larger(1, kGrain * pieces / (m.rows * m.columns * summed));
  parallel_pieces(c, kept * pieces, grain, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t piece = u % pieces, first = m.results() * piece / pieces;
      Matrix part = m;
      (m.across ? part.columns : part.rows) = m.results() * (piece + 1) / pieces - first;
      for (int64_t s = 0; s < summed; ++s) {
        int64_t in_kept = u / pieces, in_summed = s, from = 0, to = 0, stride = m.rows * m.columns;
        for (int i = outer - 1; i >= 0; --i) {
          int64_t& index = a.out[i] ? in_kept : in_summed;
          from += index % a.n[i] * stride;
          to += index % a.n[i] * a.out[i];
          index /= a.n[i];
          stride *= a.n[i];
        }
        sum_matrix(part, x + from + first * (m.across ? 1 : m.columns), m.columns, y + to + first, s > 0);
      }
    }
  });
}

static void run_sum_to(const KernelCall& c) {
  by_addition(c.in[0].dtype, [&](auto tag) { sum_to<typename decltype(tag)::type>(c); });
}

HB_EXPORT_KERNELS(sum_to, {"sum_to", "blocked", nullptr, sum_to_workspace, run_sum_to})

HB_CPU_END
