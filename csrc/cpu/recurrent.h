// What the whole-sequence recurrent kernels share. A call is cut into blocks of batch rows; each task
// takes its rows through all time steps alone, so there is no barrier between steps. A step is the
// product of the rows' state with the packed recurrent matrix, panel by panel, and the cell's
// formulas on each panel while it is in L1.
//
// Everything with a time axis is read and written at one of two places: `at_time` for what follows
// the input's order (xp, mask, dxp) and `at` for what follows the order of processing (y, gates,
// cells, hidden). They differ only with go_backwards.
#pragma once
#include "core/carver.h"
#include "cpu/export.h"
#include "cpu/gemm.h"
#include "cpu/parallel.h"

HB_CPU_BEGIN

// Units that are advanced together: a panel of the packed recurrent matrix.
template <class T>
constexpr int64_t kPanel = GemmTile<T>::cols;

// The distance of rows that are walked side by side: whole vectors, and a cache line off the powers of
// two, which would put all rows into the same cache sets.
template <class T>
HB_INLINE int64_t row_pitch(int64_t n) {
  return (n + kLanes<T> - 1) / kLanes<T> * kLanes<T> + 64 / int64_t(sizeof(T));
}

template <class T>
HB_INLINE Vec<T> load_some(const T* p, int64_t n) {
  return n >= kLanes<T> ? load(p) : load_tail(p, static_cast<int>(n));
}
template <class T>
HB_INLINE void store_some(T* p, Vec<T> v, int64_t n) {
  n >= kLanes<T> ? store(p, v) : store_tail(p, v, static_cast<int>(n));
}
// A row of an optional tensor: zeros where it is absent.
template <class T>
static void copy_or_zero(const T* src, T* dst, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes<T>) store_some(dst + i, src ? load_some(src + i, n - i) : Vec<T>{}, n - i);
}
template <class T>
HB_INLINE void copy(const T* src, T* dst, int64_t n) {
  copy_or_zero<T>(src, dst, n);
}
template <class T>
HB_INLINE void fill_zero(T* dst, int64_t n) {
  copy_or_zero<T>(nullptr, dst, n);
}

template <class T>
static void add_row(const T* src, T* dst, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes<T>)
    store_some(dst + i, load_some(dst + i, n - i) + load_some(src + i, n - i), n - i);
}

// Null where the tensor is absent.
template <class T>
HB_INLINE T* row_or_null(T* p, int64_t row, int64_t n) {
  return p ? p + row * n : nullptr;
}

template <class T>
HB_INLINE void swap_pointers(T*& a, T*& b) {
  T* t = a;
  a = b, b = t;
}

// ---- sizes, order and masks -------------------------------------------------------------------------
struct Sequence {
  int64_t batch, steps, units, gates;
  bool backwards;
  bool dropout;               // there is a rec_mask
  const unsigned char* mask;  // (batch, steps) or null

  // Row of a flat (batch * steps) matrix, in the input's order and in the order of processing.
  HB_INLINE int64_t at_time(int64_t row, int64_t s) const { return row * steps + (backwards ? steps - 1 - s : s); }
  HB_INLINE int64_t at(int64_t row, int64_t s) const { return row * steps + s; }
  HB_INLINE bool skips(int64_t row, int64_t s) const { return mask && !mask[at_time(row, s)]; }

  // An even number of blocks of at most 16 rows: enough of them to keep the product bound by
  // arithmetic and not by the reading of weights, and few enough for a step to live in L1 and L2.
  // What is too little work to share is one block.
  HB_INLINE int64_t blocks() const {
    if (batch < 2 || batch * steps * units * units * gates < 100000) return 1;
    return 2 * ((batch + 31) / 32);
  }
  HB_INLINE int64_t block_begin(int64_t block) const { return batch * block / blocks(); }
  HB_INLINE int64_t block_rows() const { return (batch + blocks() - 1) / blocks(); }  // of the largest
};

