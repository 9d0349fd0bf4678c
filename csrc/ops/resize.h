#pragma once
#include "ops/attrs.h"

namespace hornbeam {

enum class Interpolation : int32_t { nearest, bilinear };
HB_ENUM_NAMES(Interpolation, "nearest", "bilinear")

struct ResizeAttrs {
  Interpolation interpolation = Interpolation::nearest;
  HB_FIELDS(HB_F(interpolation))
};

}  // namespace hornbeam
