// The plain recurrent layer over whole sequences: h' = act(xp + h R).
#include "cpu/activation_grad.h"
#include "cpu/cell_activation.h"
#include "cpu/recurrent.h"
#include "ops/recurrent.h"

HB_CPU_BEGIN
namespace {

// ---- forward -----------------------------------------------------------------------------------------
template <class T>
struct SimpleRnn {
  enum Input { kXp, kH0, kR, kMask, kRecMask };

  explicit SimpleRnn(const KernelCall& c) {
    const auto& attrs = *static_cast<const SimpleRnnAttrs*>(c.attrs);
    act = attrs.activation;
    const Shape& x = c.in[kXp].shape;
    q = {x[0], x[1], x[2], 1, attrs.go_backwards, c.in[kRecMask].present, data_of<unsigned char>(c.in[kMask])};
    xp = data_of<T>(c.in[kXp]), h0 = data_of<T>(c.in[kH0]), rec_mask = data_of<T>(c.in[kRecMask]);
    weights = c.packed ? static_cast<const T*>(c.packed[kR]) : nullptr;
    y = data_of<T>(c.out[0]), h_out = data_of<T>(c.out[1]);
  }

  int64_t workspace() const { return q.blocks() * Space(q, nullptr).bytes; }

  void run(const KernelCall& c) const { run_forward(*this, c); }

  struct Space {  // of one task
    T *h, *h_next, *masked, *z;
    int64_t bytes;
    Space(const Sequence& q, char* base) {
      const int64_t rows = q.block_rows(), ld = row_pitch<T>(q.units);
      Carver carve(base);
      h = carve.take<T>(rows * ld);
      h_next = carve.take<T>(rows * ld);
      masked = carve.take<T>(Rows<T>::masked_elements(q));
      z = carve.take<T>(rows * kPanel<T>);
      bytes = carve.used();
    }
  };

  Space space(char* base, int64_t block) const { return {q, base + block * Space(q, nullptr).bytes}; }

  void begin(const Space& s, const Rows<T>& in) const {
    in.take_state(h0, s.h, q.units);
    fill_zero(s.z, in.rows * kPanel<T>);  // lanes beyond the last unit are computed with: they must be numbers
  }
  void advance(const Space& s, const Rows<T>& in, int64_t step) const {
    for (int64_t u = 0; u < q.units; u += kPanel<T>) advance_panel(s, in, step, u);
  }
  void end(const Space& s, const Rows<T>& in) const { in.give_state(s.h, h_out, q.units); }

  void advance_panel(const Space& s, const Rows<T>& in, int64_t step, int64_t u) const {
    const int64_t U = q.units, n = smaller(kPanel<T>, U - u);
    panel_product<T>(q, weights, 0, u, in.rows, in.gate(0, s.h), in.ld, xp + q.at_time(in.first, step) * U + u,
                     q.steps * U, s.z);
    activate_cells<T>(act, s.z, in.rows * kPanel<T>);
    for (int64_t r = 0; r < in.rows; ++r) {
      const T* h = (q.skips(in.first + r, step) ? s.h + r * in.ld + u : s.z + r * kPanel<T>);
      copy(h, s.h_next + r * in.ld + u, n);
      if (y) copy(h, y + q.at(in.first + r, step) * U + u, n);
    }
  }

  Sequence q;
  Activation act;
  const T *xp, *h0, *rec_mask, *weights;
  T *y, *h_out;
};

// ---- backward ----------------------------------------------------------------------------------------
template <class T>
struct SimpleRnnGrad {
  enum Input { kDy, kDh, kY, kH0, kR, kMask, kRecMask };