// ---- the packed recurrent matrix ----------------------------------------------------------------------
// Forward, each gate's (units, units) is packed by itself; backward, the transpose (gates * units,
// units) is packed whole, so that gate g is rows [g * units, (g + 1) * units) of every panel.
template <int kInput, int kGates, bool kBackward>
static int64_t packed_weight_bytes(const KernelCall& c) {
  const int64_t units = c.in[kInput].shape[0], k = kBackward ? kGates * units : units, parts = kBackward ? 1 : kGates;
  return parts * (c.in[kInput].dtype == DType::float64 ? gemm_packed_b<double>(k, units) * 8
                                                       : gemm_packed_b<float>(k, units) * 4);
}
template <class T>
static void pack_recurrent(const T* src, int64_t units, int64_t gates, bool backward, T* dst) {
  const int64_t panels = gemm_panels<T>(units);
  if (backward) return gemm_pack_b<T>({src, 1, gates * units}, gates * units, units, 0, panels, dst);
  for (int64_t g = 0; g < gates; ++g)
    gemm_pack_b<T>({src + g * units, gates * units, 1}, units, units, 0, panels,
                   dst + g * gemm_packed_b<T>(units, units));
}
template <int kInput, int kGates, bool kBackward>
static void pack_weights(const KernelCall& c, void* dst) {
  const TensorRef& w = c.in[kInput];
  if (w.dtype == DType::float64)
    pack_recurrent(w.as<double>(), w.shape[0], kGates, kBackward, static_cast<double*>(dst));
  else pack_recurrent(w.as<float>(), w.shape[0], kGates, kBackward, static_cast<float*>(dst));
}

// ---- forward ------------------------------------------------------------------------------------------
// The rows of one task, and what feeds each gate's product: the state itself (rows `ld` apart), or with
// dropout one masked copy per gate.
template <class T>
struct Rows {
  const T* rec_mask;  // (gates, batch, units) or null
  T* masked;          // (gates, rows, ld) where there is a rec_mask
  int64_t first, rows, ld;

  static HB_INLINE int64_t masked_elements(const Sequence& q) {
    return q.dropout ? q.gates * q.block_rows() * row_pitch<T>(q.units) : 0;
  }
  HB_INLINE const T* mask_row(const Sequence& q, int64_t g, int64_t r) const {
    return row_or_null(rec_mask, g * q.batch + first + r, q.units);
  }
  HB_INLINE void refresh(const Sequence& q, const T* state) const {
    if (!rec_mask) return;
    for (int64_t g = 0; g < q.gates; ++g)
      for (int64_t r = 0; r < rows; ++r) {
        const T* m = mask_row(q, g, r);
        T* to = masked + (g * rows + r) * ld;
        for (int64_t i = 0; i < q.units; ++i) to[i] = state[r * ld + i] * m[i];
      }
  }
  HB_INLINE const T* gate(int64_t g, const T* state) const { return rec_mask ? masked + g * rows * ld : state; }

  // What the rows carry from step to step: from the call's tensor (batch, units) before the first, zeros where it is
  // absent; into one after the last, if it is wanted.
  HB_INLINE void take_state(const T* from, T* state, int64_t units) const {
    for (int64_t r = 0; r < rows; ++r) copy_or_zero(row_or_null(from, first + r, units), state + r * ld, units);
  }
  HB_INLINE void give_state(const T* state, T* to, int64_t units) const {
    if (!to) return;
    for (int64_t r = 0; r < rows; ++r) copy(state + r * ld, to + (first + r) * units, units);
  }
};

// Asks for n elements ahead of their use (kWrite: ahead of being written).
template <bool kWrite, class T>
HB_INLINE void prefetch(const T* p, int64_t n) {
  for (int64_t i = 0; i < n; i += 64 / int64_t(sizeof(T))) __builtin_prefetch(p + i, kWrite);
}

// out (rows, kPanel) = init + a R_gate for the panel of units that begins at u; `weights` packed
// forward, a's rows `lda` apart. Of init and out only the columns that exist are touched. What the
// step will read and write far away is on its way while the products are summed: init, and `later`
// (null: nothing; rows `later_stride` apart).
template <class T>
static void panel_product(const Sequence& q, const T* weights, int64_t gate, int64_t u, int64_t rows, const T* a,
                          int64_t lda, const T* init, int64_t init_stride, T* out, const T* later = nullptr,
                          int64_t later_stride = 0) {
  const T* panel = weights + gate * gemm_packed_b<T>(q.units, q.units) + u * q.units;
  const int64_t n = smaller(kPanel<T>, q.units - u);
  for (int64_t r = 0; r < rows; ++r) {
    if (init && init_stride) prefetch<false>(init + r * init_stride, n);
    if (later) prefetch<true>(later + r * later_stride, n);
  }
  gemm_block<T>(rows, n, q.units, {a, lda, 1}, panel, q.units, init, init_stride, out, kPanel<T>, nullptr, NoPost{});
}

