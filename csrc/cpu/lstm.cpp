// Long short-term memory over whole sequences, gates i, f, c, o:
//   i = rec(z_i)  f = rec(z_f)  g = act(z_c)  o = rec(z_o),   z = xp + h R
//   c' = f c + i g    h' = o act(c')
#include "cpu/activation_grad.h"
#include "cpu/cell_activation.h"
#include "cpu/recurrent.h"
#include "ops/recurrent.h"

HB_CPU_BEGIN
namespace {

enum Gate { kI, kF, kC, kO, kGates };

// ---- forward -----------------------------------------------------------------------------------------
template <class T>
struct Lstm {
  enum Input { kXp, kH0, kC0, kR, kMask, kRecMask };

  explicit Lstm(const KernelCall& c) {
    const auto& attrs = *static_cast<const LstmAttrs*>(c.attrs);
    act = attrs.activation, rec = attrs.recurrent_activation;
    const int64_t batch = c.in[kXp].shape[0], steps = c.in[kXp].shape[1], units = c.in[kR].shape[0];
    q = {batch, steps, units, kGates, attrs.go_backwards, c.in[kRecMask].present, data_of<unsigned char>(c.in[kMask])};
    xp = data_of<T>(c.in[kXp]), h0 = data_of<T>(c.in[kH0]), c0 = data_of<T>(c.in[kC0]);
    rec_mask = data_of<T>(c.in[kRecMask]);
    weights = c.packed ? static_cast<const T*>(c.packed[kR]) : nullptr;
    y = data_of<T>(c.out[0]), h_out = data_of<T>(c.out[1]), c_out = data_of<T>(c.out[2]);
    gates = data_of<T>(c.out[3]), cells = data_of<T>(c.out[4]);
  }

  int64_t workspace() const { return q.blocks() * Space(q, nullptr).bytes; }

  void run(const KernelCall& c) const { run_forward(*this, c); }

  struct Space {  // of one task
    T *h, *h_next, *c, *masked, *z, *act_c;
    int64_t bytes;
    Space(const Sequence& q, char* base) {
      const int64_t rows = q.block_rows(), ld = row_pitch<T>(q.units);
      Carver carve(base);
      h = carve.take<T>(rows * ld);
      h_next = carve.take<T>(rows * ld);
      c = carve.take<T>(rows * ld);
      masked = carve.take<T>(Rows<T>::masked_elements(q));
      z = carve.take<T>(kGates * rows * kPanel<T>);
      act_c = carve.take<T>(rows * kPanel<T>);
      bytes = carve.used();
    }
  };

  Space space(char* base, int64_t block) const { return {q, base + block * Space(q, nullptr).bytes}; }

  void begin(const Space& s, const Rows<T>& in) const {
    in.take_state(h0, s.h, q.units);
    in.take_state(c0, s.c, q.units);
    // Lanes beyond the last unit are computed with and never looked at; they only have to be numbers.
    fill_zero(s.z, kGates * in.rows * kPanel<T>);
    fill_zero(s.act_c, in.rows * kPanel<T>);
  }
  void advance(const Space& s, const Rows<T>& in, int64_t step) const {
    for (int64_t u = 0; u < q.units; u += kPanel<T>) advance_panel(s, in, step, u);
  }
  void end(const Space& s, const Rows<T>& in) const {
    in.give_state(s.h, h_out, q.units);
    in.give_state(s.c, c_out, q.units);
  }

