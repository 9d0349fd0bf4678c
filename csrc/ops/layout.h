#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct AxisAttrs {
  int64_t axis = 0;
  HB_FIELDS(HB_F(axis))
};

struct AxesAttrs {
  Ints axes;
  HB_FIELDS(HB_F(axes))
};

// Output axis i is input axis perm[i].
struct TransposeAttrs {
  Ints perm;
  HB_FIELDS(HB_F(perm))
};

struct PadAttrs {
  Ints before, after;
  double value = 0;
  HB_FIELDS(HB_F(before) HB_F(after) HB_F(value))
};

}  // namespace hornbeam
