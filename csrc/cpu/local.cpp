// local_conv2d and its gradients: at each place a product of its own, between the batch's windows there and the
// place's kernel. A kernel serves the batch once, so it is read where it lies; a window is as many runs of cells as
// it has rows, each multiplied where it lies in the image and added to the last.
//
// Forward and filter tasks own places, backward-data tasks own rows of the images. Sums run over a window's rows in
// order (backward-data: over the windows that meet a cell, row by row), in each over channels or images as gemm.h has
// them.
#include "ops/local.h"

#include "cpu/export.h"
#include "cpu/gemm.h"
#include "cpu/parallel.h"

HB_CPU_BEGIN
namespace {  // member functions of templates must not become weak symbols

template <class T>
struct Local {
  const LocalAttrs& a;
  int64_t images, height, width, channels, filters;
  const T *x, *w, *dy;
  T* out;

  Local(const KernelCall& call, const Shape& image, int64_t n_filters)
      : a(*static_cast<const LocalAttrs*>(call.attrs)),
        images(image[0]),
        height(image[1]),
        width(image[2]),
        channels(image[3]),
        filters(n_filters),
        out(call.out[0].as<T>()) {}

  HB_INLINE int64_t places() const { return a.places[0] * a.places[1]; }
  HB_INLINE int64_t run() const { return a.kernel[1] * channels; }  // cells of a window's row
  HB_INLINE int64_t image() const { return height * width * channels; }
  // Where row `r` of the window at a place begins in an image, and its weights in w.
  HB_INLINE int64_t cell(int64_t place, int64_t r) const {
    const int64_t p = place / a.places[1], q = place % a.places[1];
    return ((p * a.strides[0] + r) * width + q * a.strides[1]) * channels;
  }
  HB_INLINE int64_t weight(int64_t place, int64_t r) const { return (place * a.kernel[0] + r) * run() * filters; }
  HB_INLINE int64_t cost() const { return images * run() * filters; }  // of one row of the windows at a place

  // c = init + lhs rhs; `c` may be `init`.
  HB_INLINE void multiply(int64_t m, int64_t n, int64_t k, MatView<T> lhs, MatView<T> rhs, const T* init, T* c,
                          int64_t ldc) const {
    using G = GemmTile<T>;
    T b_scratch[G::depth * G::cols] __attribute__((aligned(64)));
    gemm_run<T>(m, n, 0, k, {lhs, gemm_tile_rows<T>(m)}, {nullptr, k, rhs, b_scratch, rhs.col == 1}, init, ldc, c, ldc,
                NoPost{});
  }

  void forward(int64_t place) const {
    T* const y = out + place * filters;
    const int64_t ldc = places() * filters;
    for (int64_t r = 0; r < a.kernel[0]; ++r)
      multiply(images, filters, run(), {x + cell(place, r), image(), 1}, {w + weight(place, r), filters, 1},
               r ? y : nullptr, y, ldc);
  }

  void filter(int64_t place) const {
    for (int64_t r = 0; r < a.kernel[0]; ++r)
      multiply(run(), filters, images, {x + cell(place, r), 1, image()}, {dy + place * filters, places() * filters, 1},
               nullptr, out + weight(place, r), filters);
  }

  // All of one row of the images.
  void input(int64_t row) const {
    for (int64_t n = 0; n < images; ++n)
      __builtin_memset(out + n * image() + row * width * channels, 0,
                       sizeof(T) * static_cast<unsigned long>(width * channels));
    for (int64_t r = 0; r < a.kernel[0]; ++r) {
      const int64_t p = (row - r) / a.strides[0];
      if (row < r || (row - r) % a.strides[0] || p >= a.places[0]) continue;
      for (int64_t place = p * a.places[1]; place < (p + 1) * a.places[1]; ++place) {
        T* const dx = out + cell(place, r);
        multiply(images, run(), filters, {dy + place * filters, places() * filters, 1},
                 {w + weight(place, r), 1, filters}, dx, dx, image());
      }
    }
  }
};

}  // namespace

template <class T>
static void forward(const KernelCall& call) {
  Local<T> l(call, call.in[0].shape, call.out[0].shape[3]);
  l.x = call.in[0].as<T>();
  l.w = call.in[1].as<T>();
  if (call.out[0].shape.count() == 0) return;
  parallel_ranges(call, l.places(), l.cost() * l.a.kernel[0], [&](int64_t from, int64_t to) {
    for (int64_t place = from; place < to; ++place) l.forward(place);
  });
}

template <class T>
static void input_grad(const KernelCall& call) {
  Local<T> l(call, call.out[0].shape, call.in[0].shape[3]);
  l.dy = call.in[0].as<T>();
  l.w = call.in[1].as<T>();
  if (call.out[0].shape.count() == 0) return;
  const int64_t cost = l.cost() * l.a.places[1] * ceil_div(l.a.kernel[0], l.a.strides[0]);
  parallel_ranges(call, l.height, cost, [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; ++row) l.input(row);
  });
}

template <class T>
static void filter_grad(const KernelCall& call) {
  Local<T> l(call, call.in[0].shape, call.in[1].shape[3]);
  l.x = call.in[0].as<T>();
  l.dy = call.in[1].as<T>();
  if (call.out[0].shape.count() == 0) return;
  parallel_ranges(call, l.places(), l.cost() * l.a.kernel[0], [&](int64_t from, int64_t to) {
    for (int64_t place = from; place < to; ++place) l.filter(place);
  });
}

template <void (*kFloat)(const KernelCall&), void (*kDouble)(const KernelCall&)>
static void by_float(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? kDouble(call) : kFloat(call);
}

HB_EXPORT_KERNELS(local,
                  {"local_conv2d", "places", supports_floats, nullptr, by_float<forward<float>, forward<double>>},
                  {"local_conv2d_input_grad", "input_rows", supports_floats, nullptr,
                   by_float<input_grad<float>, input_grad<double>>},
                  {"local_conv2d_filter_grad", "places", supports_floats, nullptr,
                   by_float<filter_grad<float>, filter_grad<double>>})

HB_CPU_END
