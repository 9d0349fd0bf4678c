// The gated recurrent unit over whole sequences, gates z, r, h:
//   z = rec(xp_z + h R_z + rb_z)   r = rec(xp_r + h R_r + rb_r)   h' = z h + (1 - z) k
//   reset_after:  k = act(xp_h + r hidden),    hidden = h R_h + rb_h
//   otherwise:    k = act(xp_h + hidden R_h),  hidden = r h
// With a dropout mask m per gate, products read h m in place of h; with drop_carry so does z h, by z's mask.
#include "cpu/activation_grad.h"
#include "cpu/cell_activation.h"
#include "cpu/recurrent.h"
#include "ops/recurrent.h"

HB_CPU_BEGIN
namespace {

enum Gate { kZ, kReset, kK, kGates };

// ---- forward -----------------------------------------------------------------------------------------
template <class T>
struct Gru {
  enum Input { kXp, kH0, kR, kRb, kMask, kRecMask };

  explicit Gru(const KernelCall& c) {
    const auto& attrs = *static_cast<const GruAttrs*>(c.attrs);
    act = attrs.activation, rec = attrs.recurrent_activation, reset_after = attrs.reset_after;
    drop_carry = attrs.drop_carry;
    const int64_t batch = c.in[kXp].shape[0], steps = c.in[kXp].shape[1], units = c.in[kR].shape[0];
    q = {batch, steps, units, kGates, attrs.go_backwards, c.in[kRecMask].present, data_of<unsigned char>(c.in[kMask])};
    xp = data_of<T>(c.in[kXp]), h0 = data_of<T>(c.in[kH0]), rb = data_of<T>(c.in[kRb]);
    rec_mask = data_of<T>(c.in[kRecMask]);
    weights = c.packed ? static_cast<const T*>(c.packed[kR]) : nullptr;
    y = data_of<T>(c.out[0]), h_out = data_of<T>(c.out[1]), gates = data_of<T>(c.out[2]), hidden = data_of<T>(c.out[3]);
  }

  int64_t workspace() const { return q.blocks() * Space(q, nullptr).bytes; }

  void run(const KernelCall& c) const { run_forward(*this, c); }

  // Of one task. The gates are kept for all units, panel by panel: (panels, rows, kPanel).
  struct Space {
    T *h, *h_next, *masked, *reset_h, *z, *reset, *k, *hidden;
    int64_t bytes;
    Space(const Sequence& q, char* base) {
      const int64_t rows = q.block_rows(), ld = row_pitch<T>(q.units), planes = gemm_packed_b<T>(rows, q.units);
      Carver carve(base);
      h = carve.take<T>(rows * ld);
      h_next = carve.take<T>(rows * ld);
      masked = carve.take<T>(Rows<T>::masked_elements(q));
      reset_h = carve.take<T>(rows * ld);
      z = carve.take<T>(planes);
      reset = carve.take<T>(planes);
      k = carve.take<T>(rows * kPanel<T>);
      hidden = carve.take<T>(rows * kPanel<T>);
      bytes = carve.used();
    }
  };

  Space space(char* base, int64_t block) const { return {q, base + block * Space(q, nullptr).bytes}; }

  void begin(const Space& s, const Rows<T>& in) const {
    in.take_state(h0, s.h, q.units);
    // Lanes beyond the last unit are computed with and never looked at; they only have to be numbers.
    fill_zero(s.z, gemm_packed_b<T>(in.rows, q.units));
    fill_zero(s.reset, gemm_packed_b<T>(in.rows, q.units));
    fill_zero(s.k, in.rows * kPanel<T>);
    fill_zero(s.hidden, in.rows * kPanel<T>);
  }
  void advance(const Space& s, const Rows<T>& in, int64_t step) const {
    for (int64_t u = 0; u < q.units; u += kPanel<T>) update_gates(s, in, step, u);
    for (int64_t u = 0; u < q.units; u += kPanel<T>) advance_panel(s, in, step, u);
  }
  void end(const Space& s, const Rows<T>& in) const { in.give_state(s.h, h_out, q.units); }

  // What gate g of unit u gets from outside at a step.
  const T* input(const Rows<T>& in, int64_t step, int64_t g, int64_t u) const {
    return xp + (q.at_time(in.first, step) * kGates + g) * q.units + u;
  }

