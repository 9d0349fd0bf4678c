// conv2d, conv3d and their gradients: by the library (library_convs.h), or as products (product.h) with what their
// windows see, which is never written down:
//   forward         (positions, taps * channels) (taps * channels, filters)
//   input gradient  the same for each phase of the strides (ops/conv_axis.h), with the filters' taps turned around
//   filter gradient (taps * channels, positions) (positions, filters)
// An image is a volume of one plane.
#include "cuda/export.h"
#include "cuda/library_convs.h"

namespace hornbeam {

// What windows see along an axis.
struct Sight {
  Divider out, taps;
  int32_t in, step, start, gap;

  static Sight of(const ConvAxis& a) {
    return {Divider::of(a.out),           Divider::of(a.taps),           static_cast<int32_t>(a.in),
            static_cast<int32_t>(a.step), static_cast<int32_t>(a.start), static_cast<int32_t>(a.gap)};
  }
  HB_INLINE int32_t first(int64_t o) const { return static_cast<int32_t>(o) * step + start; }
  HB_INLINE bool has(int32_t cell) const { return static_cast<uint32_t>(cell) < static_cast<uint32_t>(in); }
};

// The three axes of a convolution over x, and how many planes, rows and columns y has.
struct Convolution {
  ConvAxis d, h, w;
  int64_t images, channels, filters;
  int64_t y_depth, y_height, y_width;

