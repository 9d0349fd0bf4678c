// depthwise_conv2d and its gradients. Forward and input gradient have a thread per element of the result; the filter
// gradient sums over all positions, in parts that another launch adds.
#include "ops/depthwise.h"

#include "core/dispatch.h"
#include "cuda/divider.h"
#include "cuda/export.h"
#include "cuda/gpu.h"
#include "cuda/scalar.h"
#include "ops/window.h"

namespace hornbeam {

// How windows of x, a place of y each, lie along an axis.
struct DepthwiseAxis {
  int64_t x, y, taps, stride, dilation, pad;

  template <class A> static DepthwiseAxis of(const A& a, const Shape& x, const Shape& y, const Shape& kernel, int i) {
    return {x[1 + i],      y[1 + i],
            kernel[i],     a.strides[i],
            a.dilation[i], pad_before(x[1 + i], y[1 + i], kernel[i], a.strides[i], a.dilation[i], a.padding)};
  }
  // The cell of x that place o sees with a tap; it may lie outside.
  HB_INLINE int64_t cell(int64_t o, int64_t tap) const { return o * stride + tap * dilation - pad; }
  HB_INLINE bool has(int64_t cell) const { return cell >= 0 && cell < x; }
  // The place that sees a cell with a tap; -1: none does.
  HB_INLINE int64_t place(int64_t cell, int64_t tap) const {
    const int64_t at = cell + pad - tap * dilation;
    return at >= 0 && at % stride == 0 && at / stride < y ? at / stride : -1;
  }
};

// x is (n, h.x, w.x, channels), y (n, h.y, w.y, channels * multiplier), kernels (h.taps, w.taps, channels, multiplier).
struct Depthwise {
  DepthwiseAxis h, w;
  int64_t images, channels;
  Divider multiplier;

  HB_INLINE int64_t outputs() const { return channels * multiplier.d; }
  HB_INLINE int64_t taps() const { return h.taps * w.taps; }
  HB_INLINE int64_t x_at(int64_t n, int64_t i, int64_t j, int64_t c) const {
    return ((n * h.x + i) * w.x + j) * channels + c;
  }
  HB_INLINE int64_t y_at(int64_t n, int64_t i, int64_t j, int64_t c) const {
    return ((n * h.y + i) * w.y + j) * outputs() + c;
  }
};

template <class A>
static Depthwise depthwise_of(const A& a, const Shape& x, const Shape& y, const Shape& kernel, int64_t multiplier) {
  return {DepthwiseAxis::of(a, x, y, kernel, 0), DepthwiseAxis::of(a, x, y, kernel, 1), x[0], x[3],
          Divider::of(multiplier)};
}

// ---- forward --------------------------------------------------------------------------------------------
template <class T> static void forward_as(const KernelCall& call) {
  const DepthwiseAttrs& a = *static_cast<const DepthwiseAttrs*>(call.attrs);
  const Depthwise d = depthwise_of(a, call.in[0].shape, call.out[0].shape, call.in[1].shape, call.in[1].shape[3]);
  const T *x = call.in[0].as<const T>(), *kernel = call.in[1].as<const T>();
  const T* bias = input_of<const T>(call, 2);
  T* y = call.out[0].as<T>();
  const Activation activation = a.activation;
  const Divider outputs = Divider::of(d.outputs()), height = Divider::of(d.h.y), width = Divider::of(d.w.y);
  each(*call.lane, "depthwise_conv2d", call.out[0].shape.count(), [=] GPU_LAMBDA(int64_t at) {
    int64_t n = at;
    const int64_t output = outputs.take(n), q = width.take(n), p = height.take(n), channel = d.multiplier(output);
    T sum = 0;
    for (int64_t a = 0; a < d.h.taps; ++a) {
      const int64_t i = d.h.cell(p, a);
      if (!d.h.has(i)) continue;
      for (int64_t b = 0; b < d.w.taps; ++b) {
        const int64_t j = d.w.cell(q, b);
        if (d.w.has(j))
          sum = scalar::fma(x[d.x_at(n, i, j, channel)], kernel[(a * d.w.taps + b) * outputs.d + output], sum);
      }
    }
    if (bias) sum += bias[output];
    y[at] = scalar::activate(activation, sum);
  });
}

// ---- input gradient -------------------------------------------------------------------------------------
template <class T> static void input_grad_as(const KernelCall& call) {
  const Depthwise d = depthwise_of(*static_cast<const DepthwiseGradAttrs*>(call.attrs), call.out[0].shape,
                                   call.in[0].shape, call.in[1].shape, call.in[1].shape[3]);
  const T *dy = call.in[0].as<const T>(), *kernel = call.in[1].as<const T>();
  T* dx = call.out[0].as<T>();
  const Divider channels = Divider::of(d.channels), height = Divider::of(d.h.x), width = Divider::of(d.w.x);
  each(*call.lane, "depthwise_conv2d_input_grad", call.out[0].shape.count(), [=] GPU_LAMBDA(int64_t at) {
    int64_t n = at;
    const int64_t channel = channels.take(n), j = width.take(n), i = height.take(n);
    T sum = 0;
    for (int64_t a = 0; a < d.h.taps; ++a) {
      const int64_t p = d.h.place(i, a);
      if (p < 0) continue;
      for (int64_t b = 0; b < d.w.taps; ++b) {
        const int64_t q = d.w.place(j, b);
        if (q < 0) continue;
        const T* given = dy + d.y_at(n, p, q, channel * d.multiplier.d);
        const T* weight = kernel + ((a * d.w.taps + b) * d.channels + channel) * d.multiplier.d;
        for (int64_t m = 0; m < d.multiplier.d; ++m) sum = scalar::fma(given[m], weight[m], sum);
      }
    }
    dx[at] = sum;
  });
}

// ---- filter gradient ------------------------------------------------------------------------------------
// A block sums for 32 outputs at one tap, over a part of the positions, which its 8 warps share.
struct DepthwiseFilterCut {
  static constexpr int kOutputs = 32, kShares = 8, kThreads = kOutputs * kShares;
  int64_t positions, tiles, splits;

