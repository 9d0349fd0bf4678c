// Long short-term memory over whole sequences, gates i, f, c, o:
//   i = rec(z_i)  f = rec(z_f)  g = act(z_c)  o = rec(z_o),   z = xp + h R
//   c' = f c + i g    h' = o act(c')
#include "cuda/export.h"
#include "cuda/recurrent.h"

namespace hornbeam {

static constexpr int kLstmGates = 4;

// ---- forward --------------------------------------------------------------------------------------------
template <class T> struct LstmCall {
  Sequence q;
  const T *xp, *h0, *c0, *weights, *rec_mask;
  T *y, *h_out, *c_out, *gates, *cells;
  BlockMemory memory;
  Activation act, rec;

  static constexpr int64_t elements(const Sequence& q) { return (2 + kLstmGates) * q.units; }
};

template <int kRows, class T> __global__ void __launch_bounds__(512) lstm_rows(GPU_PARAM LstmCall<T> a) {
  GPU_SHARED(T, shared);
  const Sequence& q = a.q;
  const int64_t U = q.units, W = kLstmGates * U;
  const BlockRows<kRows> rows(q);
  T* const h = a.memory.of_block(shared);
  T* const c = h + kRows * U;
  T* const z = c + kRows * U;
  each_unit<kRows>(q, [&](int r, int u) {
    h[r * U + u] = a.h0 ? a.h0[rows.row(r) * U + u] : T(0);
    c[r * U + u] = a.c0 ? a.c0[rows.row(r) * U + u] : T(0);
  });
  __syncthreads();
  for (int64_t step = 0; step < q.steps; ++step) {
    gate_sums(q, rows, h, a.weights, a.rec_mask, 0, W, z);
    __syncthreads();
    each_unit<kRows>(q, [&](int r, int u) {
      const int64_t row = rows.row(r), out = q.at(row, step);
      const T *x = a.xp + q.at_time(row, step) * W + u, *sum = z + r * W + u;
      const T i = activate_called(a.rec, sum[0] + x[0]), f = activate_called(a.rec, sum[U] + x[U]);
      const T g = activate_called(a.act, sum[2 * U] + x[2 * U]), o = activate_called(a.rec, sum[3 * U] + x[3 * U]);
      T &cell = c[r * U + u], &state = h[r * U + u];
      if (!q.skips(row, step)) {
        cell = scalar::fma(f, cell, i * g);
        state = o * activate_called(a.act, cell);
      }
      if (r >= rows.count) return;
      if (a.y) a.y[out * U + u] = state;
      if (a.cells) a.cells[out * U + u] = cell;
      if (a.gates) {
        T* const to = a.gates + out * W + u;
        to[0] = i;
        to[U] = f;
        to[2 * U] = g;
        to[3 * U] = o;
      }
    });
    __syncthreads();
  }
  each_unit<kRows>(q, [&](int r, int u) {
    if (r >= rows.count) return;
    if (a.h_out) a.h_out[rows.row(r) * U + u] = h[r * U + u];
    if (a.c_out) a.c_out[rows.row(r) * U + u] = c[r * U + u];
  });
}

template <class T> struct Lstm {
  enum Input { kXp, kH0, kC0, kR, kMask, kRecMask };

  explicit Lstm(const KernelCall& c) : call(c) {
    const auto& attrs = *static_cast<const LstmAttrs*>(c.attrs);
    const Shape& x = c.in[kXp].shape;
    a.q = {x[0], x[1], c.in[kR].shape[0], kLstmGates, attrs.go_backwards, data_of<const uint8_t>(c.in[kMask])};
    a.xp = data_of<const T>(c.in[kXp]), a.h0 = data_of<const T>(c.in[kH0]), a.c0 = data_of<const T>(c.in[kC0]);
    a.weights = data_of<const T>(c.in[kR]), a.rec_mask = data_of<const T>(c.in[kRecMask]);
    a.y = data_of<T>(c.out[0]), a.h_out = data_of<T>(c.out[1]), a.c_out = data_of<T>(c.out[2]);
    a.gates = data_of<T>(c.out[3]), a.cells = data_of<T>(c.out[4]);
    a.act = attrs.activation, a.rec = attrs.recurrent_activation;
    a.memory = BlockMemory::of<T>(a.q, a.elements(a.q), c.workspace);
  }
  int64_t workspace() const { return BlockMemory::bytes<T>(a.q, a.elements(a.q)); }
  void run() const { launch_rows<T>(*call.lane, "lstm", lstm_rows<1, T>, lstm_rows<2, T>, a); }

  const KernelCall& call;
  LstmCall<T> a{};
};

// ---- backward -------------------------------------------------------------------------------------------
template <class T> struct LstmGradCall {
  Sequence q;
  const T *dy, *dh, *dc, *gates, *cells, *c0, *weights, *rec_mask;
  T *dxp, *dh0, *dc0;
  BlockMemory memory;
  Activation act, rec;

  static constexpr int64_t elements(const Sequence& q) { return (2 + kLstmGates) * q.units; }
};

template <int kRows, class T> __global__ void __launch_bounds__(512) lstm_grad_rows(GPU_PARAM LstmGradCall<T> a) {
  GPU_SHARED(T, shared);
  const Sequence& q = a.q;
  const int64_t U = q.units, W = kLstmGates * U;
  const BlockRows<kRows> rows(q);
  T* const dh = a.memory.of_block(shared);  // of the state; of it what reaches the state before
  T* const dc = dh + kRows * U;
  T* const d = dc + kRows * U;  // of the gates' sums
  each_unit<kRows>(q, [&](int r, int u) {
    dh[r * U + u] = a.dh ? a.dh[rows.row(r) * U + u] : T(0);
    dc[r * U + u] = a.dc ? a.dc[rows.row(r) * U + u] : T(0);
  });
  for (int64_t step = q.steps - 1; step >= 0; --step) {
    each_unit<kRows>(q, [&](int r, int u) {
      const int64_t row = rows.row(r), here = q.at(row, step);
      T &dstate = dh[r * U + u], &dcell = dc[r * U + u];
      if (a.dy) dstate += a.dy[here * U + u];
      T sum[kLstmGates] = {};
      if (!q.skips(row, step)) {
        const T* gate = a.gates + here * W + u;
        const T i = gate[0], f = gate[U], g = gate[2 * U], o = gate[3 * U];
        const T act_c = activate_called(a.act, a.cells[here * U + u]);
        const T was = step ? a.cells[(here - 1) * U + u] : a.c0 ? a.c0[row * U + u] : T(0);
        dcell += scalar::activation_grad(a.act, act_c, dstate * o);
        sum[0] = scalar::activation_grad(a.rec, i, dcell * g);
        sum[1] = scalar::activation_grad(a.rec, f, dcell * was);
        sum[2] = scalar::activation_grad(a.act, g, dcell * i);
        sum[3] = scalar::activation_grad(a.rec, o, dstate * act_c);
        dcell *= f;
        dstate = 0;
      }
      for (int k = 0; k < kLstmGates; ++k) {
        d[r * W + k * U + u] = sum[k];
        if (r < rows.count) a.dxp[q.at_time(row, step) * W + k * U + u] = sum[k];
      }
    });
    __syncthreads();
    state_sums(q, rows, d, a.weights, a.rec_mask, 0, W, dh);
    __syncthreads();
  }
  each_unit<kRows>(q, [&](int r, int u) {
    if (r >= rows.count) return;
    if (a.dh0) a.dh0[rows.row(r) * U + u] = dh[r * U + u];
    if (a.dc0) a.dc0[rows.row(r) * U + u] = dc[r * U + u];
  });
}

template <class T> struct LstmGrad {
  enum Input { kDy, kDh, kDc, kY, kGateValues, kCells, kH0, kC0, kR, kMask, kRecMask };

  explicit LstmGrad(const KernelCall& c) : call(c) {
    const auto& attrs = *static_cast<const LstmAttrs*>(c.attrs);
    const Shape& x = c.in[kY].shape;
    a.q = {x[0], x[1], x[2], kLstmGates, attrs.go_backwards, data_of<const uint8_t>(c.in[kMask])};
    a.dy = data_of<const T>(c.in[kDy]), a.dh = data_of<const T>(c.in[kDh]), a.dc = data_of<const T>(c.in[kDc]);
    a.gates = data_of<const T>(c.in[kGateValues]), a.cells = data_of<const T>(c.in[kCells]);
    a.c0 = data_of<const T>(c.in[kC0]);
    a.weights = data_of<const T>(c.in[kR]), a.rec_mask = data_of<const T>(c.in[kRecMask]);
    const GradientSpace<T> s = space(c.workspace);
    a.dxp = c.out[0].present ? c.out[0].as<T>() : s.dxp;
    a.dh0 = data_of<T>(c.out[1]), a.dc0 = data_of<T>(c.out[2]);
    a.act = attrs.activation, a.rec = attrs.recurrent_activation;
    a.memory = BlockMemory::of<T>(a.q, a.elements(a.q), s.blocks);
  }
  GradientSpace<T> space(char* base) const { return {a.q, a.elements(a.q), 0, base}; }
  int64_t workspace() const { return space(nullptr).bytes; }
  void run() const {
    launch_rows<T>(*call.lane, "lstm_grad", lstm_grad_rows<1, T>, lstm_grad_rows<2, T>, a);
    if (!call.out[3].present) return;
    const WeightGradients<T> gradients{*call.lane, "lstm_grad", a.q, space(call.workspace).parts};
    gradients.of_state(data_of<const T>(call.in[kY]), data_of<const T>(call.in[kH0]), a.rec_mask, a.dxp, 0, kLstmGates,
                       call.out[3].as<T>());
  }

  const KernelCall& call;
  LstmGradCall<T> a{};
};

HB_GPU_KERNELS(lstm, recurrent_kernel<Lstm>("lstm"), recurrent_kernel<LstmGrad>("lstm_grad"))

}  // namespace hornbeam