// ---- backward -----------------------------------------------------------------------------------------
// dstate (rows, units; ld) += sum over gates [g0, g1) of (d_gate R_gate^T) * rec_mask_gate; `weights`
// packed backward, d has gate g's units at g * units. scratch: (rows, kPanel) where there is a rec_mask.
// ahead(r) is called once for every row, spread over the products: what it prefetches arrives meanwhile.
template <class T, class Ahead>
HB_INLINE void backprop_state(const Sequence& q, const T* weights, const Rows<T>& in, int64_t g0, int64_t g1,
                              const T* d, int64_t ldd, T* dstate, int64_t ld, T* scratch, const Ahead& ahead) {
  const int64_t U = q.units, depth = q.gates * U;
  const auto product = [&](int64_t from, int64_t to, int64_t u, const T* init, T* out, int64_t ld_out) {
    gemm_block<T>(in.rows, smaller(kPanel<T>, U - u), (to - from) * U, {d + from * U, ldd, 1},
                  weights + u * depth + from * U * kPanel<T>, depth, init, ld_out, out, ld_out, nullptr, NoPost{});
  };
  const int64_t panels = gemm_panels<T>(U);
  for (int64_t p = 0; p < panels; ++p) {
    for (int64_t r = in.rows * p / panels; r < in.rows * (p + 1) / panels; ++r) ahead(r);
    const int64_t u = p * kPanel<T>;
    if (!in.rec_mask) {
      product(g0, g1, u, dstate + u, dstate + u, ld);
      continue;
    }
    for (int64_t g = g0; g < g1; ++g) {
      product(g, g + 1, u, nullptr, scratch, kPanel<T>);
      for (int64_t r = 0; r < in.rows; ++r) {
        const T* m = in.mask_row(q, g, r) + u;
        for (int64_t i = 0; i < smaller(kPanel<T>, U - u); ++i)
          dstate[r * ld + u + i] += scratch[r * kPanel<T> + i] * m[i];
      }
    }
  }
}

// The left factor of a recurrent matrix's gradient, (units) for each row and step.
template <class T> struct StepFactor {
  const T *rows, *h0;
  bool shifted;   // it is the result of the step before, and h0 at first
  const T* mask;  // (batch, units), if there is one, multiplies it
};
template <class T>
HB_INLINE StepFactor<T> state_at_start(const T* y, const T* h0, const T* mask) {
  return {y, h0, true, mask};
}
template <class T> HB_INLINE StepFactor<T> kept_of_step(const T* rows) { return {rows, nullptr, false, nullptr}; }

// Columns of a matrix whose rows are `pitch` elements apart.
template <class T> struct Columns {
  T* first;
  int64_t pitch, count;
};

namespace {  // a class's members are weak symbols unless it is the file's own

// The gradient of (part of) a recurrent matrix:
//   result (units, d.count) = sum over rows r and steps s of left(r, s)^T d(r, s)
// d follows the input's order.
template <class T>
struct WeightGradient {
  const Sequence& q;
  StepFactor<T> left;
  Columns<const T> d;
  Columns<T> result;
  T* scratch;  // scratch_elements()

  // Columns are shared out in groups of panels, so that the left factor is not read once for each panel.
  static constexpr int64_t kGroup = 4;
  static HB_INLINE int64_t groups(int64_t n) { return (gemm_panels<T>(n) + kGroup - 1) / kGroup; }
  static HB_INLINE int64_t group_scratch(int64_t m) { return GemmTile<T>::depth * (kGroup * kPanel<T> + m); }
  static HB_INLINE int64_t scratch_elements(const Sequence& q) {
    return groups(q.gates * q.units) * group_scratch(q.units);
  }

  void run(const KernelCall& call) const {
    parallel_tasks(call, groups(d.count), [&](int64_t group) { run_group(call, group); });
  }

 private:
  void run_group(const KernelCall& call, int64_t group) const {
    const int64_t column = group * kGroup * kPanel<T>, columns = smaller(kGroup * kPanel<T>, d.count - column);
    T* space = scratch + group * group_scratch(q.units);
    // left is read where it is. The state after (r, s) goes with d of step s + 1, and the last one with
    // nothing, which is a row of zeros in the packed d.
    accumulate(call, q.batch * q.steps, q.steps, left.rows, column, columns, space, false,
               [&](int64_t r, int64_t s) -> const T* {
                 s += left.shifted;
                 return s < q.steps ? d.first + q.at_time(r, s) * d.pitch : nullptr;
               });
    if (left.shifted && left.h0 && q.steps)
      accumulate(call, q.batch, 1, left.h0, column, columns, space, true,
                 [&](int64_t r, int64_t) { return d.first + q.at_time(r, 0) * d.pitch; });
  }