  int64_t positions() const { return images * d.out * h.out * w.out; }
  int64_t terms() const { return d.taps * h.taps * w.taps * channels; }
};

// Element (position, term): the cell of x that the window at a position has in a term's place, 0 outside of x.
template <class T> struct Windows {
  static constexpr bool kDepthFast = true;
  struct Line {
    int64_t base;  // of the window's first cell in x
    int32_t d, h, w;
  };
  struct Depth {
    int64_t offset;  // from a window's first cell
    int32_t d, h, w;
  };

  const T* x;
  Sight d, h, w;
  Divider channels;

  static Windows of(const T* x, const Convolution& c) {
    return {x, Sight::of(c.d), Sight::of(c.h), Sight::of(c.w), Divider::of(c.channels)};
  }
  HB_INLINE int64_t cell(int64_t plane, int64_t row, int64_t column) const {
    return ((plane * h.in + row) * w.in + column) * channels.d;
  }
  HB_INLINE Line line(int64_t, int64_t position) const {
    const int64_t q = w.out.take(position), p = h.out.take(position), s = d.out.take(position);
    const Line l{0, d.first(s), h.first(p), w.first(q)};
    return {cell(position * d.in + l.d, l.h, l.w), l.d, l.h, l.w};
  }
  HB_INLINE Depth depth(int64_t term) const {
    const int64_t channel = channels.take(term);
    const int32_t c = static_cast<int32_t>(w.taps.take(term)) * w.gap;
    const int32_t b = static_cast<int32_t>(h.taps.take(term)) * h.gap;
    const int32_t a = static_cast<int32_t>(term) * d.gap;
    return {cell(a, b, c) + channel, a, b, c};
  }
  HB_INLINE T at(const Line& l, const Depth& k) const {
    return d.has(l.d + k.d) && h.has(l.h + k.h) && w.has(l.w + k.w) ? x[l.base + k.offset] : T(0);
  }
};

// Element (channel, term) of the kernels as a phase of the input gradient meets them: terms are (tap, filter).
template <class T> struct TurnedKernels {
  static constexpr bool kDepthFast = true;
  using Line = const T*;
  using Depth = int64_t;

  const T* kernels;  // (taps, channels, filters)
  int64_t channels;
  Divider filters, h_taps, w_taps;
  int64_t first, d_step, h_step, w_step;  // in taps

  static TurnedKernels of(const T* kernels, const Convolution& c, const Shape& k) {
    const int64_t rows = k[-3], plane = k[-4] * rows;
    return {kernels,
            k[-2],
            Divider::of(k[-1]),
            Divider::of(c.h.taps),
            Divider::of(c.w.taps),
            c.d.tap0 * plane + c.h.tap0 * rows + c.w.tap0,
            c.d.tap_step * plane,
            c.h.tap_step * rows,
            c.w.tap_step};
  }
  HB_INLINE Line line(int64_t, int64_t channel) const { return kernels + channel * filters.d; }
  HB_INLINE Depth depth(int64_t term) const {
    const int64_t filter = filters.take(term), c = w_taps.take(term), b = h_taps.take(term);
    return (first + term * d_step + b * h_step + c * w_step) * channels * filters.d + filter;
  }
  HB_INLINE T at(Line line, Depth depth) const { return line[depth]; }
};

// A position's cells in y.
template <class T> struct Positions {
  using Row = T*;

  T* y;
  Divider d, h, w;
  int64_t d_step, h_step, w_step, image;  // in elements; y is the first cell
  const T* bias;
  Activation activation;
  int32_t unused = 0;

  static Positions of(T* y, const Convolution& c, const T* bias, Activation activation) {
    const int64_t column = c.filters, row = c.y_width * column, plane = c.y_height * row;
    return {y + c.d.out0 * plane + c.h.out0 * row + c.w.out0 * column,
            Divider::of(c.d.out),
            Divider::of(c.h.out),
            Divider::of(c.w.out),
            c.d.out_step * plane,
            c.h.out_step * row,
            c.w.out_step * column,
            c.y_depth * plane,
            bias,
            activation};
  }
  HB_INLINE Row row(int64_t, int64_t position) const {
    const int64_t q = w.take(position), p = h.take(position), s = d.take(position);
    return y + position * image + s * d_step + p * h_step + q * w_step;
  }
  HB_INLINE void put(Row row, int64_t column, T value) const {
    if (bias) value += bias[column];
    store_result(activation, value, row + column);
  }
};

static const char* name_of(const KernelCall& call, const char* image, const char* volume) {
  return call.in[0].shape.rank == 5 ? volume : image;
}

// ---- forward --------------------------------------------------------------------------------------------
// `x` and `y` of a convolution, whatever they are to the op.
static Convolution between(const Shape& x, const Shape& y) {
  Convolution c;
  c.images = x[0];
  c.channels = x[-1];
  c.filters = y[-1];
  c.y_depth = y.rank == 5 ? y[1] : 1;
  c.y_height = y[-3];
  c.y_width = y[-2];
  return c;
}

static Convolution forward_of(const KernelCall& call) {
  const ConvAttrs& a = conv_attrs(call);
  const Shape &x = call.in[0].shape, &k = call.in[1].shape, &y = call.out[0].shape;
  Convolution c = between(x, y);
  c.d = forward_axis_of(a, x, y, k, 0);
  c.h = forward_axis_of(a, x, y, k, 1);
  c.w = forward_axis_of(a, x, y, k, 2);
  return c;
}

static ProductSize size_of(const Convolution& c) { return {1, c.positions(), c.filters, c.terms()}; }

static void forward(const KernelCall& call) {
  const Convolution c = forward_of(call);
  if (size_of(c).results() == 0) return;
  by_float(call.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const MatrixFactor<T, false> kernels{call.in[1].as<const T>(), c.filters, {}};
    const auto y = Positions<T>::of(call.out[0].as<T>(), c, input_of<const T>(call, 2), conv_attrs(call).activation);
    multiply<T>(*call.lane, name_of(call, "conv2d", "conv3d"), Windows<T>::of(call.in[0].as<const T>(), c), kernels, y,
                size_of(c), call.workspace);
  });
}

static int64_t forward_workspace(const KernelCall& call) {
  int64_t bytes = 0;
  by_float(call.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    bytes = product_workspace<T, MatrixFactor<T, false>>(size_of(forward_of(call)));
  });
  return bytes;
}

