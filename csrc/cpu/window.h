// Windows sliding along one axis (pooling, convolution). The shape rules use window_length and
// window_pad_before of ops/op.h; kernels may not link against that, so this is the same sum in place.
#pragma once
#include "cpu/simd.h"
#include "ops/attrs.h"

HB_CPU_BEGIN

// Cells that the windows reach over before the start of the axis. 'same' pads the odd cell at the
// end, as TensorFlow does; 'causal' pads everything before.
HB_INLINE int64_t pad_before(int64_t in, int64_t out, int64_t size, int64_t stride, int64_t dilation, Padding padding) {
  const int64_t reach = (size - 1) * dilation + 1;
  if (padding == Padding::causal) return reach - 1;
  if (padding == Padding::valid) return 0;
  const int64_t total = (out - 1) * stride + reach - in;
  return total > 0 ? total / 2 : 0;
}

HB_CPU_END