  // result += (or =) sum over i < count of a[i]^T d_row(i / steps, i % steps).
  template <class RowOf>
  void accumulate(const KernelCall& call, int64_t count, int64_t steps, const T* a, int64_t column, int64_t columns,
                  T* packed, bool add, const RowOf& d_row) const {
    const int64_t m = q.units, step = GemmTile<T>::depth;
    T *masked = packed + step * kGroup * kPanel<T>, *out = result.first + column;
    int64_t done = 0;
    do {
      const int64_t depth = smaller(step, count - done);
      for (int64_t i = 0; i < depth; ++i) {
        const int64_t r = (done + i) / steps;
        const T* row = d_row(r, done + i - r * steps);
        T* to = packed + i * kPanel<T>;
        for (int64_t j = 0; j < columns; j += kPanel<T>, to += depth * kPanel<T>)
          copy_or_zero(row ? row + column + j : nullptr, to, smaller(kPanel<T>, columns - j));
        if (left.mask)
          for (int64_t j = 0; j < m; ++j) masked[i * m + j] = a[(done + i) * m + j] * left.mask[r * m + j];
      }
      gemm_block<T>(m, columns, depth, {left.mask ? masked : a + done * m, 1, m}, packed, depth,
                    add || done ? out : nullptr, result.pitch, out, result.pitch, nullptr, NoPost{});
      done += depth;
    } while (done < count && !interrupted(call));
  }
};

}  // namespace

// ---- blocks -------------------------------------------------------------------------------------------
// A cell is a kernel with its arguments taken from the call. Its Space is what the task of a block works in.

template <class T>
HB_INLINE Rows<T> rows_of_block(const Sequence& q, const T* rec_mask, T* masked, int64_t block) {
  const int64_t first = q.block_begin(block);
  return {rec_mask, masked, first, q.block_begin(block + 1) - first, row_pitch<T>(q.units)};
}

// begin() gives the rows their states, advance() makes h_next of h, end() hands out the states after the last step.
template <class Cell>
HB_INLINE void run_forward(const Cell& cell, const KernelCall& call) {
  const Sequence& q = cell.q;
  parallel_tasks(call, q.blocks(), [&](int64_t block) {
    auto s = cell.space(call.workspace, block);
    const auto rows = rows_of_block(q, cell.rec_mask, s.masked, block);
    cell.begin(s, rows);
    for (int64_t step = 0; step < q.steps && !interrupted(call); ++step) {
      rows.refresh(q, s.h);
      cell.advance(s, rows, step);
      swap_pointers(s.h, s.h_next);
    }
    cell.end(s, rows);
  });
}

// begin() gives the rows the gradients of their last states, retreat() makes those of the states before a step.
template <class Cell>
HB_INLINE void run_backward(const Cell& cell, const KernelCall& call, char* spaces) {
  const Sequence& q = cell.q;
  parallel_tasks(call, q.blocks(), [&](int64_t block) {
    const auto s = cell.space(spaces, block);
    const auto rows = rows_of_block(q, cell.rec_mask, decltype(s.dh){}, block);
    cell.begin(s, rows);
    for (int64_t step = q.steps - 1; step >= 0 && !interrupted(call); --step) cell.retreat(s, rows, step);
    cell.end(s, rows);
  });
}

// A cell of the call's dtype, K<float> or K<double>.
template <template <class> class K>
static void run_recurrent(const KernelCall& c) {
  c.in[K<float>::kR].dtype == DType::float64 ? K<double>(c).run(c) : K<float>(c).run(c);
}
template <template <class> class K>
static int64_t recurrent_workspace(const KernelCall& c) {
  return c.in[K<float>::kR].dtype == DType::float64 ? K<double>(c).workspace() : K<float>(c).workspace();
}
template <template <class> class K, int kGates, bool kBackward>
constexpr Kernel recurrent_kernel(const char* op) {
  return {op,
          "rows",
          nullptr,
          recurrent_workspace<K>,
          run_recurrent<K>,
          K<float>::kR,
          packed_weight_bytes<K<float>::kR, kGates, kBackward>,
          pack_weights<K<float>::kR, kGates, kBackward>};
}

HB_CPU_END
