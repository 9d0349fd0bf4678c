#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct GatherAttrs {
  int64_t axis = 0;
  HB_FIELDS(HB_F(axis))
};

struct OneHotAttrs {
  int64_t depth = 0;
  DType dtype = DType::float32;
  HB_FIELDS(HB_F(depth) HB_F(dtype))
};

}  // namespace hornbeam
