// conv2d, conv3d and their gradients: shapes in, geometry out; conv_direct.h and conv_filter.h do the work.
// An image is a volume of one plane.
#include "ops/conv.h"
#include "cpu/conv_direct.h"
#include "cpu/conv_filter.h"
#include "cpu/conv_winograd.h"
#include "cpu/export.h"

HB_CPU_BEGIN

// What both directions read off the call, whose output is y and whose bias, if there is one, is input `bias`.
template <class T>
HB_INLINE Correlation<T> correlation(const KernelCall& call, int bias) {
  const ConvAttrs& a = *static_cast<const ConvAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &y = call.out[0].shape;
  Correlation<T> c;
  c.images = x[0];
  c.channels = x[-1];
  c.outputs = y[-1];
  c.y_depth = y.rank == 5 ? y[1] : 1;
  c.y_height = y[-3];
  c.y_width = y[-2];
  c.activation = a.activation;
  c.x = call.in[0].as<T>();
  c.bias = input_of<T>(call, bias);
  c.y = call.out[0].as<T>();
  return c;
}

// ---- forward --------------------------------------------------------------------------------------

template <class T>
static Correlation<T> forward_geometry(const KernelCall& call) {
  const ConvAttrs& a = *static_cast<const ConvAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &k = call.in[1].shape, &y = call.out[0].shape;
  Correlation<T> c = correlation<T>(call, 2);
  c.d = forward_axis_of(a, x, y, k, 0);
  c.h = forward_axis_of(a, x, y, k, 1);
  c.w = forward_axis_of(a, x, y, k, 2);
  return c;
}

template <class T>
static void run_forward(const KernelCall& call) {
  Correlation<T> c = forward_geometry<T>(call);
  c.packed = static_cast<const T*>(call.packed[1]);
  run_correlation(call, c);
}

template <class T>
static void pack_forward(const KernelCall& call, void* dst) {
  const Shape& k = call.in[1].shape;
  const int64_t terms = k.count(0, k.rank - 1);
  parallel_ranges(call, gemm_panels<T>(k[-1]), terms * GemmTile<T>::cols, [&](int64_t from, int64_t to) {
    gemm_pack_b<T>({call.in[1].as<T>(), k[-1], 1}, terms, k[-1], from, to, static_cast<T*>(dst));
  });
}

// ---- backward-data --------------------------------------------------------------------------------

// Calls f(correlation, offset of its packed panels) for each phase of the strides.
template <class T, class F>
HB_INLINE void each_phase(const KernelCall& call, const F& f) {
  const ConvAttrs& a = *static_cast<const ConvAttrs*>(call.attrs);
  const Shape &dy = call.in[0].shape, &k = call.in[1].shape, &x = call.out[0].shape;
  const auto phases = [&](int axis) { return place_of(axis, x.rank) < 0 ? 1 : a.strides[place_of(axis, x.rank)]; };
  Correlation<T> c = correlation<T>(call, 3);
  int64_t offset = 0;
  for (int64_t s = 0; s < phases(0); ++s)
    for (int64_t i = 0; i < phases(1); ++i)
      for (int64_t j = 0; j < phases(2); ++j) {
        c.d = backward_axis_of(a, x, dy, k, 0, s);
        c.h = backward_axis_of(a, x, dy, k, 1, i);
        c.w = backward_axis_of(a, x, dy, k, 2, j);
        f(c, offset);
        offset += gemm_packed_b<T>(c.terms(), c.outputs);
      }
}

template <class T>
static void run_backward(const KernelCall& call) {
  each_phase<T>(call, [&](Correlation<T>& c, int64_t offset) {
    c.packed = static_cast<const T*>(call.packed[1]) + offset;
    run_correlation(call, c);
  });
}

// Kernels with channels in and out exchanged, each phase's taps in the order in which it meets them.
template <class T>
static void pack_backward(const KernelCall& call, void* dst) {
  constexpr int64_t W = GemmTile<T>::cols;
  const Shape& k = call.in[1].shape;
  each_phase<T>(call, [&](const Correlation<T>& c, int64_t offset) {
    parallel_ranges(call, gemm_panels<T>(c.outputs), c.terms() * W, [&](int64_t begin, int64_t end) {
      T* to = static_cast<T*>(dst) + offset + begin * c.terms() * W;
      for (int64_t first = begin * W; first < smaller(c.outputs, end * W); first += W)
        for (int64_t e = 0; e < c.d.taps; ++e)
          for (int64_t a = 0; a < c.h.taps; ++a)
            for (int64_t b = 0; b < c.w.taps; ++b, to += c.channels * W) {
              const int64_t plane = c.d.tap0 + e * c.d.tap_step, row = plane * k[-4] + c.h.tap0 + a * c.h.tap_step;
              const int64_t tap = row * k[-3] + c.w.tap0 + b * c.w.tap_step;
              const T* w = call.in[1].as<T>() + (tap * c.outputs + first) * c.channels;
              gemm_pack_b_panel<T>({w, 1, c.channels}, c.channels, smaller(W, c.outputs - first), to);
            }
    });
  });
}

template <class T>
static int64_t backward_packed_bytes(const KernelCall& call) {
  int64_t bytes = 0;
  each_phase<T>(call, [&](const Correlation<T>& c, int64_t offset) {
    bytes = (offset + gemm_packed_b<T>(c.terms(), c.outputs)) * static_cast<int64_t>(sizeof(T));
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
  const ConvFilterGradAttrs& a = *static_cast<const ConvFilterGradAttrs*>(call.attrs);
  const Shape &x = call.in[0].shape, &dy = call.in[1].shape;
  FilterGrad<T> f;
  f.d = forward_axis_of(a, x, dy, a.kernel, 0);
  f.h = forward_axis_of(a, x, dy, a.kernel, 1);
  f.w = forward_axis_of(a, x, dy, a.kernel, 2);
  f.images = x[0];
  f.channels = x[-1];
  f.outputs = dy[-1];
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
  return gemm_packed_b<T>(k.count(0, k.rank - 1), k[-1]) * static_cast<int64_t>(sizeof(T));
}
template <class T>
static int64_t filter_workspace(const KernelCall& call) {
  return filter_workspace_bytes<T>(plan_filter(filter_geometry<T>(call)));
}

#define HB_CONV(name, T, forward, input_grad, filter_grad)                                                      \
  {name, "direct", forward, forward_workspace<T>, run_forward<T>, 1, forward_packed_bytes<T>, pack_forward<T>}, \
      {name "_input_grad",       "direct",        input_grad, backward_workspace<T>, run_backward<T>, 1,        \
       backward_packed_bytes<T>, pack_backward<T>},                                                             \
  {                                                                                                             \
    name "_filter_grad", "direct", filter_grad, filter_workspace<T>, run_filter<T>                              \
  }

HB_EXPORT_KERNELS(conv,
                  HB_CONV("conv2d", float, holds_float<winograd_forward>, holds_float<winograd_input_grad>,
                          holds_float<winograd_filter_grad>),
                  HB_CONV("conv2d", double, holds<double>, holds<double>, holds<double>),
                  HB_CONV("conv3d", float, holds<float>, holds<float>, holds<float>),
                  HB_CONV("conv3d", double, holds<double>, holds<double>, holds<double>))

HB_CPU_END
