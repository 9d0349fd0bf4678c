#pragma once
#include "ops/conv.h"

namespace hornbeam {

using DepthwiseAttrs = ConvAttrs;

// depthwise_conv2d_input_grad and depthwise_conv2d_filter_grad; `kernel` and `multiplier` (output
// channels per input channel) are the filter gradient's alone.
struct DepthwiseGradAttrs {
  Ints kernel, strides{2, {1, 1}}, dilation{2, {1, 1}};
  Padding padding = Padding::valid;
  int64_t multiplier = 1;
  HB_FIELDS(HB_F(kernel) HB_F(strides) HB_F(dilation) HB_F(padding) HB_F(multiplier))
};

}  // namespace hornbeam