  // z and r of one panel of units at one step.
  void update_gates(const Space& s, const Rows<T>& in, int64_t step, int64_t u) const {
    const int64_t U = q.units, n = smaller(kPanel<T>, U - u), plane = in.rows * kPanel<T>;
    for (int64_t g = kZ; g <= kReset; ++g) {
      T* gate = (g == kZ ? s.z : s.reset) + u * in.rows;
      T* kept = gates ? gates + (q.at(in.first, step) * kGates + g) * U + u : nullptr;
      const int64_t stride = q.steps * kGates * U;
      panel_product<T>(q, weights, g, u, in.rows, in.gate(g, s.h), in.ld, input(in, step, g, u), stride, gate, kept,
                       stride);
      if (rb)
        for (int64_t r = 0; r < in.rows; ++r) add_row(rb + g * U + u, gate + r * kPanel<T>, n);
      activate_cells<T>(rec, gate, plane);
    }
    if (reset_after) return;
    const T* h = in.gate(kK, s.h) + u;
    for (int64_t r = 0; r < in.rows; ++r)
      for (int64_t i = 0; i < n; i += kLanes<T>)
        store(s.reset_h + r * in.ld + u + i, load(s.reset + u * in.rows + r * kPanel<T> + i) * load(h + r * in.ld + i));
  }

  // The candidate and the new state of one panel of units.
  void advance_panel(const Space& s, const Rows<T>& in, int64_t step, int64_t u) const {
    const int64_t U = q.units, n = smaller(kPanel<T>, U - u), x_stride = q.steps * kGates * U;
    const T *x = input(in, step, kK, u), *z = s.z + u * in.rows, *reset = s.reset + u * in.rows;
    if (reset_after) {
      panel_product<T>(q, weights, kK, u, in.rows, in.gate(kK, s.h), in.ld, rb ? rb + kK * U + u : nullptr, 0,
                       s.hidden);
      for (int64_t r = 0; r < in.rows; ++r)
        for (int64_t i = 0; i < n; i += kLanes<T>) {
          const int64_t at = r * kPanel<T> + i;
          store(s.k + at, fma<T>(load(reset + at), load(s.hidden + at), load_some(x + r * x_stride + i, n - i)));
        }
    } else {
      panel_product<T>(q, weights, kK, u, in.rows, s.reset_h, in.ld, x, x_stride, s.k);
    }
    activate_cells<T>(act, s.k, in.rows * kPanel<T>);
    for (int64_t r = 0; r < in.rows; ++r) {
      const bool skip = q.skips(in.first + r, step);
      const int64_t out = q.at(in.first + r, step), row = r * kPanel<T>;
      const T* from = (drop_carry && !skip ? in.gate(kZ, s.h) : s.h) + r * in.ld + u;
      T* to = s.h_next + r * in.ld + u;
      for (int64_t i = 0; i < n; i += kLanes<T>) {
        const Vec<T> h = load(from + i), k = load(s.k + row + i);
        store(to + i, skip ? h : fma<T>(load(z + row + i), h - k, k));
      }
      if (y) copy(to, y + out * U + u, n);
      // Zero under the mask: the gradient of R_h multiplies it with zero, and must get zero.
      if (hidden)
        copy_or_zero(skip          ? nullptr
                     : reset_after ? s.hidden + row
                                   : s.reset_h + r * in.ld + u,
                     hidden + out * U + u, n);
      if (!gates) continue;
      const T* values[kGates] = {z + row, reset + row, s.k + row};
      for (int64_t g = 0; g < kGates; ++g) copy(values[g], gates + (out * kGates + g) * U + u, n);
    }
  }

  Sequence q;
  Activation act, rec;
  bool reset_after, drop_carry;
  const T *xp, *h0, *rb, *rec_mask, *weights;
  T *y, *h_out, *gates, *hidden;
};

// ---- backward ----------------------------------------------------------------------------------------
template <class T>
struct GruGrad {
  enum Input { kDy, kDh, kY, kGateValues, kHidden, kH0, kR, kRb, kMask, kRecMask };

  explicit GruGrad(const KernelCall& c) {
    const auto& attrs = *static_cast<const GruAttrs*>(c.attrs);
    act = attrs.activation, rec = attrs.recurrent_activation, reset_after = attrs.reset_after;
    drop_carry = attrs.drop_carry;
    const Shape& x = c.in[kY].shape;
    q = {x[0], x[1], x[2], kGates, attrs.go_backwards, c.in[kRecMask].present, data_of<unsigned char>(c.in[kMask])};
    dy = data_of<T>(c.in[kDy]), dh = data_of<T>(c.in[kDh]), y = data_of<T>(c.in[kY]),
    gates = data_of<T>(c.in[kGateValues]);
    hidden = data_of<T>(c.in[kHidden]), h0 = data_of<T>(c.in[kH0]), rec_mask = data_of<T>(c.in[kRecMask]);
    weights = c.packed ? static_cast<const T*>(c.packed[kR]) : nullptr;
    const Shared shared(q, c.workspace);
    scratch = shared.scratch, dhidden = shared.dhidden, blocks = c.workspace + shared.bytes;
    dxp = c.out[0].present ? data_of<T>(c.out[0]) : shared.dxp;
    dh0 = data_of<T>(c.out[1]), dr = data_of<T>(c.out[2]), drb = data_of<T>(c.out[3]);
  }

