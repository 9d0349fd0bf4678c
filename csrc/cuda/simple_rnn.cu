// The plain recurrent layer over whole sequences: h' = act(xp + h R).
#include "cuda/export.h"
#include "cuda/recurrent.h"

namespace hornbeam {

// ---- forward --------------------------------------------------------------------------------------------
template <class T> struct SimpleRnnCall {
  Sequence q;
  const T *xp, *h0, *weights, *rec_mask;
  T *y, *h_out;
  BlockMemory memory;
  Activation act;
  int32_t unused;

  static constexpr int64_t elements(const Sequence& q) { return 2 * q.units; }
};

template <int kRows, class T> __global__ void __launch_bounds__(512) simple_rnn_rows(GPU_PARAM SimpleRnnCall<T> a) {
  GPU_SHARED(T, shared);
  const Sequence& q = a.q;
  const int64_t U = q.units;
  const BlockRows<kRows> rows(q);
  T* const h = a.memory.of_block(shared);
  T* const z = h + kRows * U;
  each_unit<kRows>(q, [&](int r, int u) { h[r * U + u] = a.h0 ? a.h0[rows.row(r) * U + u] : T(0); });
  __syncthreads();
  for (int64_t step = 0; step < q.steps; ++step) {
    gate_sums(q, rows, h, a.weights, a.rec_mask, 0, U, z);
    __syncthreads();
    each_unit<kRows>(q, [&](int r, int u) {
      const int64_t row = rows.row(r);
      T& state = h[r * U + u];
      if (!q.skips(row, step)) state = activate_called(a.act, z[r * U + u] + a.xp[q.at_time(row, step) * U + u]);
      if (a.y && r < rows.count) a.y[q.at(row, step) * U + u] = state;
    });
    __syncthreads();
  }
  each_unit<kRows>(q, [&](int r, int u) {
    if (a.h_out && r < rows.count) a.h_out[rows.row(r) * U + u] = h[r * U + u];
  });
}

template <class T> struct SimpleRnn {
  enum Input { kXp, kH0, kR, kMask, kRecMask };

  explicit SimpleRnn(const KernelCall& c) : call(c) {
    const auto& attrs = *static_cast<const SimpleRnnAttrs*>(c.attrs);
    const Shape& x = c.in[kXp].shape;
    a.q = {x[0], x[1], x[2], 1, attrs.go_backwards, data_of<const uint8_t>(c.in[kMask])};
    a.xp = data_of<const T>(c.in[kXp]), a.h0 = data_of<const T>(c.in[kH0]), a.weights = data_of<const T>(c.in[kR]);
    a.rec_mask = data_of<const T>(c.in[kRecMask]);
    a.y = data_of<T>(c.out[0]), a.h_out = data_of<T>(c.out[1]);
    a.act = attrs.activation;
    a.memory = BlockMemory::of<T>(a.q, a.elements(a.q), c.workspace);
  }
  int64_t workspace() const { return BlockMemory::bytes<T>(a.q, a.elements(a.q)); }
  void run() const { launch_rows<T>(*call.lane, "simple_rnn", simple_rnn_rows<1, T>, simple_rnn_rows<2, T>, a); }

  const KernelCall& call;
  SimpleRnnCall<T> a{};
};

// ---- backward -------------------------------------------------------------------------------------------
template <class T> struct SimpleRnnGradCall {
  Sequence q;
  const T *dy, *dh, *y, *weights, *rec_mask;
  T *dxp, *dh0;
  BlockMemory memory;
  Activation act;
  int32_t unused;

  static constexpr int64_t elements(const Sequence& q) { return 2 * q.units; }
};

template <int kRows, class T>
__global__ void __launch_bounds__(512) simple_rnn_grad_rows(GPU_PARAM SimpleRnnGradCall<T> a) {
  GPU_SHARED(T, shared);
  const Sequence& q = a.q;
  const int64_t U = q.units;
  const BlockRows<kRows> rows(q);
  T* const dh = a.memory.of_block(shared);  // of the state; of it what reaches the state before
  T* const d = dh + kRows * U;              // of the sums
  each_unit<kRows>(q, [&](int r, int u) { dh[r * U + u] = a.dh ? a.dh[rows.row(r) * U + u] : T(0); });
  for (int64_t step = q.steps - 1; step >= 0; --step) {
    each_unit<kRows>(q, [&](int r, int u) {
      const int64_t row = rows.row(r), here = q.at(row, step) * U + u;
      T& state = dh[r * U + u];
      if (a.dy) state += a.dy[here];
      T sum = 0;
      if (!q.skips(row, step)) {
        sum = scalar::activation_grad(a.act, a.y[here], state);
        state = 0;
      }
      d[r * U + u] = sum;
      if (r < rows.count) a.dxp[q.at_time(row, step) * U + u] = sum;
    });
    __syncthreads();
    state_sums(q, rows, d, a.weights, a.rec_mask, 0, U, dh);
    __syncthreads();
  }
  each_unit<kRows>(q, [&](int r, int u) {
    if (a.dh0 && r < rows.count) a.dh0[rows.row(r) * U + u] = dh[r * U + u];
  });
}

template <class T> struct SimpleRnnGrad {
  enum Input { kDy, kDh, kY, kH0, kR, kMask, kRecMask };

  explicit SimpleRnnGrad(const KernelCall& c) : call(c) {
    const auto& attrs = *static_cast<const SimpleRnnAttrs*>(c.attrs);
    const Shape& x = c.in[kY].shape;
    a.q = {x[0], x[1], x[2], 1, attrs.go_backwards, data_of<const uint8_t>(c.in[kMask])};
    a.dy = data_of<const T>(c.in[kDy]), a.dh = data_of<const T>(c.in[kDh]), a.y = data_of<const T>(c.in[kY]);
    a.weights = data_of<const T>(c.in[kR]), a.rec_mask = data_of<const T>(c.in[kRecMask]);
    const GradientSpace<T> s = space(c.workspace);
    a.dxp = c.out[0].present ? c.out[0].as<T>() : s.dxp;
    a.dh0 = data_of<T>(c.out[1]);
    a.act = attrs.activation;
    a.memory = BlockMemory::of<T>(a.q, a.elements(a.q), s.blocks);
  }
  GradientSpace<T> space(char* base) const { return {a.q, a.elements(a.q), 0, base}; }
  int64_t workspace() const { return space(nullptr).bytes; }
  void run() const {
    launch_rows<T>(*call.lane, "simple_rnn_grad", simple_rnn_grad_rows<1, T>, simple_rnn_grad_rows<2, T>, a);
    if (!call.out[2].present) return;
    const WeightGradients<T> gradients{*call.lane, "simple_rnn_grad", a.q, space(call.workspace).parts};
    gradients.of_state(a.y, data_of<const T>(call.in[kH0]), a.rec_mask, a.dxp, 0, 1, call.out[2].as<T>());
  }

  const KernelCall& call;
  SimpleRnnGradCall<T> a{};
};

HB_GPU_KERNELS(simple_rnn, recurrent_kernel<SimpleRnn>("simple_rnn"),
               recurrent_kernel<SimpleRnnGrad>("simple_rnn_grad"))

}  // namespace hornbeam
