#pragma once
#include "ops/attrs.h"

namespace hornbeam {

// Windows of `kernel` (height, width), `strides` apart, at `places` (rows, columns) of an image.
struct LocalAttrs {
  Ints kernel, strides, places;
  HB_FIELDS(HB_F(kernel) HB_F(strides) HB_F(places))
};

}  // namespace hornbeam
