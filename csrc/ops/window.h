// Windows sliding along one axis (pooling, convolution). Plain data: kernels include it.
#pragma once
#include "ops/attrs.h"

namespace hornbeam {

// Cells that the windows reach over before the start of the axis. 'same' pads the odd cell at the
// end, as TensorFlow does; 'causal' pads everything before.
HB_INLINE int64_t pad_before(int64_t in, int64_t out, int64_t size, int64_t stride, int64_t dilation, Padding padding) {
  const int64_t reach = (size - 1) * dilation + 1;
  if (padding == Padding::causal) return reach - 1;
  if (padding == Padding::valid) return 0;
  const int64_t total = (out - 1) * stride + reach - in;
  return total > 0 ? total / 2 : 0;
}

}  // namespace hornbeam
