#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct FillAttrs {
  double value = 0;
  DType dtype = DType::float32;
  HB_FIELDS(HB_F(value) HB_F(dtype))
};

struct ArangeAttrs {
  DType dtype = DType::int32;
  HB_FIELDS(HB_F(dtype))
};

}  // namespace hornbeam
