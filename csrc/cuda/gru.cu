// The gated recurrent unit over whole sequences, gates z, r, h:
//   z = rec(xp_z + h R_z + rb_z)   r = rec(xp_r + h R_r + rb_r)   h' = z h + (1 - z) k
//   reset_after:  k = act(xp_h + r hidden),    hidden = h R_h + rb_h
//   otherwise:    k = act(xp_h + hidden R_h),  hidden = r h
// With a dropout mask m per gate, products read h m in place of h; with drop_carry so does z h, by z's mask.
#include "cuda/export.h"
#include "cuda/recurrent.h"

namespace hornbeam {

static constexpr int kGruGates = 3;

// ---- forward --------------------------------------------------------------------------------------------
template <class T> struct GruCall {
  Sequence q;
  const T *xp, *h0, *weights, *rb, *rec_mask;
  T *y, *h_out, *gates, *hidden;
  BlockMemory memory;
  Activation act, rec;
  int32_t reset_after, drop_carry;

  static constexpr int64_t elements(const Sequence& q) { return (2 + kGruGates) * q.units; }

  // Of gate g, (batch, units); null where there is none.
  HB_INLINE const T* mask_of(int64_t g) const { return rec_mask ? rec_mask + g * q.batch * q.units : nullptr; }
};

template <int kRows, class T> __global__ void __launch_bounds__(512) gru_rows(GPU_PARAM GruCall<T> a) {
  GPU_SHARED(T, shared);
  const Sequence& q = a.q;
  const int64_t U = q.units, W = kGruGates * U;
  const BlockRows<kRows> rows(q);
  T* const h = a.memory.of_block(shared);
  T* const reset_h = h + kRows * U;  // r h, without reset_after
  T* const sums = reset_h + kRows * U;
  // The gate of a sum, z or r.
  const auto gate = [&](int64_t g, int r, int u, int64_t step) {
    T sum = sums[r * W + g * U + u] + a.xp[q.at_time(rows.row(r), step) * W + g * U + u];
    if (a.rb) sum += a.rb[g * U + u];
    return activate_called(a.rec, sum);
  };
  each_unit<kRows>(q, [&](int r, int u) { h[r * U + u] = a.h0 ? a.h0[rows.row(r) * U + u] : T(0); });
  __syncthreads();
  for (int64_t step = 0; step < q.steps; ++step) {
    gate_sums(q, rows, h, a.weights, a.rec_mask, 0, a.reset_after ? W : 2 * U, sums);
    __syncthreads();
    if (!a.reset_after) {
      const T* mask = a.mask_of(2);
      each_unit<kRows>(q, [&](int r, int u) {
        const T state = h[r * U + u];
        reset_h[r * U + u] = gate(1, r, u, step) * (mask ? state * mask[rows.row(r) * U + u] : state);
      });
      __syncthreads();
      gate_sums(q, rows, reset_h, a.weights, static_cast<const T*>(nullptr), 2 * U, W, sums);
      __syncthreads();
    }
    each_unit<kRows>(q, [&](int r, int u) {
      const int64_t row = rows.row(r), out = q.at(row, step);
      const T z = gate(0, r, u, step), reset = gate(1, r, u, step);
      const T x = a.xp[q.at_time(row, step) * W + 2 * U + u];
      T sum = sums[r * W + 2 * U + u], hidden = reset_h[r * U + u];
      if (a.reset_after) {
        hidden = a.rb ? sum + a.rb[2 * U + u] : sum;
        sum = scalar::fma(reset, hidden, x);
      } else {
        sum += x;
      }
      const T k = activate_called(a.act, sum);
      T& state = h[r * U + u];
      const bool skip = q.skips(row, step);
      if (!skip) {
        const T carry = a.drop_carry && a.rec_mask ? state * a.mask_of(0)[row * U + u] : state;
        state = scalar::fma(z, carry - k, k);
      }
      if (r >= rows.count) return;
      if (a.y) a.y[out * U + u] = state;
      // Zero under the mask: the gradient of R_h multiplies it with zero, and must get zero.
      if (a.hidden) a.hidden[out * U + u] = skip ? T(0) : hidden;
      if (a.gates) {
        T* const to = a.gates + out * W + u;
        to[0] = z;
        to[U] = reset;
        to[2 * U] = k;
      }
    });
    __syncthreads();
  }
  each_unit<kRows>(q, [&](int r, int u) {
    if (a.h_out && r < rows.count) a.h_out[rows.row(r) * U + u] = h[r * U + u];
  });
}

template <class T> struct Gru {
  enum Input { kXp, kH0, kR, kRb, kMask, kRecMask };

  explicit Gru(const KernelCall& c) : call(c) {
    const auto& attrs = *static_cast<const GruAttrs*>(c.attrs);
    const Shape& x = c.in[kXp].shape;
    a.q = {x[0], x[1], c.in[kR].shape[0], kGruGates, attrs.go_backwards, data_of<const uint8_t>(c.in[kMask])};
    a.xp = data_of<const T>(c.in[kXp]), a.h0 = data_of<const T>(c.in[kH0]), a.weights = data_of<const T>(c.in[kR]);
    a.rb = data_of<const T>(c.in[kRb]), a.rec_mask = data_of<const T>(c.in[kRecMask]);
    a.y = data_of<T>(c.out[0]), a.h_out = data_of<T>(c.out[1]);
    a.gates = data_of<T>(c.out[2]), a.hidden = data_of<T>(c.out[3]);
    a.act = attrs.activation, a.rec = attrs.recurrent_activation;
    a.reset_after = attrs.reset_after, a.drop_carry = attrs.drop_carry;
    a.memory = BlockMemory::of<T>(a.q, a.elements(a.q), c.workspace);
  }
  int64_t workspace() const { return BlockMemory::bytes<T>(a.q, a.elements(a.q)); }
  void run() const { launch_rows<T>(*call.lane, "gru", gru_rows<1, T>, gru_rows<2, T>, a); }

  const KernelCall& call;
  GruCall<T> a{};
};

// ---- backward -------------------------------------------------------------------------------------------
template <class T> struct GruGradCall {
  Sequence q;
  const T *dy, *dh, *y, *gates, *hidden, *h0, *weights, *rec_mask;
  T *dxp, *dhidden, *dh0;
  BlockMemory memory;
  Activation act, rec;
  int32_t reset_after, drop_carry;

  static constexpr int64_t elements(const Sequence& q) { return (2 + kGruGates) * q.units; }

  HB_INLINE const T* mask_of(int64_t g) const { return rec_mask ? rec_mask + g * q.batch * q.units : nullptr; }
  HB_INLINE T state_before(int64_t row, int64_t step, int64_t u) const {
    if (step) return y[(q.at(row, step) - 1) * q.units + u];
    return h0 ? h0[row * q.units + u] : T(0);
  }
};

template <int kRows, class T> __global__ void __launch_bounds__(512) gru_grad_rows(GPU_PARAM GruGradCall<T> a) {
  GPU_SHARED(T, shared);
  const Sequence& q = a.q;
  const int64_t U = q.units, W = kGruGates * U;
  const BlockRows<kRows> rows(q);
  T* const dh = a.memory.of_block(shared);  // of the state; of it what reaches the state before
  T* const dreset_h = dh + kRows * U;       // of r h, without reset_after
  T* const d = dreset_h + kRows * U;        // of the gates' sums
  each_unit<kRows>(q, [&](int r, int u) { dh[r * U + u] = a.dh ? a.dh[rows.row(r) * U + u] : T(0); });
  for (int64_t step = q.steps - 1; step >= 0; --step) {
    // Up to the reset gate.
    each_unit<kRows>(q, [&](int r, int u) {
      const int64_t row = rows.row(r), here = q.at(row, step);
      T &dstate = dh[r * U + u], dz = 0, dk = 0;
      if (a.dy) dstate += a.dy[here * U + u];
      if (!q.skips(row, step)) {
        const T *gate = a.gates + here * W + u, *mask = a.drop_carry ? a.mask_of(0) : nullptr;
        const T z = gate[0], k = gate[2 * U], given = dstate;
        T state = a.state_before(row, step, u), carry = given * z;
        if (mask) {
          state *= mask[row * U + u];
          carry *= mask[row * U + u];
        }
        dz = scalar::activation_grad(a.rec, z, given * (state - k));
        dk = scalar::activation_grad(a.act, k, given * (T(1) - z));
        dstate = carry;
      }
      d[r * W + u] = dz;
      d[r * W + 2 * U + u] = dk;
      dreset_h[r * U + u] = 0;
    });
    __syncthreads();
    if (!a.reset_after) {
      state_sums(q, rows, d, a.weights, static_cast<const T*>(nullptr), 2 * U, W, dreset_h);
      __syncthreads();
    }
    // The reset gate, and the results of the step.
    each_unit<kRows>(q, [&](int r, int u) {
      const int64_t row = rows.row(r), here = q.at(row, step), there = q.at_time(row, step);
      T &dstate = dh[r * U + u], &dk = d[r * W + 2 * U + u], dr = 0;
      const T dcandidate = dk;
      if (!q.skips(row, step)) {
        const T reset = a.gates[here * W + U + u];
        if (a.reset_after) {
          dr = scalar::activation_grad(a.rec, reset, dk * a.hidden[here * U + u]);
          dk *= reset;
        } else {
          T given = dreset_h[r * U + u];
          if (a.rec_mask) given *= a.mask_of(2)[row * U + u];
          dr = scalar::activation_grad(a.rec, reset, given * a.state_before(row, step, u));
          dstate = scalar::fma(given, reset, dstate);
        }
      }
      d[r * W + U + u] = dr;
      if (r >= rows.count) return;
      T* const to = a.dxp + there * W + u;
      to[0] = d[r * W + u];
      to[U] = dr;
      to[2 * U] = dcandidate;
      if (a.reset_after) a.dhidden[there * U + u] = dk;
    });
    __syncthreads();
    state_sums(q, rows, d, a.weights, a.rec_mask, 0, a.reset_after ? W : 2 * U, dh);
    __syncthreads();
  }
  each_unit<kRows>(q, [&](int r, int u) {
    if (a.dh0 && r < rows.count) a.dh0[rows.row(r) * U + u] = dh[r * U + u];
  });
}

template <class T> struct GruGrad {
  enum Input { kDy, kDh, kY, kGateValues, kHidden, kH0, kR, kRb, kMask, kRecMask };

  explicit GruGrad(const KernelCall& c) : call(c) {
    const auto& attrs = *static_cast<const GruAttrs*>(c.attrs);
    const Shape& x = c.in[kY].shape;
    a.q = {x[0], x[1], x[2], kGruGates, attrs.go_backwards, data_of<const uint8_t>(c.in[kMask])};
    a.dy = data_of<const T>(c.in[kDy]), a.dh = data_of<const T>(c.in[kDh]), a.y = data_of<const T>(c.in[kY]);
    a.gates = data_of<const T>(c.in[kGateValues]), a.hidden = data_of<const T>(c.in[kHidden]);
    a.h0 = data_of<const T>(c.in[kH0]);
    a.weights = data_of<const T>(c.in[kR]), a.rec_mask = data_of<const T>(c.in[kRecMask]);
    const GradientSpace<T> s = space(c.workspace);
    a.dxp = c.out[0].present ? c.out[0].as<T>() : s.dxp;
    a.dhidden = s.kept;
    a.dh0 = data_of<T>(c.out[1]);
    a.act = attrs.activation, a.rec = attrs.recurrent_activation;
    a.reset_after = attrs.reset_after, a.drop_carry = attrs.drop_carry;
    a.memory = BlockMemory::of<T>(a.q, a.elements(a.q), s.blocks);
  }
  GradientSpace<T> space(char* base) const { return {a.q, a.elements(a.q), a.q.batch * a.q.steps * a.q.units, base}; }
  int64_t workspace() const { return space(nullptr).bytes; }
  void run() const {
    launch_rows<T>(*call.lane, "gru_grad", gru_grad_rows<1, T>, gru_grad_rows<2, T>, a);
    const WeightGradients<T> gradients{*call.lane, "gru_grad", a.q, space(call.workspace).parts};
    const int64_t U = a.q.units, W = a.q.width();
    if (call.out[2].present) {
      T *const dr = call.out[2].as<T>(), *const drh = dr + 2 * U;
      const T* h0 = a.h0;
      gradients.of_state(a.y, h0, a.rec_mask, a.dxp, 0, 2, dr);
      if (a.reset_after) gradients.add(gradients.state_before(a.y, h0, a.mask_of(2)), a.dhidden, U, U, drh);
      else gradients.add(gradients.kept(a.hidden), a.dxp + 2 * U, W, U, drh);
    }
    if (!call.out[3].present) return;
    T* const drb = call.out[3].as<T>();
    if (a.reset_after) {
      gradients.sum(a.dxp, W, 2 * U, drb);
      gradients.sum(a.dhidden, U, U, drb + 2 * U);
    } else {
      each(*call.lane, "gru_grad", W, [=] GPU_LAMBDA(int64_t i) { drb[i] = T(0); });
    }
  }

  const KernelCall& call;
  GruGradCall<T> a{};
};

HB_GPU_KERNELS(gru, recurrent_kernel<Gru>("gru"), recurrent_kernel<GruGrad>("gru_grad"))

}  // namespace hornbeam
