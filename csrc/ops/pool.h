#pragma once
#include "ops/attrs.h"

namespace hornbeam {

// Windows over height and width of an NHWC tensor.
struct PoolAttrs {
  Ints size, strides;
  Padding padding = Padding::valid;
  HB_FIELDS(HB_F(size) HB_F(strides) HB_F(padding))
};

}  // namespace hornbeam
