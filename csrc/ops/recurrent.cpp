// lstm, gru, simple_rnn and their gradients over whole sequences; docs/ops.md has the formulas.
// Every shape is checked against the sizes (batch, steps, units) that all inputs share.
#include "ops/recurrent.h"

#include "ops/op.h"

namespace hornbeam {
namespace {

using Infos = std::vector<TypeInfo>;

// Collects the sizes of one call and checks each tensor against them.
class Sizes {
 public:
  Sizes(const char* op, int gates) : op_(op), gates_(gates) {}

  // A tensor (batch, steps, columns * units), or one of steps' results (batch, columns * units).
  void sequence(const TypeInfo& x, int columns, const char* what) { tensor(x, {&batch_, &steps_}, columns, what); }
  void state(const TypeInfo& x, const char* what) { tensor(x, {&batch_}, 1, what); }
  void weights(const TypeInfo& x) { tensor(x, {&units_}, gates_, "recurrent kernel"); }
  void bias(const TypeInfo& x) { tensor(x, {}, gates_, "recurrent bias"); }

  void mask(const TypeInfo& x) {
    if (!x.present) return;
    want_rank(op_, x, 2, "mask");
    if (x.dtype != DType::boolean) op_type_error(op_, std::string("mask must be bool, got ") + dtype_name(x.dtype));
    batch_ = same_dim(op_, batch_, x.shape[0], "batch size of mask");
    steps_ = same_dim(op_, steps_, x.shape[1], "number of steps of mask");
  }
  void rec_mask(const TypeInfo& x) {
    if (!x.present) return;
    floating(x);
    want_rank(op_, x, 3, "rec_mask");
    same_dim(op_, gates_, x.shape[0], "number of gates of rec_mask");
    batch_ = same_dim(op_, batch_, x.shape[1], "batch size of rec_mask");
    units_ = same_dim(op_, units_, x.shape[2], "units of rec_mask");
  }

  TypeInfo make_sequence(int columns) const { return make({batch_, steps_}, columns); }
  TypeInfo make_state() const { return make({batch_}, 1); }
  TypeInfo make_weights() const { return make({units_}, gates_); }
  TypeInfo make_bias() const { return make({}, gates_); }

 private:
  void floating(const TypeInfo& x) {
    want_float(op_, x);
    if (!seen_.present) seen_ = x;
    want_same_dtype(op_, seen_, x);
  }
  void tensor(const TypeInfo& x, std::initializer_list<int64_t*> leading, int columns, const char* what) {
    if (!x.present) return;
    floating(x);
    want_rank(op_, x, static_cast<int>(leading.size()) + 1, what);
    int axis = 0;
    for (int64_t* dim : leading) {
      *dim = same_dim(op_, *dim, x.shape[axis],
                      dim == &batch_   ? "batch size"
                      : dim == &steps_ ? "number of steps"
                                       : "units");
      ++axis;
    }
    const int64_t last = x.shape[-1];
    if (last < 0) return;
    if (last % columns || (units_ >= 0 && last != columns * units_))
      op_error(op_, std::string(what) + " has shape " + shape_str(x.shape) + ", its last dimension must be " +
                        (columns == 1 ? "units" : std::to_string(columns) + " * units") +
                        (units_ < 0 ? "" : " with units = " + std::to_string(units_)));
    units_ = last / columns;
  }
  TypeInfo make(std::initializer_list<int64_t> leading, int columns) const {
    Shape shape;
    for (int64_t dim : leading) shape.push(dim);
    shape.push(units_ < 0 ? kUnknown : columns * units_);
    return TypeInfo::of(seen_.dtype, shape);
  }

