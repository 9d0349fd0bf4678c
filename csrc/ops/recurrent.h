// Attributes of the whole-sequence recurrent ops; a gradient op takes those of its forward op.
#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct LstmAttrs {
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  bool go_backwards = false;
  HB_FIELDS(HB_F(activation) HB_F(recurrent_activation) HB_F(go_backwards))
};

struct GruAttrs {
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  bool reset_after = false;  // the reset gate multiplies h R_h + rb_h, and not h before the product
  bool go_backwards = false;
  bool drop_carry = false;  // the update gate's dropout mask also falls on the state that is carried over
  HB_FIELDS(HB_F(activation) HB_F(recurrent_activation) HB_F(reset_after) HB_F(go_backwards) HB_F(drop_carry))
};

struct SimpleRnnAttrs {
  Activation activation = Activation::tanh;
  bool go_backwards = false;
  HB_FIELDS(HB_F(activation) HB_F(go_backwards))
};

}  // namespace hornbeam