// ---- input gradient -------------------------------------------------------------------------------------
// f(convolution over dy) for each phase of the strides.
template <class F> static void each_phase(const KernelCall& call, const F& f) {
  const ConvAttrs& a = conv_attrs(call);
  const Shape &dy = call.in[0].shape, &k = call.in[1].shape, &x = call.out[0].shape;
  const auto phases = [&](int axis) { return place_of(axis, x.rank) < 0 ? 1 : a.strides[place_of(axis, x.rank)]; };
  Convolution c = between(dy, x);
  for (int64_t s = 0; s < phases(0); ++s)
    for (int64_t i = 0; i < phases(1); ++i)
      for (int64_t j = 0; j < phases(2); ++j) {
        c.d = backward_axis_of(a, x, dy, k, 0, s);
        c.h = backward_axis_of(a, x, dy, k, 1, i);
        c.w = backward_axis_of(a, x, dy, k, 2, j);
        if (size_of(c).results()) f(c);
      }
}

static void input_grad(const KernelCall& call) {
  by_float(call.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    each_phase(call, [&](const Convolution& c) {
      const auto dx = Positions<T>::of(call.out[0].as<T>(), c, input_of<const T>(call, 3), conv_attrs(call).activation);
      multiply<T>(*call.lane, name_of(call, "conv2d_input_grad", "conv3d_input_grad"),
                  Windows<T>::of(call.in[0].as<const T>(), c),
                  TurnedKernels<T>::of(call.in[1].as<const T>(), c, call.in[1].shape), dx, size_of(c), call.workspace);
    });
  });
}

static int64_t input_grad_workspace(const KernelCall& call) {
  int64_t most = 0;
  by_float(call.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    each_phase(call, [&](const Convolution& c) {
      const int64_t bytes = product_workspace<T, TurnedKernels<T>>(size_of(c));
      if (bytes > most) most = bytes;
    });
  });
  return most;
}

// ---- filter gradient ------------------------------------------------------------------------------------
static Convolution filter_of(const KernelCall& call) {
  const ConvFilterGradAttrs& a = filter_attrs(call);
  const Shape &x = call.in[0].shape, &dy = call.in[1].shape;
  Convolution c = between(x, dy);
  c.d = forward_axis_of(a, x, dy, a.kernel, 0);
  c.h = forward_axis_of(a, x, dy, a.kernel, 1);
  c.w = forward_axis_of(a, x, dy, a.kernel, 2);
  return c;
}
static ProductSize filter_size(const Convolution& c) { return {1, c.terms(), c.filters, c.positions()}; }

static void filter_grad(const KernelCall& call) {
  const Convolution c = filter_of(call);
  if (filter_size(c).results() == 0) return;
  by_float(call.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const TurnedFactor<Windows<T>> windows{Windows<T>::of(call.in[0].as<const T>(), c)};
    const MatrixFactor<T, false> dy{call.in[1].as<const T>(), c.filters, {}};
    const MatrixResult<T> dw{call.out[0].as<T>(), c.terms(), c.filters, 0};
    multiply<T>(*call.lane, name_of(call, "conv2d_filter_grad", "conv3d_filter_grad"), windows, dy, dw, filter_size(c),
                call.workspace);
  });
}

static int64_t filter_grad_workspace(const KernelCall& call) {
  int64_t bytes = 0;
  by_float(call.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    bytes = product_workspace<T, MatrixFactor<T, false>>(filter_size(filter_of(call)));
  });
  return bytes;
}

// ---- the ops --------------------------------------------------------------------------------------------
// Cells along an axis are counted in 32 bits.
static bool fits(const ConvAxis& a) {
  const int64_t start = a.start < 0 ? -a.start : a.start;
  return a.in + a.out * a.step + start + a.taps * a.gap <= INT32_MAX;
}
static bool fits(const Convolution& c) { return fits(c.d) && fits(c.h) && fits(c.w); }