  explicit SimpleRnnGrad(const KernelCall& c) {
    const auto& attrs = *static_cast<const SimpleRnnAttrs*>(c.attrs);
    act = attrs.activation;
    const Shape& x = c.in[kY].shape;
    q = {x[0], x[1], x[2], 1, attrs.go_backwards, c.in[kRecMask].present, data_of<unsigned char>(c.in[kMask])};
    dy = data_of<T>(c.in[kDy]), dh = data_of<T>(c.in[kDh]), y = data_of<T>(c.in[kY]), h0 = data_of<T>(c.in[kH0]);
    rec_mask = data_of<T>(c.in[kRecMask]);
    weights = c.packed ? static_cast<const T*>(c.packed[kR]) : nullptr;
    const Shared shared(q, c.workspace);
    scratch = shared.scratch, blocks = c.workspace + shared.bytes;
    dxp = c.out[0].present ? data_of<T>(c.out[0]) : shared.dxp;
    dh0 = data_of<T>(c.out[1]), dr = data_of<T>(c.out[2]);
  }

  int64_t workspace() const { return Shared(q, nullptr).bytes + q.blocks() * Space(q, nullptr).bytes; }

  void run(const KernelCall& c) const {
    run_backward(*this, c, blocks);
    const int64_t U = q.units;
    if (dr) WeightGradient<T>{q, state_at_start(y, h0, rec_mask), {dxp, U, U}, {dr, U, U}, scratch}.run(c);
  }

  struct Shared {
    T *scratch, *dxp;
    int64_t bytes;
    Shared(const Sequence& q, char* base) {
      Carver carve(base);
      scratch = carve.take<T>(WeightGradient<T>::scratch_elements(q));
      dxp = carve.take<T>(q.batch * q.steps * q.units);  // when nobody else wants it
      bytes = carve.used();
    }
  };
  struct Space {  // of one task
    T *dh, *d, *scratch;
    int64_t bytes;
    Space(const Sequence& q, char* base) {
      const int64_t rows = q.block_rows(), ld = row_pitch<T>(q.units);
      Carver carve(base);
      dh = carve.take<T>(rows * ld);
      d = carve.take<T>(rows * ld);
      scratch = carve.take<T>(q.dropout ? rows * kPanel<T> : 0);
      bytes = carve.used();
    }
  };

  Space space(char* base, int64_t block) const { return {q, base + block * Space(q, nullptr).bytes}; }

  void begin(const Space& s, const Rows<T>& in) const { in.take_state(dh, s.dh, q.units); }
  void retreat(const Space& s, const Rows<T>& in, int64_t step) const {
    for (int64_t r = 0; r < in.rows; ++r) {
      const int64_t row = in.first + r;
      retreat_row(s.dh + r * in.ld, s.d + r * in.ld, row, step);
      copy(s.d + r * in.ld, dxp + q.at_time(row, step) * q.units, q.units);
    }
    backprop_state<T>(q, weights, in, 0, 1, s.d, in.ld, s.dh, in.ld, s.scratch, [](int64_t) {});
  }
  void end(const Space& s, const Rows<T>& in) const { in.give_state(s.dh, dh0, q.units); }

  // One step back for one row: the gradient of its sums into d; of dh only what reaches the state
  // before other than through the product.
  void retreat_row(T* dh, T* d, int64_t row, int64_t step) const {
    const int64_t U = q.units;
    if (dy) add_row(dy + q.at(row, step) * U, dh, U);
    if (q.skips(row, step)) return fill_zero(d, U);
    copy(dh, d, U);
    activation_grad<T>(act, y + q.at(row, step) * U, d, U);
    fill_zero(dh, U);
  }

  Sequence q;
  Activation act;
  const T *dy, *dh, *y, *h0, *rec_mask, *weights;
  T *scratch, *dxp, *dh0, *dr;
  char* blocks;
};

}  // namespace

HB_EXPORT_KERNELS(simple_rnn, recurrent_kernel<SimpleRnn, 1, false>("simple_rnn"),
                  recurrent_kernel<SimpleRnnGrad, 1, true>("simple_rnn_grad"))

HB_CPU_END
