// Which convolutions go by Winograd's F(4x4, 3x3) (conv_winograd.cpp): the direct kernels decline those.
// Decided by shapes and instruction set alone, so that every run of a plan takes the same path.
#pragma once
#include "cpu/gemm.h"
#include "cpu/parallel.h"
#include "ops/conv.h"

HB_CPU_BEGIN

struct ConvSize {
  int64_t images, height, width;  // of what is cut into tiles: y, or dx in backward-data
  int64_t channels, outputs;      // summed over, and made; in backward-filter x's and dy's
  int64_t kernel_height, kernel_width;
};

template <class Attrs>
HB_INLINE bool winograd_fits(DType dtype, const ConvSize& s, const Attrs& a) {
  return dtype == DType::float32 && s.kernel_height == 3 && s.kernel_width == 3 && a.strides[0] == 1 &&
         a.strides[1] == 1 && a.dilation[0] == 1 && a.dilation[1] == 1;
}

// Where it was measured to be at least 15 % faster, packing included: forward and backward-data with 16
// channels or more on both sides (1.3 to 2.3 times as fast, most for 64 to 128 channels), unless half of
// the tiles' outputs are cut off or there are too few tiles to repay the packing. Backward-filter has sums
// that are 4 times as large as dw; it takes more tiles to repay them, and they must stay in L2.
enum class WinogradPass { data, filter };

template <class Attrs>
HB_INLINE bool winograd_pays(WinogradPass pass, DType dtype, const ConvSize& s, const Attrs& a) {
  if (!winograd_fits(dtype, s, a)) return false;
  const int64_t tiles = s.images * ceil_div(s.height, 4) * ceil_div(s.width, 4);
  const int64_t made = s.images * s.height * s.width, room = 16 * tiles;
  if (pass == WinogradPass::data)
    return s.channels >= 16 && s.channels <= 512 && s.outputs >= 16 && tiles >= 32 && 2 * made >= room;
  const int64_t padded = gemm_panels<float>(s.outputs) * GemmTile<float>::cols;
  return s.channels >= 32 && s.outputs >= 32 && s.channels * padded <= 128 * 128 && 4 * s.outputs >= 3 * padded &&
         tiles >= 1536 && 4 * made >= 3 * room;
}

// The same for the ops' calls: kernel lists take their addresses, hence static.
static HB_INLINE bool winograd_forward(const KernelCall& call) {
  const Shape &k = call.in[1].shape, &y = call.out[0].shape;
  return winograd_pays(WinogradPass::data, call.in[0].dtype, {y[0], y[1], y[2], k[2], k[3], k[0], k[1]},
                       *static_cast<const ConvAttrs*>(call.attrs));
}
static HB_INLINE bool winograd_input_grad(const KernelCall& call) {
  const Shape &k = call.in[1].shape, &x = call.out[0].shape;
  return winograd_pays(WinogradPass::data, call.in[0].dtype, {x[0], x[1], x[2], k[3], k[2], k[0], k[1]},
                       *static_cast<const ConvAttrs*>(call.attrs));
}
static HB_INLINE bool winograd_filter_grad(const KernelCall& call) {
  const ConvFilterGradAttrs& a = *static_cast<const ConvFilterGradAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &dy = call.in[1].shape;
  return winograd_pays(WinogradPass::filter, call.in[0].dtype,
                       {dy[0], dy[1], dy[2], x[3], dy[3], a.kernel[0], a.kernel[1]}, a);
}

HB_CPU_END
