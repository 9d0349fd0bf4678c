#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct UniformAttrs {  // [low, high)
  double low = 0, high = 1;
  int64_t seed = 0;
  DType dtype = DType::float32;
  HB_FIELDS(HB_F(low) HB_F(high) HB_F(seed) HB_F(dtype))
};

struct NormalAttrs {
  double mean = 0, stddev = 1;
  int64_t seed = 0;
  DType dtype = DType::float32;
  HB_FIELDS(HB_F(mean) HB_F(stddev) HB_F(seed) HB_F(dtype))
};

struct BernoulliAttrs {  // `scale` with probability p, else 0
  double p = 0.5, scale = 1;
  int64_t seed = 0;
  DType dtype = DType::float32;
  HB_FIELDS(HB_F(p) HB_F(scale) HB_F(seed) HB_F(dtype))
};

}  // namespace hornbeam
