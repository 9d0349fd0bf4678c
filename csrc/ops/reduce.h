#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct ReduceAttrs {
  Ints axes;
  bool keepdims = false;
  HB_FIELDS(HB_F(axes) HB_F(keepdims))
};

struct ArgReduceAttrs {
  int64_t axis = -1;
  HB_FIELDS(HB_F(axis))
};

}  // namespace hornbeam