  static DepthwiseFilterCut of(const Depthwise& d) {
    DepthwiseFilterCut cut{d.images * d.h.y * d.w.y, (d.outputs() + kOutputs - 1) / kOutputs, 1};
    constexpr int64_t kEnough = 512, kShortest = 16 * kShares;  // blocks for any GPU; positions worth a block
    const int64_t blocks = cut.tiles * d.taps();
    if (blocks > 0 && blocks < kEnough) {
      const int64_t wanted = kEnough / blocks, most = cut.positions / kShortest;
      cut.splits = wanted < most ? wanted : most;
      if (cut.splits < 1) cut.splits = 1;
    }
    return cut;
  }
  int64_t blocks(const Depthwise& d) const { return tiles * d.taps() * splits; }
};

template <class T>
__global__ void __launch_bounds__(256)
    depthwise_filter(const T* x, const T* dy, T* to, GPU_PARAM Depthwise d, GPU_PARAM DepthwiseFilterCut cut,
                     Divider height, Divider width) {
  GPU_SHARED(T, sums);  // (share, output)
  const int thread = static_cast<int>(threadIdx.x), share = thread / cut.kOutputs;
  const int64_t tile = blockIdx.x % cut.tiles, tap = blockIdx.x / cut.tiles % d.taps();
  const int64_t split = blockIdx.x / cut.tiles / d.taps();
  const int64_t output = tile * cut.kOutputs + thread % cut.kOutputs;
  const int64_t a = tap / d.w.taps, b = tap % d.w.taps, end = cut.positions * (split + 1) / cut.splits;
  T sum = 0;
  if (output < d.outputs())
    for (int64_t at = cut.positions * split / cut.splits + share; at < end; at += cut.kShares) {
      int64_t n = at;
      const int64_t q = width.take(n), p = height.take(n), i = d.h.cell(p, a), j = d.w.cell(q, b);
      if (d.h.has(i) && d.w.has(j))
        sum = scalar::fma(x[d.x_at(n, i, j, d.multiplier(output))], dy[at * d.outputs() + output], sum);
    }
  sums[thread] = sum;
  __syncthreads();
  if (share > 0 || output >= d.outputs()) return;
  for (int s = 1; s < cut.kShares; ++s) sum += sums[s * cut.kOutputs + thread];
  to[(split * d.taps() + tap) * d.outputs() + output] = sum;
}

static Depthwise filter_of(const KernelCall& call) {
  const DepthwiseGradAttrs& a = *static_cast<const DepthwiseGradAttrs*>(call.attrs);
  return depthwise_of(a, call.in[0].shape, call.in[1].shape, a.kernel, a.multiplier);
}

template <class T> static void filter_grad_as(const KernelCall& call) {
  const Depthwise d = filter_of(call);
  const DepthwiseFilterCut cut = DepthwiseFilterCut::of(d);
  T* const dw = call.out[0].as<T>();
  T* const parts = cut.splits > 1 ? reinterpret_cast<T*>(call.workspace) : dw;
  const Divider height = Divider::of(d.h.y), width = Divider::of(d.w.y);
  launch(*call.lane, "depthwise_conv2d_filter_grad", depthwise_filter<T>, dim3(static_cast<unsigned>(cut.blocks(d))),
         dim3(cut.kThreads), sizeof(T) * cut.kThreads, call.in[0].as<const T>(), call.in[1].as<const T>(), parts, d,
         cut, height, width);
  if (cut.splits == 1) return;
  const int64_t count = call.out[0].shape.count(), splits = cut.splits;
  each(*call.lane, "depthwise_conv2d_filter_grad", count, [=] GPU_LAMBDA(int64_t i) {
    T sum = parts[i];
    for (int64_t s = 1; s < splits; ++s) sum += parts[s * count + i];
    dw[i] = sum;
  });
}

static int64_t filter_workspace(const KernelCall& call) {
  const int64_t splits = DepthwiseFilterCut::of(filter_of(call)).splits;
  return splits > 1 ? splits * call.out[0].bytes() : 0;
}

// ---- the ops --------------------------------------------------------------------------------------------
HB_GPU_KERNELS(depthwise,
               {"depthwise_conv2d", "each", supports_floats, nullptr,
                run_floats<forward_as<float>, forward_as<double>>},
               {"depthwise_conv2d_input_grad", "each", supports_floats, nullptr,
                run_floats<input_grad_as<float>, input_grad_as<double>>},
               {"depthwise_conv2d_filter_grad", "sums", supports_floats, filter_workspace,
                run_floats<filter_grad_as<float>, filter_grad_as<double>>})

}  // namespace hornbeam
