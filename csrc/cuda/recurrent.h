// What the whole-sequence recurrent kernels share. A block takes kRows samples through all steps: samples do not depend
// on each other, so blocks never wait for one another, and the recurrent matrix is read from L2 at each step. A step is
// the sums of all gates, a thread per column, and then the cell's formulas, a thread per unit. Formulas, masks and
// orders are those of cpu/recurrent.h; the gradient of the recurrent matrix is a product (product.h) over all steps.
//
// Everything with a time axis is read and written at one of two places: `at_time` for what follows the input's order
// (xp, mask, dxp) and `at` for what follows the order of processing (y, gates, cells, hidden).
#pragma once
#include "core/carver.h"
#include "cpu/kernel.h"
#include "cuda/block.h"
#include "cuda/product.h"
#include "ops/recurrent.h"

namespace hornbeam {

template <class T> HB_CALLED T activate_called(Activation a, T x) { return scalar::activate(a, x); }

// d * activation'(x), by y = activation(x).
namespace scalar {
template <class T> HB_CALLED T activation_grad(Activation a, T y, T d) {
  [[maybe_unused]] const T none{};
  switch (a) {
    case Activation::linear: return d;
#define HB_CASE(name, op, forward, slope) \
  case Activation::name: return slope;
      HB_ACTIVATIONS(HB_CASE)
#undef HB_CASE
  }
  return d;
}
}  // namespace scalar

struct Sequence {
  int64_t batch, steps, units, gates;
  int64_t backwards;    // not 0: from the last step to the first
  const uint8_t* mask;  // (batch, steps) or null

  HB_INLINE int64_t width() const { return gates * units; }
  HB_INLINE int64_t at_time(int64_t row, int64_t s) const { return row * steps + (backwards ? steps - 1 - s : s); }
  HB_INLINE int64_t at(int64_t row, int64_t s) const { return row * steps + s; }
  HB_INLINE bool skips(int64_t row, int64_t s) const { return mask && !mask[at_time(row, s)]; }

  int rows() const { return batch <= 128 ? 1 : 2; }  // of a block: as many blocks as there is use for
  int64_t blocks() const { return (batch + rows() - 1) / rows(); }
  unsigned threads() const {
    const int64_t wanted = (width() + kWarp - 1) / kWarp * kWarp;
    return static_cast<unsigned>(wanted < 512 ? wanted : 512);
  }
};

// ---- inside a block -------------------------------------------------------------------------------------
// The samples of a block, and its memory: `columns` values for each of them.
template <int kRows> struct BlockRows {
  int64_t first;
  int count;

  __device__ __forceinline__ explicit BlockRows(const Sequence& q) : first(blockIdx.x * static_cast<int64_t>(kRows)) {
    count = static_cast<int>(q.batch - first < kRows ? q.batch - first : kRows);
  }
  // Rows that the batch does not have compute what the last one does.
  __device__ __forceinline__ int64_t row(int r) const { return first + (r < count ? r : count - 1); }
};

// Where a block keeps what its steps hand on: shared memory, or where that is too small the workspace.
struct BlockMemory {
  void* workspace;  // or null
  int64_t elements;

  static constexpr int64_t kMostShared = 48 << 10;

