// The plain recurrent layer over whole sequences: h' = act(xp + h R).
#include "cpu/activation_grad.h"
#include "cpu/cell_activation.h"
#include "cpu/recurrent.h"
#include "ops/recurrent.h"

HB_CPU_BEGIN
namespace {

// ---- forward -----------------------------------------------------------------------------------------
template <class T>
class SimpleRnn {
 public:
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

  void run(const KernelCall& c) const {
    parallel_tasks(c, q.blocks(), [&](int64_t block) { run_block(c, block); });
  }

 private:
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

  void run_block(const KernelCall& call, int64_t block) const {
    Space s(q, call.workspace + block * Space(q, nullptr).bytes);
    const int64_t U = q.units, first = q.block_begin(block), rows = q.block_begin(block + 1) - first;
    const Rows<T> in{rec_mask, s.masked, first, rows, row_pitch<T>(U)};
    for (int64_t r = 0; r < rows; ++r) copy_or_zero(row_or_null(h0, first + r, U), s.h + r * in.ld, U);
    fill_zero(s.z, rows * kPanel<T>);  // lanes beyond the last unit are computed with: they must be numbers
    for (int64_t step = 0; step < q.steps && !interrupted(call); ++step) {
      in.refresh(q, s.h);
      for (int64_t u = 0; u < U; u += kPanel<T>) advance(s, in, step, u);
      swap_pointers(s.h, s.h_next);
    }
    for (int64_t r = 0; r < rows; ++r)
      if (h_out) copy(s.h + r * in.ld, h_out + (first + r) * U, U);
  }

  // One step of one panel of units.
  void advance(const Space& s, const Rows<T>& in, int64_t step, int64_t u) const {
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
class SimpleRnnGrad {
 public:
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
    parallel_tasks(c, q.blocks(), [&](int64_t block) { run_block(c, block); });
    const int64_t U = q.units;
    if (dr) WeightGradient<T>{q, state_at_start(y, h0, rec_mask), {dxp, U, U}, {dr, U, U}, scratch}.run(c);
  }

 private:
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
    int64_t ld, bytes;
    Space(const Sequence& q, char* base) {
      const int64_t rows = q.block_rows();
      ld = row_pitch<T>(q.units);
      Carver carve(base);
      dh = carve.take<T>(rows * ld);
      d = carve.take<T>(rows * ld);
      scratch = carve.take<T>(q.dropout ? rows * kPanel<T> : 0);
      bytes = carve.used();
    }
  };

  void run_block(const KernelCall& call, int64_t block) const {
    const Space s(q, blocks + block * Space(q, nullptr).bytes);
    const int64_t U = q.units, first = q.block_begin(block), rows = q.block_begin(block + 1) - first;
    const Rows<T> in{rec_mask, nullptr, first, rows, s.ld};
    for (int64_t r = 0; r < rows; ++r) copy_or_zero(row_or_null(dh, first + r, U), s.dh + r * s.ld, U);
    for (int64_t step = q.steps - 1; step >= 0 && !interrupted(call); --step) {
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t row = first + r;
        retreat(s.dh + r * s.ld, s.d + r * s.ld, row, step);
        copy(s.d + r * s.ld, dxp + q.at_time(row, step) * U, U);
      }
      backprop_state<T>(q, weights, in, 0, 1, s.d, s.ld, s.dh, s.ld, s.scratch, [](int64_t) {});
    }
    for (int64_t r = 0; r < rows; ++r)
      if (dh0) copy(s.dh + r * s.ld, dh0 + (first + r) * U, U);
  }

  // One step back for one row: the gradient of its sums into d; of dh only what reaches the state
  // before other than through the product.
  void retreat(T* dh, T* d, int64_t row, int64_t step) const {
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

HB_EXPORT_KERNELS(simple_rnn,
                  {"simple_rnn", "rows", nullptr, recurrent_workspace<SimpleRnn>, run_recurrent<SimpleRnn>,
                   SimpleRnn<float>::kR, packed_weight_bytes<SimpleRnn<float>::kR, 1, false>,
                   pack_weights<SimpleRnn<float>::kR, 1, false>},
                  {"simple_rnn_grad", "rows", nullptr, recurrent_workspace<SimpleRnnGrad>, run_recurrent<SimpleRnnGrad>,
                   SimpleRnnGrad<float>::kR, packed_weight_bytes<SimpleRnnGrad<float>::kR, 1, true>,
                   pack_weights<SimpleRnnGrad<float>::kR, 1, true>})

HB_CPU_END