  const char* op_;
  int64_t gates_, batch_ = kUnknown, steps_ = kUnknown, units_ = kUnknown;
  TypeInfo seen_ = TypeInfo::absent();
};

// Gradients keep what activations gave, not what they were applied to.
void want_slope(const char* op, Activation a) {
  if (!has_slope(a))
    op_error(op, std::string("activation '") + EnumNames<Activation>::get()[static_cast<int>(a)] +
                     "' cannot be a cell's: its slope does not follow from its result");
}
void want_slopes(const char* op, const SimpleRnnAttrs& a) { want_slope(op, a.activation); }
template <class A> void want_slopes(const char* op, const A& a) {
  want_slope(op, a.activation);
  want_slope(op, a.recurrent_activation);
}

void check_reset_bias(const char* op, const GruAttrs& a, const TypeInfo& bias) {
  if (bias.present && !a.reset_after) op_error(op, "a recurrent bias needs reset_after=True");
}

}  // namespace

void register_recurrent(OpRegistry& r) {
  r.add<LstmAttrs>("lstm", "xp, h0?, c0?, R, mask?, rec_mask?", 5, [](const LstmAttrs& a, const Infos& in, Infos& out) {
    want_slopes("lstm", a);
    Sizes s("lstm", 4);
    s.weights(in[3]);
    s.sequence(in[0], 4, "input projection");
    s.state(in[1], "initial state h");
    s.state(in[2], "initial state c");
    s.mask(in[4]);
    s.rec_mask(in[5]);
    out = {s.make_sequence(1), s.make_state(), s.make_state(), s.make_sequence(4), s.make_sequence(1)};
  });
  r.add<LstmAttrs>("lstm_grad", "dy?, dh?, dc?, y, gates, cells, h0?, c0?, R, mask?, rec_mask?", 4,
                   [](const LstmAttrs& a, const Infos& in, Infos& out) {
                     want_slopes("lstm_grad", a);
                     Sizes s("lstm_grad", 4);
                     s.weights(in[8]);
                     s.sequence(in[3], 1, "y");
                     s.sequence(in[4], 4, "gates");
                     s.sequence(in[5], 1, "cells");
                     s.sequence(in[0], 1, "dy");
                     s.state(in[1], "dh");
                     s.state(in[2], "dc");
                     s.state(in[6], "initial state h");
                     s.state(in[7], "initial state c");
                     s.mask(in[9]);
                     s.rec_mask(in[10]);
                     out = {s.make_sequence(4), s.make_state(), s.make_state(), s.make_weights()};
                   })
      .linear_together_in("dy, dh, dc");
  r.add<GruAttrs>("gru", "xp, h0?, R, rb?, mask?, rec_mask?", 4, [](const GruAttrs& a, const Infos& in, Infos& out) {
    check_reset_bias("gru", a, in[3]);
    want_slopes("gru", a);
    Sizes s("gru", 3);
    s.weights(in[2]);
    s.sequence(in[0], 3, "input projection");
    s.state(in[1], "initial state h");
    s.bias(in[3]);
    s.mask(in[4]);
    s.rec_mask(in[5]);
    out = {s.make_sequence(1), s.make_state(), s.make_sequence(3), s.make_sequence(1)};
  });
  r.add<GruAttrs>("gru_grad", "dy?, dh?, y, gates, hidden, h0?, R, rb?, mask?, rec_mask?", 4,
                  [](const GruAttrs& a, const Infos& in, Infos& out) {
                    check_reset_bias("gru_grad", a, in[7]);
                    want_slopes("gru_grad", a);
                    Sizes s("gru_grad", 3);
                    s.weights(in[6]);
                    s.sequence(in[2], 1, "y");
                    s.sequence(in[3], 3, "gates");
                    s.sequence(in[4], 1, "hidden");
                    s.sequence(in[0], 1, "dy");
                    s.state(in[1], "dh");
                    s.state(in[5], "initial state h");
                    s.bias(in[7]);
                    s.mask(in[8]);
                    s.rec_mask(in[9]);
                    out = {s.make_sequence(3), s.make_state(), s.make_weights(), s.make_bias()};
                  })
      .linear_together_in("dy, dh");
  r.add<SimpleRnnAttrs>("simple_rnn", "xp, h0?, R, mask?, rec_mask?", 2,
                        [](const SimpleRnnAttrs& a, const Infos& in, Infos& out) {
                          want_slopes("simple_rnn", a);
                          Sizes s("simple_rnn", 1);
                          s.weights(in[2]);
                          s.sequence(in[0], 1, "input projection");
                          s.state(in[1], "initial state h");
                          s.mask(in[3]);
                          s.rec_mask(in[4]);
                          out = {s.make_sequence(1), s.make_state()};
                        });
  r.add<SimpleRnnAttrs>("simple_rnn_grad", "dy?, dh?, y, h0?, R, mask?, rec_mask?", 3,
                        [](const SimpleRnnAttrs& a, const Infos& in, Infos& out) {
                          want_slopes("simple_rnn_grad", a);
                          Sizes s("simple_rnn_grad", 1);
                          s.weights(in[4]);
                          s.sequence(in[2], 1, "y");
                          s.sequence(in[0], 1, "dy");
                          s.state(in[1], "dh");
                          s.state(in[3], "initial state h");
                          s.mask(in[5]);
                          s.rec_mask(in[6]);
                          out = {s.make_sequence(1), s.make_state(), s.make_weights()};
                        })
      .linear_together_in("dy, dh");
}

}  // namespace hornbeam
