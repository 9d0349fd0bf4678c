#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct ConvAttrs {
  Ints strides{2, {1, 1}}, dilation{2, {1, 1}};
  Padding padding = Padding::valid;
  Activation activation = Activation::linear;
  HB_FIELDS(HB_F(strides) HB_F(dilation) HB_F(padding) HB_F(activation))
};

// conv2d_input_grad and conv2d_filter_grad; `kernel` (height, width) is the filter gradient's alone.
struct ConvGradAttrs {
  Ints kernel, strides{2, {1, 1}}, dilation{2, {1, 1}};
  Padding padding = Padding::valid;
  HB_FIELDS(HB_F(kernel) HB_F(strides) HB_F(dilation) HB_F(padding))
};

}  // namespace hornbeam