  int64_t workspace() const { return Shared(q, nullptr).bytes + q.blocks() * Space(q, nullptr).bytes; }

  void run(const KernelCall& c) const {
    const int64_t U = q.units, ld = kGates * U;
    run_backward(*this, c, blocks);
    if (drb) {
      fill_zero(drb, ld);
      for (int64_t block = 0; block < q.blocks(); ++block) add_row(space(blocks, block).drb, drb, ld);
    }
    if (!dr) return;
    const auto gradient = [&](int64_t g, int64_t count) {
      const T* mask = q.dropout ? rec_mask + g * q.batch * U : nullptr;
      WeightGradient<T>{
          q, state_at_start(y, h0, mask), {dxp + g * U, ld, count * U}, {dr + g * U, ld, count * U}, scratch}
          .run(c);
    };
    if (q.dropout) gradient(kZ, 1), gradient(kReset, 1);
    else gradient(kZ, 2);
    const Columns<T> drh{dr + kK * U, ld, U};
    const T* mask = q.dropout ? rec_mask + kK * q.batch * U : nullptr;
    if (reset_after) WeightGradient<T>{q, state_at_start(y, h0, mask), {dhidden, U, U}, drh, scratch}.run(c);
    else WeightGradient<T>{q, kept_of_step(hidden), {dxp + kK * U, ld, U}, drh, scratch}.run(c);
  }

  struct Shared {
    T* dhidden;  // (batch * steps, units) with reset_after, in the input's order
    T *scratch, *dxp;
    int64_t bytes;
    Shared(const Sequence& q, char* base) {
      Carver carve(base);
      dhidden = carve.take<T>(q.batch * q.steps * q.units);
      scratch = carve.take<T>(WeightGradient<T>::scratch_elements(q));
      dxp = carve.take<T>(q.batch * q.steps * kGates * q.units);  // when nobody else wants it
      bytes = carve.used();
    }
  };
  struct Space {  // of one task
    T *dh, *d, *dreset_h, *drb, *scratch;
    int64_t ldd, bytes;
    Space(const Sequence& q, char* base) {
      const int64_t rows = q.block_rows(), ld = row_pitch<T>(q.units);
      ldd = row_pitch<T>(kGates * q.units);
      Carver carve(base);
      dh = carve.take<T>(rows * ld);
      d = carve.take<T>(rows * ldd);
      dreset_h = carve.take<T>(rows * ld);
      drb = carve.take<T>(kGates * q.units);
      scratch = carve.take<T>(q.dropout ? rows * kPanel<T> : 0);
      bytes = carve.used();
    }
  };
  Space space(char* base, int64_t block) const { return {q, base + block * Space(q, nullptr).bytes}; }

  void begin(const Space& s, const Rows<T>& in) const {
    fill_zero(s.drb, kGates * q.units);
    in.take_state(dh, s.dh, q.units);
  }
  void retreat(const Space& s, const Rows<T>& in, int64_t step) const {
    const int64_t U = q.units, first = in.first;
    for (int64_t r = 0; r < in.rows; ++r) {
      retreat_row(s.dh + r * in.ld, s.d + r * s.ldd, drop_carry ? in.mask_row(q, kZ, r) : nullptr, first + r, step);
      fill_zero(s.dreset_h + r * in.ld, U);
    }
    if (!reset_after) {
      Rows<T> unmasked = in;
      unmasked.rec_mask = nullptr;
      backprop_state<T>(q, weights, unmasked, kK, kGates, s.d, s.ldd, s.dreset_h, in.ld, nullptr, [](int64_t) {});
    }
    for (int64_t r = 0; r < in.rows; ++r) retreat_reset(s, in, r, step);
    backprop_state<T>(q, weights, in, kZ, reset_after ? kGates : kK, s.d, s.ldd, s.dh, in.ld, s.scratch,
                      [&](int64_t r) {
                        if (!step) return;
                        prefetch<false>(gates + q.at(first + r, step - 1) * kGates * U, kGates * U);
                        prefetch<false>(hidden + q.at(first + r, step - 1) * U, U);
                        if (step > 1) prefetch<false>(y + q.at(first + r, step - 2) * U, U);
                        prefetch<true>(dxp + q.at_time(first + r, step - 1) * kGates * U, kGates * U);
                        if (reset_after) prefetch<true>(dhidden + q.at_time(first + r, step - 1) * U, U);
                      });
  }
  void end(const Space& s, const Rows<T>& in) const { in.give_state(s.dh, dh0, q.units); }