  void advance_panel(const Space& s, const Rows<T>& in, int64_t step, int64_t u) const {
    const int64_t U = q.units, n = smaller(kPanel<T>, U - u), plane = in.rows * kPanel<T>;
    const T* x = xp + q.at_time(in.first, step) * kGates * U + u;
    for (int64_t r = 0; r < in.rows; ++r) {
      if (y) prefetch<true>(y + q.at(in.first + r, step) * U + u, n);
      if (cells) prefetch<true>(cells + q.at(in.first + r, step) * U + u, n);
    }
    T* kept = gates ? gates + q.at(in.first, step) * kGates * U + u : nullptr;
    const int64_t stride = q.steps * kGates * U;
    for (int64_t g = 0; g < kGates; ++g)
      panel_product<T>(q, weights, g, u, in.rows, in.gate(g, s.h), in.ld, x + g * U, stride, s.z + g * plane,
                       kept ? kept + g * U : nullptr, stride);
    activate_cells<T>(rec, s.z, 2 * plane);
    activate_cells<T>(act, s.z + kC * plane, plane);
    activate_cells<T>(rec, s.z + kO * plane, plane);
    for (int64_t r = 0; r < in.rows; ++r) {
      const bool skip = q.skips(in.first + r, step);
      for (int64_t i = 0; i < n; i += kLanes<T>) {
        const T* z = s.z + r * kPanel<T> + i;
        T* c = s.c + r * in.ld + u + i;
        const Vec<T> next =
            skip ? load(c) : fma<T>(load(z + kF * plane), load(c), load(z + kI * plane) * load(z + kC * plane));
        store(c, next);
        store(s.act_c + r * kPanel<T> + i, next);
      }
    }
    activate_cells<T>(act, s.act_c, plane);
    for (int64_t r = 0; r < in.rows; ++r) {
      const bool skip = q.skips(in.first + r, step);
      const int64_t out = q.at(in.first + r, step);
      for (int64_t i = 0; i < n; i += kLanes<T>) {
        const int64_t state = r * in.ld + u + i, left = n - i;
        const T* z = s.z + r * kPanel<T> + i;
        const Vec<T> h = skip ? load(s.h + state) : load(z + kO * plane) * load(s.act_c + r * kPanel<T> + i);
        store(s.h_next + state, h);
        if (y) store_some(y + out * U + u + i, h, left);
        if (cells) store_some(cells + out * U + u + i, load(s.c + state), left);
        if (gates)
          for (int64_t g = 0; g < kGates; ++g)
            store_some(gates + (out * kGates + g) * U + u + i, load(z + g * plane), left);
      }
    }
  }

  Sequence q;
  Activation act, rec;
  const T *xp, *h0, *c0, *rec_mask, *weights;
  T *y, *h_out, *c_out, *gates, *cells;
};

// ---- backward ----------------------------------------------------------------------------------------
template <class T>
struct LstmGrad {
  enum Input { kDy, kDh, kDc, kY, kGateValues, kCells, kH0, kC0, kR, kMask, kRecMask };

  explicit LstmGrad(const KernelCall& c) {
    const auto& attrs = *static_cast<const LstmAttrs*>(c.attrs);
    act = attrs.activation, rec = attrs.recurrent_activation;
    const Shape& x = c.in[kY].shape;
    q = {x[0], x[1], x[2], kGates, attrs.go_backwards, c.in[kRecMask].present, data_of<unsigned char>(c.in[kMask])};
    dy = data_of<T>(c.in[kDy]), dh = data_of<T>(c.in[kDh]), dc = data_of<T>(c.in[kDc]);
    y = data_of<T>(c.in[kY]), gates = data_of<T>(c.in[kGateValues]), cells = data_of<T>(c.in[kCells]);
    h0 = data_of<T>(c.in[kH0]), c0 = data_of<T>(c.in[kC0]), rec_mask = data_of<T>(c.in[kRecMask]);
    weights = c.packed ? static_cast<const T*>(c.packed[kR]) : nullptr;
    const Shared shared(q, c.workspace);
    scratch = shared.scratch, blocks = c.workspace + shared.bytes;
    dxp = c.out[0].present ? data_of<T>(c.out[0]) : shared.dxp;
    dh0 = data_of<T>(c.out[1]), dc0 = data_of<T>(c.out[2]), dr = data_of<T>(c.out[3]);
  }

  int64_t workspace() const { return Shared(q, nullptr).bytes + q.blocks() * Space(q, nullptr).bytes; }

  void run(const KernelCall& c) const {
    run_backward(*this, c, blocks);
    if (!dr) return;
    const int64_t U = q.units, ld = kGates * U;
    const auto gradient = [&](int64_t g, int64_t count, const T* mask) {
      WeightGradient<T>{
          q, state_at_start(y, h0, mask), {dxp + g * U, ld, count * U}, {dr + g * U, ld, count * U}, scratch}
          .run(c);
    };
    if (!q.dropout) return gradient(0, kGates, nullptr);
    for (int64_t g = 0; g < kGates; ++g) gradient(g, 1, rec_mask + g * q.batch * U);
  }

