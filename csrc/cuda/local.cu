// local_conv2d and its gradients as products (product.h), one for each place:
//   forward         (images, cells) (cells, filters)
//   filter gradient (cells, images) (images, filters)
// and the input gradient as one for each pixel, over the windows that may see it:
//   input gradient  (images, taps * filters) (taps * filters, channels)
#include "ops/local.h"

#include "core/dispatch.h"
#include "cuda/export.h"
#include "cuda/product.h"

namespace hornbeam {

// Images are (n, height, width, channels), w is (places, kernel, channels, filters).
struct Local {
  int64_t images, height, width, channels, filters;
  int64_t rows, columns;  // places
  int64_t kernel_height, kernel_width, row_stride, column_stride;

  static Local of(const KernelCall& call, const Shape& x, int64_t filters) {
    const LocalAttrs& a = *static_cast<const LocalAttrs*>(call.attrs);
    return {x[0],        x[1],        x[2],        x[3],         filters,     a.places[0],
            a.places[1], a.kernel[0], a.kernel[1], a.strides[0], a.strides[1]};
  }
  HB_INLINE int64_t places() const { return rows * columns; }
  HB_INLINE int64_t cells() const { return kernel_height * kernel_width * channels; }
};

// Element (image, cell) of the windows at a place.
template <class T> struct LocalWindows {
  static constexpr bool kDepthFast = true;
  using Line = const T*;
  using Depth = int64_t;

  const T* x;
  Local l;
  Divider columns, run;  // run: cells of a row of a window

  static LocalWindows of(const T* x, const Local& l) {
    return {x, l, Divider::of(l.columns), Divider::of(l.kernel_width * l.channels)};
  }
  HB_INLINE Line line(int64_t place, int64_t image) const {
    const int64_t q = columns.take(place);
    return x + ((image * l.height + place * l.row_stride) * l.width + q * l.column_stride) * l.channels;
  }
  HB_INLINE Depth depth(int64_t cell) const {
    const int64_t at = run.take(cell);
    return cell * l.width * l.channels + at;
  }
  HB_INLINE T at(Line line, Depth depth) const { return line[depth]; }
};

// The same with lines and depths exchanged, which TurnedFactor cannot do where products differ.
template <class T> struct LocalCells {
  static constexpr bool kDepthFast = false;
  using Line = const T*;
  using Depth = int64_t;

  LocalWindows<T> windows;

  HB_INLINE Line line(int64_t place, int64_t cell) const { return windows.line(place, 0) + windows.depth(cell); }
  HB_INLINE Depth depth(int64_t image) const { return image * windows.l.height * windows.l.width * windows.l.channels; }
  HB_INLINE T at(Line line, Depth depth) const { return line[depth]; }
};

// For the input gradient: which place sees a pixel with a tap. Depths are (tap, filter).
struct LocalSight {
  Local l;
  Divider width, filters, taps;  // taps: of a row

  struct Pixel { int64_t row, column; };
  struct Term { int64_t row, column, filter; };  // a tap's row and column

