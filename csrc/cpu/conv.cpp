// conv2d, conv2d_input_grad and conv2d_filter_grad: shapes in, geometry out; conv_direct.h and
// conv_filter.h do the work.
#include "ops/conv.h"
#include "cpu/conv_direct.h"
#include "cpu/conv_filter.h"
#include "cpu/conv_winograd.h"
#include "cpu/export.h"

HB_CPU_BEGIN

// ---- forward --------------------------------------------------------------------------------------

template <class T>
static Correlation<T> forward_geometry(const KernelCall& call) {
  const ConvAttrs& a = *static_cast<const ConvAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &k = call.in[1].shape, &y = call.out[0].shape;
  Correlation<T> c;
  c.h = forward_axis(x[1], y[1], k[0], a.strides[0], a.dilation[0], a.padding);
  c.w = forward_axis(x[2], y[2], k[1], a.strides[1], a.dilation[1], a.padding);
  c.images = x[0];
  c.channels = x[3];
  c.outputs = y[3];
  c.y_height = y[1];
  c.y_width = y[2];
  c.activation = a.activation;
  return c;
}

template <class T>
static void run_forward(const KernelCall& call) {
  Correlation<T> c = forward_geometry<T>(call);
  c.x = call.in[0].as<T>();
  c.packed = static_cast<const T*>(call.packed[1]);
  c.bias = call.n_in > 2 && call.in[2].present ? call.in[2].as<T>() : nullptr;
  c.y = call.out[0].as<T>();
  run_correlation(call, c);
}

template <class T>
static void pack_forward(const KernelCall& call, void* dst) {
  const Shape& k = call.in[1].shape;
  gemm_pack_b<T>({call.in[1].as<T>(), k[3], 1}, k.count(0, 3), k[3], 0, gemm_panels<T>(k[3]), static_cast<T*>(dst));
}

// ---- backward-data --------------------------------------------------------------------------------

// Calls f(correlation, offset of its packed panels) for each phase of the strides.
template <class T, class F>
HB_INLINE void each_phase(const KernelCall& call, const F& f) {
  const ConvGradAttrs& a = *static_cast<const ConvGradAttrs*>(call.attrs);
  const Shape &dy = call.in[0].shape, &k = call.in[1].shape, &x = call.out[0].shape;
  Correlation<T> c;
  c.images = x[0];
  c.channels = dy[3];
  c.outputs = x[3];
  c.y_height = x[1];
  c.y_width = x[2];
  int64_t offset = 0;
  for (int64_t i = 0; i < a.strides[0]; ++i) {
    c.h = backward_axis(x[1], dy[1], k[0], a.strides[0], a.dilation[0], a.padding, i);
    for (int64_t j = 0; j < a.strides[1]; ++j) {
      c.w = backward_axis(x[2], dy[2], k[1], a.strides[1], a.dilation[1], a.padding, j);
      f(c, offset);
      offset += gemm_packed_b<T>(c.depth(), c.outputs);
    }
  }
}

template <class T>
static void run_backward(const KernelCall& call) {
  each_phase<T>(call, [&](Correlation<T>& c, int64_t offset) {
    c.x = call.in[0].as<T>();
    c.packed = static_cast<const T*>(call.packed[1]) + offset;
    c.y = call.out[0].as<T>();
    run_correlation(call, c);
  });
}

// Kernels with channels in and out exchanged, each phase's taps in the order in which it meets them.
template <class T>
static void pack_backward(const KernelCall& call, void* dst) {
  const Shape& k = call.in[1].shape;
  each_phase<T>(call, [&](const Correlation<T>& c, int64_t offset) {
    T* to = static_cast<T*>(dst) + offset;
    for (int64_t first = 0; first < c.outputs; first += GemmTile<T>::cols)
      for (int64_t a = 0; a < c.h.taps; ++a)
        for (int64_t b = 0; b < c.w.taps; ++b, to += c.channels * GemmTile<T>::cols) {
          const int64_t tap = (c.h.tap0 + a * c.h.tap_step) * k[1] + c.w.tap0 + b * c.w.tap_step;
          const T* w = call.in[1].as<T>() + (tap * c.outputs + first) * c.channels;
          gemm_pack_b_panel<T>({w, 1, c.channels}, c.channels, smaller(GemmTile<T>::cols, c.outputs - first), to);
        }
  });
}