  struct Shared {
    T *scratch, *dxp;
    int64_t bytes;
    Shared(const Sequence& q, char* base) {
      Carver carve(base);
      scratch = carve.take<T>(WeightGradient<T>::scratch_elements(q));
      dxp = carve.take<T>(q.batch * q.steps * kGates * q.units);  // when nobody else wants it
      bytes = carve.used();
    }
  };
  struct Space {  // of one task
    T *dh, *dc, *d, *act_c, *scratch;
    int64_t ldd, bytes;
    Space(const Sequence& q, char* base) {
      const int64_t rows = q.block_rows(), ld = row_pitch<T>(q.units);
      ldd = row_pitch<T>(kGates * q.units);
      Carver carve(base);
      dh = carve.take<T>(rows * ld);
      dc = carve.take<T>(rows * ld);
      d = carve.take<T>(rows * ldd);
      act_c = carve.take<T>(2 * ld);
      scratch = carve.take<T>(q.dropout ? rows * kPanel<T> : 0);
      bytes = carve.used();
    }
  };

  Space space(char* base, int64_t block) const { return {q, base + block * Space(q, nullptr).bytes}; }

  void begin(const Space& s, const Rows<T>& in) const {
    in.take_state(dh, s.dh, q.units);
    in.take_state(dc, s.dc, q.units);
  }
  void retreat(const Space& s, const Rows<T>& in, int64_t step) const {
    const int64_t U = q.units, first = in.first;
    for (int64_t r = 0; r < in.rows; ++r) {
      retreat_row(s, in, r, step);
      copy(s.d + r * s.ldd, dxp + q.at_time(first + r, step) * kGates * U, kGates * U);
    }
    backprop_state<T>(q, weights, in, 0, kGates, s.d, s.ldd, s.dh, in.ld, s.scratch, [&](int64_t r) {
      if (!step) return;
      prefetch<false>(gates + q.at(first + r, step - 1) * kGates * U, kGates * U);
      if (step > 1) prefetch<false>(cells + q.at(first + r, step - 2) * U, U);
      prefetch<true>(dxp + q.at_time(first + r, step - 1) * kGates * U, kGates * U);
    });
  }
  void end(const Space& s, const Rows<T>& in) const {
    in.give_state(s.dh, dh0, q.units);
    in.give_state(s.dc, dc0, q.units);
  }

  // One step back for one row: the gradients of its gates' sums into d; of dh only what reaches the
  // state before other than through the product.
  void retreat_row(const Space& s, const Rows<T>& in, int64_t r, int64_t step) const {
    constexpr int L = kLanes<T>;
    const int64_t U = q.units, row = in.first + r;
    T *dh = s.dh + r * in.ld, *dc = s.dc + r * in.ld, *d = s.d + r * s.ldd, *act_c = s.act_c, *dc_here = act_c + in.ld;
    if (dy) add_row(dy + q.at(row, step) * U, dh, U);
    if (q.skips(row, step)) return fill_zero(d, kGates * U);

    const T* gate = gates + q.at(row, step) * kGates * U;
    const T* before = step ? cells + q.at(row, step - 1) * U : row_or_null(c0, row, U);
    copy(cells + q.at(row, step) * U, act_c, U);
    activate_cells<T>(act, act_c, U);
    for (int64_t i = 0; i < U; i += L)
      store_some(dc_here + i, load_some(dh + i, U - i) * load_some(gate + kO * U + i, U - i), U - i);
    activation_grad<T>(act, act_c, dc_here, U);
    for (int64_t i = 0; i < U; i += L) {
      const int64_t n = U - i;
      const Vec<T> dcell = load_some(dc_here + i, n) + load_some(dc + i, n);
      const Vec<T> was = before ? load_some(before + i, n) : Vec<T>{};
      store_some(d + kI * U + i, dcell * load_some(gate + kC * U + i, n), n);
      store_some(d + kF * U + i, dcell * was, n);
      store_some(d + kC * U + i, dcell * load_some(gate + kI * U + i, n), n);
      store_some(d + kO * U + i, load_some(dh + i, n) * load_some(act_c + i, n), n);
      store_some(dc + i, dcell * load_some(gate + kF * U + i, n), n);
    }
    activation_grad<T>(rec, gate, d, 2 * U);
    activation_grad<T>(act, gate + kC * U, d + kC * U, U);
    activation_grad<T>(rec, gate + kO * U, d + kO * U, U);
    fill_zero(dh, U);
  }

  Sequence q;
  Activation act, rec;
  const T *dy, *dh, *dc, *y, *gates, *cells, *h0, *c0, *rec_mask, *weights;
  T *scratch, *dxp, *dh0, *dc0, *dr;
  char* blocks;
};

}  // namespace

HB_EXPORT_KERNELS(lstm, recurrent_kernel<Lstm, kGates, false>("lstm"),
                  recurrent_kernel<LstmGrad, kGates, true>("lstm_grad"))

HB_CPU_END