  static LocalSight of(const Local& l) {
    return {l, Divider::of(l.width), Divider::of(l.filters), Divider::of(l.kernel_width)};
  }
  HB_INLINE Pixel pixel(int64_t product) const {
    const int64_t column = width.take(product);
    return {product, column};
  }
  HB_INLINE Term term(int64_t k) const {
    const int64_t filter = filters.take(k), column = taps.take(k);
    return {k, column, filter};
  }
  // -1: none.
  HB_INLINE int64_t place(const Pixel& pixel, const Term& term) const {
    const int64_t row = pixel.row - term.row, column = pixel.column - term.column;
    if (row < 0 || column < 0 || row % l.row_stride || column % l.column_stride) return -1;
    const int64_t p = row / l.row_stride, q = column / l.column_stride;
    return p < l.rows && q < l.columns ? p * l.columns + q : -1;
  }
};

// Element (image, term): dy at the place that sees the pixel.
template <class T> struct LocalGiven {
  static constexpr bool kDepthFast = true;
  struct Line {
    const T* dy;
    LocalSight::Pixel pixel;
  };
  using Depth = LocalSight::Term;

  const T* dy;
  LocalSight sight;

  HB_INLINE Line line(int64_t product, int64_t image) const {
    return {dy + image * sight.l.places() * sight.l.filters, sight.pixel(product)};
  }
  HB_INLINE Depth depth(int64_t k) const { return sight.term(k); }
  HB_INLINE T at(const Line& line, const Depth& term) const {
    const int64_t place = sight.place(line.pixel, term);
    return place < 0 ? T(0) : line.dy[place * sight.l.filters + term.filter];
  }
};

// Element (channel, term): the weight with which that place does so.
template <class T> struct LocalWeights {
  static constexpr bool kDepthFast = true;
  struct Line {
    int64_t channel;
    LocalSight::Pixel pixel;
  };
  using Depth = LocalSight::Term;

  const T* w;
  LocalSight sight;

  HB_INLINE Line line(int64_t product, int64_t channel) const { return {channel, sight.pixel(product)}; }
  HB_INLINE Depth depth(int64_t k) const { return sight.term(k); }
  HB_INLINE T at(const Line& line, const Depth& term) const {
    const int64_t place = sight.place(line.pixel, term);
    if (place < 0) return T(0);
    const int64_t tap = (place * sight.l.kernel_height + term.row) * sight.l.kernel_width + term.column;
    return w[(tap * sight.l.channels + line.channel) * sight.l.filters + term.filter];
  }
};

// ---- forward --------------------------------------------------------------------------------------------
static Local forward_of(const KernelCall& call) { return Local::of(call, call.in[0].shape, call.out[0].shape[3]); }
static ProductSize forward_size(const Local& l) { return {l.places(), l.images, l.filters, l.cells()}; }

template <class T> static void forward_as(const KernelCall& call) {
  const Local l = forward_of(call);
  const MatrixFactor<T, false> w{call.in[1].as<const T>(), l.filters, ProductBatch::each_after(l.cells() * l.filters)};
  const MatrixResult<T> y{call.out[0].as<T>(), l.images, l.places() * l.filters, l.filters};
  multiply<T>(*call.lane, "local_conv2d", LocalWindows<T>::of(call.in[0].as<const T>(), l), w, y, forward_size(l),
              call.workspace);
}

// ---- gradients ------------------------------------------------------------------------------------------
static Local input_of(const KernelCall& call) { return Local::of(call, call.out[0].shape, call.in[0].shape[3]); }
static ProductSize input_size(const Local& l) {
  return {l.height * l.width, l.images, l.channels, l.kernel_height * l.kernel_width * l.filters};
}

template <class T> static void input_grad_as(const KernelCall& call) {
  const Local l = input_of(call);
  const LocalSight sight = LocalSight::of(l);
  const MatrixResult<T> dx{call.out[0].as<T>(), l.images, l.height * l.width * l.channels, l.channels};
  multiply<T>(*call.lane, "local_conv2d_input_grad", LocalGiven<T>{call.in[0].as<const T>(), sight},
              LocalWeights<T>{call.in[1].as<const T>(), sight}, dx, input_size(l), call.workspace);
}

static Local filter_of(const KernelCall& call) { return Local::of(call, call.in[0].shape, call.in[1].shape[3]); }
static ProductSize filter_size(const Local& l) { return {l.places(), l.cells(), l.filters, l.images}; }

template <class T> static void filter_grad_as(const KernelCall& call) {
  const Local l = filter_of(call);
  const LocalCells<T> cells{LocalWindows<T>::of(call.in[0].as<const T>(), l)};
  const MatrixFactor<T, false> dy{call.in[1].as<const T>(), l.places() * l.filters,
                                  ProductBatch::each_after(l.filters)};
  const MatrixResult<T> dw{call.out[0].as<T>(), l.cells(), l.filters, l.cells() * l.filters};
  multiply<T>(*call.lane, "local_conv2d_filter_grad", cells, dy, dw, filter_size(l), call.workspace);
}

// ---- the ops --------------------------------------------------------------------------------------------
template <template <class> class B, Local (*local)(const KernelCall&), ProductSize (*size)(const Local&)>
static int64_t workspace(const KernelCall& call) {
  const ProductSize s = size(local(call));
  return call.in[0].dtype == DType::float64 ? product_workspace<double, B<double>>(s)
                                            : product_workspace<float, B<float>>(s);
}
template <class T> using RowsOfMatrix = MatrixFactor<T, false>;

template <void (*kFloat)(const KernelCall&), void (*kDouble)(const KernelCall&)>
static void run(const KernelCall& call) {
  if (call.out[0].shape.count() == 0) return;
  call.in[0].dtype == DType::float64 ? kDouble(call) : kFloat(call);
}

HB_GPU_KERNELS(local,
               {"local_conv2d", "product", supports_floats, workspace<RowsOfMatrix, forward_of, forward_size>,
                run<forward_as<float>, forward_as<double>>},
               {"local_conv2d_input_grad", "product", supports_floats, workspace<LocalWeights, input_of, input_size>,
                run<input_grad_as<float>, input_grad_as<double>>},
               {"local_conv2d_filter_grad", "product", supports_floats, workspace<RowsOfMatrix, filter_of, filter_size>,
                run<filter_grad_as<float>, filter_grad_as<double>>})

}  // namespace hornbeam
