#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct TopKAttrs {
  int64_t k = 1;
  HB_FIELDS(HB_F(k))
};

}  // namespace hornbeam
