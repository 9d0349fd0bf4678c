#pragma once
#include "ops/attrs.h"

namespace hornbeam {

// Convolutions and their input gradients; strides and dilation have an entry per spatial axis.
struct ConvAttrs {
  Ints strides{2, {1, 1}}, dilation{2, {1, 1}};
  Padding padding = Padding::valid;
  Activation activation = Activation::linear;
  HB_FIELDS(HB_F(strides) HB_F(dilation) HB_F(padding) HB_F(activation))
};

// Filter gradients; `kernel` holds the kernel's spatial sizes.
struct ConvFilterGradAttrs {
  Ints kernel, strides{2, {1, 1}}, dilation{2, {1, 1}};
  Padding padding = Padding::valid;
  HB_FIELDS(HB_F(kernel) HB_F(strides) HB_F(dilation) HB_F(padding))
};

}  // namespace hornbeam