static bool supports_forward(const KernelCall& call) {
  return item_size(call.in[0].dtype) >= 4 && fits(forward_of(call));
}
static bool supports_input_grad(const KernelCall& call) {
  bool all = item_size(call.in[0].dtype) >= 4;
  if (all) each_phase(call, [&](const Convolution& c) { all = all && fits(c); });
  return all;
}
static bool supports_filter_grad(const KernelCall& call) {
  return item_size(call.in[0].dtype) >= 4 && fits(filter_of(call));
}

// ---- by the library -------------------------------------------------------------------------------------
static bool weights_are_one_cell(const KernelCall& c) { return is_one_cell(conv_attrs(c).strides, c.in[1].shape); }
static bool gradient_is_one_cell(const KernelCall& c) {
  return is_one_cell(filter_attrs(c).strides, filter_attrs(c).kernel);
}

// A direction: how the library is asked for it, and the kernels above for what it has no way for.
struct Forward {
  static const char* name(const KernelCall& c) { return name_of(c, "conv2d", "conv3d"); }
  static constexpr auto has_one_cell = weights_are_one_cell;
  static constexpr auto supports = supports_forward;
  static constexpr auto run = forward;
  static constexpr auto product = forward_product;
  static constexpr auto conv = forward_conv;
  static constexpr auto run_conv = forward_by_library;
};
struct InputGrad {
  static const char* name(const KernelCall& c) { return name_of(c, "conv2d_input_grad", "conv3d_input_grad"); }
  static constexpr auto has_one_cell = weights_are_one_cell;
  static constexpr auto supports = supports_input_grad;
  static constexpr auto run = input_grad;
  static constexpr auto product = input_grad_product;
  static constexpr auto conv = input_grad_conv;
  static constexpr auto run_conv = input_grad_by_library;
};
struct FilterGrad {
  static const char* name(const KernelCall& c) { return name_of(c, "conv2d_filter_grad", "conv3d_filter_grad"); }
  static constexpr auto has_one_cell = gradient_is_one_cell;
  static constexpr auto supports = supports_filter_grad;
  static constexpr auto run = filter_grad;
  static constexpr auto product = filter_grad_product;
  static constexpr auto conv = filter_grad_conv;
  static constexpr auto run_conv = filter_grad_by_library;
};

template <class D> static bool library_product_supports(const KernelCall& call) {
  return D::supports(call) && D::has_one_cell(call) && is_for_library(D::product(call));
}
template <class D> static void library_product(const KernelCall& call) {
  if (!multiply_by_library(*call.lane, D::name(call), D::product(call))) D::run(call);
}
template <class D> static bool library_supports(const KernelCall& call) {
  return D::supports(call) && is_for_library(D::conv(call));
}
template <class D> static void library(const KernelCall& call) {
  if (!D::run_conv(D::name(call), call)) D::run(call);
}

// The gradient as the library leaves it, or what the kernels above need.
static int64_t library_filter_grad_workspace(const KernelCall& call) {
  const int64_t own = filter_grad_workspace(call), packed = call.out[0].bytes();
  return own > packed ? own : packed;
}

// ---- all of them ----------------------------------------------------------------------------------------
#define HB_DIRECTION(name, D, workspace, library_workspace, ...)                            \
  {name, "library product", library_product_supports<D>, workspace, library_product<D>},    \
      {name, "library", library_supports<D>, library_workspace, library<D>, __VA_ARGS__}, { \
    name, "product", D::supports, workspace, D::run                                         \
  }
#define HB_CONV(name)                                                                                                 \
  HB_DIRECTION(name, Forward, forward_workspace, forward_workspace, 1, packed_weight_bytes, pack_conv_weights),       \
      HB_DIRECTION(name "_input_grad", InputGrad, input_grad_workspace, input_grad_workspace, 1, packed_weight_bytes, \
                   pack_conv_weights),                                                                                \
      HB_DIRECTION(name "_filter_grad", FilterGrad, filter_grad_workspace, library_filter_grad_workspace, -1)
HB_GPU_KERNELS(conv, HB_CONV("conv2d"), HB_CONV("conv3d"))

}  // namespace hornbeam
