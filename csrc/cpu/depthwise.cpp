// depthwise_conv2d and its gradients: shapes in, geometry out; depthwise_rows.h and depthwise_filter.h
// do the work.
#include "ops/depthwise.h"
#include "cpu/depthwise_filter.h"
#include "cpu/export.h"

HB_CPU_BEGIN

template <class T>
static Depthwise<T> forward_geometry(const KernelCall& call) {
  const DepthwiseAttrs& a = *static_cast<const DepthwiseAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &k = call.in[1].shape, &y = call.out[0].shape;
  Depthwise<T> d;
  d.h = forward_axis(x[1], y[1], k[0], a.strides[0], a.dilation[0], a.padding);
  d.w = forward_axis(x[2], y[2], k[1], a.strides[1], a.dilation[1], a.padding);
  d.images = x[0];
  d.channels = y[3];
  d.multiplier = k[3];
  d.backward = false;
  d.kernel_width = k[1];
  d.y_height = y[1];
  d.y_width = y[2];
  d.activation = a.activation;
  return d;
}

template <class T>
static void run_forward(const KernelCall& call) {
  Depthwise<T> d = forward_geometry<T>(call);
  d.x = call.in[0].as<T>();
  d.kernel = call.in[1].as<T>();
  d.bias = input_of<T>(call, 2);
  d.y = call.out[0].as<T>();
  run_depthwise(call, d);
}

// Calls f(geometry) for each phase of the strides.
template <class T, class F>
HB_INLINE void each_phase(const KernelCall& call, const F& f) {
  const DepthwiseGradAttrs& a = *static_cast<const DepthwiseGradAttrs*>(call.attrs);
  const Shape &dy = call.in[0].shape, &k = call.in[1].shape, &x = call.out[0].shape;
  Depthwise<T> d;
  d.images = x[0];
  d.channels = dy[3];
  d.multiplier = k[3];
  d.backward = true;
  d.kernel_width = k[1];
  d.y_height = x[1];
  d.y_width = x[2];
  for (int64_t i = 0; i < a.strides[0]; ++i) {
    d.h = backward_axis(x[1], dy[1], k[0], a.strides[0], a.dilation[0], a.padding, i);
    for (int64_t j = 0; j < a.strides[1]; ++j) {
      d.w = backward_axis(x[2], dy[2], k[1], a.strides[1], a.dilation[1], a.padding, j);
      f(d);
    }
  }
}

template <class T>
static void run_backward(const KernelCall& call) {
  each_phase<T>(call, [&](Depthwise<T>& d) {
    d.x = call.in[0].as<T>();
    d.kernel = call.in[1].as<T>();
    d.y = call.out[0].as<T>();
    run_depthwise(call, d);
  });
}

template <class T>
static DepthwiseFilter<T> filter_geometry(const KernelCall& call) {
  const DepthwiseGradAttrs& a = *static_cast<const DepthwiseGradAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &dy = call.in[1].shape;
  DepthwiseFilter<T> f;
  f.h = forward_axis(x[1], dy[1], a.kernel[0], a.strides[0], a.dilation[0], a.padding);
  f.w = forward_axis(x[2], dy[2], a.kernel[1], a.strides[1], a.dilation[1], a.padding);
  f.images = x[0];
  f.channels = dy[3];
  f.multiplier = a.multiplier;
  return f;
}

template <class T>
static void run_filter(const KernelCall& call) {
  DepthwiseFilter<T> f = filter_geometry<T>(call);
  f.x = call.in[0].as<T>();
  f.dy = call.in[1].as<T>();
  f.dw = call.out[0].as<T>();
  run_depthwise_filter(call, f);
}

template <class T>
static bool holds(const KernelCall& call) {
  return call.in[0].dtype == (sizeof(T) == 4 ? DType::float32 : DType::float64);
}
template <class T>
HB_INLINE int64_t scratch_bytes(const Depthwise<T>& d) {
  const DepthwisePlan p = plan_depthwise(d);
  return p.pieces * p.scratch * static_cast<int64_t>(sizeof(T));
}
template <class T>
static int64_t forward_workspace(const KernelCall& call) {
  return scratch_bytes(forward_geometry<T>(call));
}
template <class T>
static int64_t backward_workspace(const KernelCall& call) {
  int64_t bytes = 0;
  each_phase<T>(call, [&](const Depthwise<T>& d) { bytes = larger(bytes, scratch_bytes(d)); });
  return bytes;
}
template <class T>
static int64_t filter_workspace(const KernelCall& call) {
  return depthwise_filter_cells(filter_geometry<T>(call)) * static_cast<int64_t>(sizeof(T));
}

HB_EXPORT_KERNELS(depthwise, {"depthwise_conv2d", "rows", holds<float>, forward_workspace<float>, run_forward<float>},
                  {"depthwise_conv2d", "rows", holds<double>, forward_workspace<double>, run_forward<double>},
                  {"depthwise_conv2d_input_grad", "rows", holds<float>, backward_workspace<float>, run_backward<float>},
                  {"depthwise_conv2d_input_grad", "rows", holds<double>, backward_workspace<double>,
                   run_backward<double>},
                  {"depthwise_conv2d_filter_grad", "strips", holds<float>, filter_workspace<float>, run_filter<float>},
                  {"depthwise_conv2d_filter_grad", "strips", holds<double>, filter_workspace<double>,
                   run_filter<double>})

HB_CPU_END