  const T* state_before(int64_t row, int64_t step) const {
    return step ? y + q.at(row, step - 1) * q.units : row_or_null(h0, row, q.units);
  }

  // One step back for one row up to the reset gate: the gradients of the sums of z and of the candidate
  // into d; of dh only what reaches the state before other than through the products.
  // `mask` is what was multiplied with the state that z carries over, if anything.
  void retreat_row(T* dh, T* d, const T* mask, int64_t row, int64_t step) const {
    const int64_t U = q.units;
    if (dy) add_row(dy + q.at(row, step) * U, dh, U);
    if (q.skips(row, step)) return fill_zero(d, kGates * U);
    const T *gate = gates + q.at(row, step) * kGates * U, *before = state_before(row, step);
    for (int64_t i = 0; i < U; i += kLanes<T>) {
      const int64_t n = U - i;
      const Vec<T> g = load_some(dh + i, n), z = load_some(gate + kZ * U + i, n), k = load_some(gate + kK * U + i, n);
      Vec<T> h = before ? load_some(before + i, n) : Vec<T>{}, dcarry = g * z;
      if (mask) {
        const Vec<T> m = load_some(mask + i, n);
        h = h * m, dcarry = dcarry * m;
      }
      store_some(d + kZ * U + i, g * (h - k), n);
      store_some(d + kK * U + i, g * (T(1) - z), n);
      store_some(dh + i, dcarry, n);
    }
    activation_grad<T>(rec, gate + kZ * U, d + kZ * U, U);
    activation_grad<T>(act, gate + kK * U, d + kK * U, U);
  }

  // The reset gate of one row, and the results of its step.
  void retreat_reset(const Space& s, const Rows<T>& in, int64_t r, int64_t step) const {
    const int64_t U = q.units, row = in.first + r, here = q.at(row, step), there = q.at_time(row, step);
    T *dh = s.dh + r * in.ld, *d = s.d + r * s.ldd, *dx = dxp + there * kGates * U;
    const T *reset = gates + (here * kGates + kReset) * U, *seen = hidden + here * U;
    const T *before = state_before(row, step), *mask = in.mask_row(q, kK, r), *dreset_h = s.dreset_h + r * in.ld;
    if (q.skips(row, step)) {  // d is zero; what the gates hold there may be anything
      fill_zero(dx, kGates * U);
      return fill_zero(dhidden + there * U, U);
    }
    for (int64_t i = 0; i < U; i += kLanes<T>) {
      const int64_t n = U - i;
      if (reset_after) {
        store_some(d + kReset * U + i, load_some(d + kK * U + i, n) * load_some(seen + i, n), n);
      } else {
        Vec<T> g = load_some(dreset_h + i, n);
        if (mask) g = g * load_some(mask + i, n);
        store_some(d + kReset * U + i, before ? g * load_some(before + i, n) : Vec<T>{}, n);
        store_some(dh + i, fma<T>(g, load_some(reset + i, n), load_some(dh + i, n)), n);
      }
    }
    activation_grad<T>(rec, reset, d + kReset * U, U);
    copy(d, dx, kGates * U);
    if (!reset_after) return;
    for (int64_t i = 0; i < U; i += kLanes<T>)
      store_some(d + kK * U + i, load_some(d + kK * U + i, U - i) * load_some(reset + i, U - i), U - i);
    copy(d + kK * U, dhidden + there * U, U);
    add_row(d, s.drb, kGates * U);
  }

  Sequence q;
  Activation act, rec;
  bool reset_after, drop_carry;
  const T *dy, *dh, *y, *gates, *hidden, *h0, *rec_mask, *weights;
  T *dhidden, *scratch, *dxp, *dh0, *dr, *drb;
  char* blocks;
};

}  // namespace

HB_EXPORT_KERNELS(gru, recurrent_kernel<Gru, kGates, false>("gru"), recurrent_kernel<GruGrad, kGates, true>("gru_grad"))

HB_CPU_END