template <class T>
static int64_t backward_packed_bytes(const KernelCall& call) {
  int64_t bytes = 0;
  each_phase<T>(call, [&](const Correlation<T>& c, int64_t offset) {
    bytes = (offset + gemm_packed_b<T>(c.depth(), c.outputs)) * static_cast<int64_t>(sizeof(T));
  });
  return bytes;
}

template <class T>
static int64_t backward_workspace(const KernelCall& call) {
  int64_t bytes = 0;
  each_phase<T>(call,
                [&](const Correlation<T>& c, int64_t) { bytes = larger(bytes, conv_scratch_bytes<T>(plan_conv(c))); });
  return bytes;
}

// ---- backward-filter ------------------------------------------------------------------------------

template <class T>
static FilterGrad<T> filter_geometry(const KernelCall& call) {
  const ConvGradAttrs& a = *static_cast<const ConvGradAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &dy = call.in[1].shape;
  FilterGrad<T> f;
  f.h = forward_axis(x[1], dy[1], a.kernel[0], a.strides[0], a.dilation[0], a.padding);
  f.w = forward_axis(x[2], dy[2], a.kernel[1], a.strides[1], a.dilation[1], a.padding);
  f.images = x[0];
  f.channels = x[3];
  f.outputs = dy[3];
  return f;
}

template <class T>
static void run_filter(const KernelCall& call) {
  FilterGrad<T> f = filter_geometry<T>(call);
  f.x = call.in[0].as<T>();
  f.dy = call.in[1].as<T>();
  f.dw = call.out[0].as<T>();
  run_filter_grad(call, f);
}

// ---- the ops --------------------------------------------------------------------------------------

template <class T>
static bool holds(const KernelCall& call) {
  return call.in[0].dtype == (sizeof(T) == 4 ? DType::float32 : DType::float64);
}
// What conv_winograd.cpp serves faster is left to it.
template <bool (*winograd)(const KernelCall&)>
static bool holds_float(const KernelCall& call) {
  return holds<float>(call) && !winograd(call);
}
template <class T>
static int64_t forward_workspace(const KernelCall& call) {
  return conv_scratch_bytes<T>(plan_conv(forward_geometry<T>(call)));
}
template <class T>
static int64_t forward_packed_bytes(const KernelCall& call) {
  const Shape& k = call.in[1].shape;
  return gemm_packed_b<T>(k.count(0, 3), k[3]) * static_cast<int64_t>(sizeof(T));
}
template <class T>
static int64_t filter_workspace(const KernelCall& call) {
  return filter_workspace_bytes<T>(plan_filter(filter_geometry<T>(call)));
}

HB_EXPORT_KERNELS(conv,
                  {"conv2d", "direct", holds_float<winograd_forward>, forward_workspace<float>, run_forward<float>, 1,
                   forward_packed_bytes<float>, pack_forward<float>},
                  {"conv2d", "direct", holds<double>, forward_workspace<double>, run_forward<double>, 1,
                   forward_packed_bytes<double>, pack_forward<double>},
                  {"conv2d_input_grad", "direct", holds_float<winograd_input_grad>, backward_workspace<float>,
                   run_backward<float>, 1, backward_packed_bytes<float>, pack_backward<float>},
                  {"conv2d_input_grad", "direct", holds<double>, backward_workspace<double>, run_backward<double>, 1,
                   backward_packed_bytes<double>, pack_backward<double>},
                  {"conv2d_filter_grad", "direct", holds_float<winograd_filter_grad>, filter_workspace<float>,
                   run_filter<float>},
                  {"conv2d_filter_grad", "direct", holds<double>, filter_workspace<double>, run_filter<double>})

HB_CPU_END
