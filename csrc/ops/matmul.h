#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct MatmulAttrs {
  bool transpose_a = false, transpose_b = false;
  Activation activation = Activation::linear;
  HB_FIELDS(HB_F(transpose_a) HB_F(transpose_b) HB_F(activation))
};

}  // namespace hornbeam