  // A row of the block needs `elements`. Bytes of the workspace:
  template <class T> static int64_t bytes(const Sequence& q, int64_t elements) {
    const int64_t block = q.rows() * elements * static_cast<int64_t>(sizeof(T));
    return block <= kMostShared ? 0 : q.blocks() * block;
  }
  template <class T> static BlockMemory of(const Sequence& q, int64_t elements, void* workspace) {
    return {bytes<T>(q, elements) ? workspace : nullptr, q.rows() * elements};
  }
  template <class T> size_t shared_bytes() const { return workspace ? 0 : sizeof(T) * static_cast<size_t>(elements); }
  template <class T> __device__ __forceinline__ T* of_block(T* shared) const {
    return workspace ? static_cast<T*>(workspace) + blockIdx.x * elements : shared;
  }
};

// f(row, unit) for each of the block's.
template <int kRows, class F> __device__ __forceinline__ void each_unit(const Sequence& q, const F& f) {
  const int units = static_cast<int>(q.units);
  for (int i = static_cast<int>(threadIdx.x); i < kRows * units; i += static_cast<int>(blockDim.x))
    f(i / units, i % units);
}

// z (kRows, gates * units), columns [from, to): state (kRows, units) times the recurrent matrix. With a dropout mask
// (gates, batch, units) each gate sees the state times its own.
template <int kRows, class T>
__device__ __forceinline__ void gate_sums(const Sequence& q, const BlockRows<kRows>& rows, const T* state,
                                          const T* weights, const T* rec_mask, int64_t from, int64_t to, T* z) {
  const int64_t units = q.units, width = q.width();
  for (int64_t column = from + threadIdx.x; column < to; column += blockDim.x) {
    T sum[kRows] = {};
    const T* w = weights + column;
    if (rec_mask) {
      const T* mask = rec_mask + column / units * q.batch * units;
      for (int64_t k = 0; k < units; ++k, w += width)
        for (int r = 0; r < kRows; ++r)
          sum[r] = scalar::fma(state[r * units + k] * mask[rows.row(r) * units + k], *w, sum[r]);
    } else {
      for (int64_t k = 0; k < units; ++k, w += width)
        for (int r = 0; r < kRows; ++r) sum[r] = scalar::fma(state[r * units + k], *w, sum[r]);
    }
    for (int r = 0; r < kRows; ++r) z[r * width + column] = sum[r];
  }
}

// dstate (kRows, units) += d (kRows, gates * units), columns [from, to), times the transposed recurrent matrix: a warp
// for each unit, whose row of the matrix its lanes read together.
template <int kRows, class T>
__device__ __forceinline__ void state_sums(const Sequence& q, const BlockRows<kRows>& rows, const T* d,
                                           const T* weights, const T* rec_mask, int64_t from, int64_t to, T* dstate) {
  const int64_t units = q.units, width = q.width();
  const int lane = static_cast<int>(threadIdx.x % kWarp);
  for (int64_t unit = threadIdx.x / kWarp; unit < units; unit += blockDim.x / kWarp) {
    T sum[kRows] = {};
    for (int64_t column = from + lane; column < to; column += kWarp) {
      const T w = weights[unit * width + column];
      const T* mask = rec_mask ? rec_mask + column / units * q.batch * units + unit : nullptr;
      for (int r = 0; r < kRows; ++r) {
        const T given = d[r * width + column];
        sum[r] = scalar::fma(mask ? given * mask[rows.row(r) * units] : given, w, sum[r]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      const T all = warp_sum(sum[r]);
      if (lane == 0) dstate[r * units + unit] += all;
    }
  }
}

// ---- the gradient of the recurrent matrix ----------------------------------------------------------------
// Element (unit, (row, step)) of what a step's product multiplied.
template <class T> struct StateOfStep {
  static constexpr bool kDepthFast = false;
  using Line = int32_t;
  struct Depth { const T *state, *mask; };

  const T *rows, *h0;  // (batch, steps, units); (batch, units) or null
  const T* mask;       // (batch, units) or null
  int64_t units;
  Divider steps;
  int64_t shifted;  // not 0: it is the result of the step before, and h0 at first

  HB_INLINE Line line(int64_t, int64_t unit) const { return static_cast<int32_t>(unit); }
  HB_INLINE Depth depth(int64_t k) const {
    int64_t row = k;
    const int64_t step = steps.take(row);
    const T* before = h0 ? h0 + row * units : nullptr;
    const T* state = !shifted ? rows + k * units : step ? rows + (k - 1) * units : before;
    return {state, mask ? mask + row * units : nullptr};
  }
  HB_INLINE T at(Line unit, const Depth& d) const {
    if (!d.state) return T(0);
    return d.mask ? d.state[unit] * d.mask[unit] : d.state[unit];
  }
};

// Element (column, (row, step)) of gradients that follow the input's order.
template <class T> struct GradientOfStep {
  static constexpr bool kDepthFast = false;
  using Line = const T*;
  using Depth = int64_t;

  const T* data;
  int64_t pitch;
  Divider steps;
  int64_t backwards;

  HB_INLINE Line line(int64_t, int64_t column) const { return data + column; }
  HB_INLINE Depth depth(int64_t k) const {
    if (!backwards) return k * pitch;
    int64_t row = k;
    const int64_t step = steps.take(row);
    return (row * steps.d + steps.d - 1 - step) * pitch;
  }
  HB_INLINE T at(Line line, Depth depth) const { return line[depth]; }
};

// 1 everywhere: a product with it is the sum over all depths.
template <class T> struct Ones {
  static constexpr bool kDepthFast = true;
  using Line = int32_t;
  using Depth = int32_t;
  int64_t unused = 0;

  HB_INLINE Line line(int64_t, int64_t) const { return 0; }
  HB_INLINE Depth depth(int64_t) const { return 0; }
  HB_INLINE T at(Line, Depth) const { return T(1); }
};

// Those of a call, which share a workspace.
template <class T> struct WeightGradients {
  Lane& lane;
  const char* name;
  const Sequence& q;
  void* parts;

  static int64_t workspace(const Sequence& q) {
    int64_t most = 0;
    for (int64_t gates = 1; gates <= q.gates; ++gates)
      for (const int64_t m : {int64_t{1}, q.units}) {
        const int64_t bytes = product_workspace<T, GradientOfStep<T>>({1, m, gates * q.units, q.batch * q.steps});
        if (bytes > most) most = bytes;
      }
    return most;
  }

  StateOfStep<T> state_before(const T* y, const T* h0, const T* mask) const {
    return {y, h0, mask, q.units, Divider::of(q.steps), 1};
  }
  StateOfStep<T> kept(const T* rows) const { return {rows, nullptr, nullptr, q.units, Divider::of(q.steps), 0}; }

  // to (units, columns; pitch gates * units) = sum over rows and steps of left^T d.
  void add(const StateOfStep<T>& left, const T* d, int64_t pitch, int64_t columns, T* to) const {
    multiply<T>(lane, name, left, right(d, pitch), MatrixResult<T>{to, q.units, q.width(), 0},
                {1, q.units, columns, q.batch * q.steps}, parts);
  }
  // to (columns) = sum over rows and steps of d.
  void sum(const T* d, int64_t pitch, int64_t columns, T* to) const {
    multiply<T>(lane, name, Ones<T>{}, right(d, pitch), MatrixResult<T>{to, 1, columns, 0},
                {1, 1, columns, q.batch * q.steps}, parts);
  }
  // Of gates [first, first + count): each with its own mask, if there is one (gates, batch, units).
  void of_state(const T* y, const T* h0, const T* rec_mask, const T* d, int64_t first, int64_t count, T* dr) const {
    const int64_t units = q.units;
    if (!rec_mask)
      return add(state_before(y, h0, nullptr), d + first * units, q.width(), count * units, dr + first * units);
    for (int64_t g = first; g < first + count; ++g)
      add(state_before(y, h0, rec_mask + g * q.batch * units), d + g * units, q.width(), units, dr + g * units);
  }

 private:
  GradientOfStep<T> right(const T* d, int64_t pitch) const { return {d, pitch, Divider::of(q.steps), q.backwards}; }
};

// The workspace of a backward call. Over a null base it only measures.
template <class T> struct GradientSpace {
  T* dxp;   // when nobody else wants it
  T* kept;  // what else the cell keeps, of all rows and steps
  char *parts, *blocks;
  int64_t bytes;

  // `elements`: of a row of a block's memory.
  GradientSpace(const Sequence& q, int64_t elements, int64_t kept_elements, char* base) {
    Carver carve(base);
    dxp = carve.take<T>(q.batch * q.steps * q.width());
    kept = carve.take<T>(kept_elements);
    parts = carve.take<char>(WeightGradients<T>::workspace(q));
    blocks = carve.take<char>(BlockMemory::bytes<T>(q, elements));
    bytes = carve.used();
  }
};

// ---- launches -------------------------------------------------------------------------------------------
// `one` and `two` are a kernel for one and for two rows a block.
template <class T, class Call>
void launch_rows(Lane& lane, const char* name, void (*one)(Call), void (*two)(Call), const Call& call) {
  const Sequence& q = call.q;
  launch(lane, name, q.rows() == 1 ? one : two, dim3(static_cast<unsigned>(q.blocks())), dim3(q.threads()),
         call.memory.template shared_bytes<T>(), call);
}

// A cell of the call's dtype, K<float> or K<double>.
template <template <class> class K> static void run_recurrent(const KernelCall& c) {
  if (c.in[K<float>::kR].shape.count() == 0) return;
  c.in[K<float>::kR].dtype == DType::float64 ? K<double>(c).run() : K<float>(c).run();
}
template <template <class> class K> static int64_t recurrent_workspace(const KernelCall& c) {
  return c.in[K<float>::kR].dtype == DType::float64 ? K<double>(c).workspace() : K<float>(c).workspace();
}

template <template <class> class K> constexpr Kernel recurrent_kernel(const char* op) {
  return {op, "rows", nullptr, recurrent_workspace<K>, run_recurrent<K>};
}

}  // namespace hornbeam
