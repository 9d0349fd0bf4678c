#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct RunningAttrs {
  int64_t axis = 0;
  bool reverse = false;  // from the last element to the first
  HB_FIELDS(HB_F(axis) HB_F(reverse))
};

}  // namespace hornbeam
