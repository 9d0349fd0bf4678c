#pragma once
#include "ops/attrs.h"

namespace hornbeam {

// Normalization over all axes but the last.
struct BatchNormAttrs {
  double epsilon = 1e-3;
  Activation activation = Activation::linear;
  HB_FIELDS(HB_F(epsilon) HB_F(activation))
};

using BatchNormGradAttrs = NoAttrs;

}  // namespace hornbeam
