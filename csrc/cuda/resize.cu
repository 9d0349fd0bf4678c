// resize and its gradient over NHWC, with a thread per element of the result.
#include "ops/resize_axis.h"

#include "core/dispatch.h"
#include "cuda/divider.h"
#include "cuda/export.h"
#include "cuda/gpu.h"
#include "ops/resize.h"

namespace hornbeam {

template <class T> struct Resizing {
  ResizeAxis<T> h, w;
  Divider x_height, x_width, y_height, y_width, channels;

  static Resizing of(const KernelCall& call, const Shape& x, const Shape& y) {
    const bool between = static_cast<const ResizeAttrs*>(call.attrs)->interpolation == Interpolation::bilinear;
    return {{x[1], y[1], between}, {x[2], y[2], between}, Divider::of(x[1]), Divider::of(x[2]),
            Divider::of(y[1]),     Divider::of(y[2]),     Divider::of(x[3])};
  }
  HB_INLINE int64_t x_at(int64_t n, int64_t i, int64_t j, int64_t c) const {
    return ((n * h.in + i) * w.in + j) * channels.d + c;
  }
  HB_INLINE int64_t y_at(int64_t n, int64_t i, int64_t j, int64_t c) const {
    return ((n * h.out + i) * w.out + j) * channels.d + c;
  }
};

template <class T> static void resize_as(const KernelCall& call) {
  const auto r = Resizing<T>::of(call, call.in[0].shape, call.out[0].shape);
  const T* x = call.in[0].as<const T>();
  T* y = call.out[0].as<T>();
  each(*call.lane, "resize", call.out[0].shape.count(), [=] GPU_LAMBDA(int64_t at) {
    int64_t n = at;
    const int64_t c = r.channels.take(n);
    const ResizeSource<T> column = r.w.source(r.y_width.take(n)), row = r.h.source(r.y_height.take(n));
    if (!r.h.between) {
      y[at] = x[r.x_at(n, row.low, column.low, c)];
      return;
    }
    const auto line = [&](int64_t i) {
      const T left = x[r.x_at(n, i, column.low, c)];
      return left + (x[r.x_at(n, i, column.high, c)] - left) * column.part;
    };
    const T above = line(row.low);
    y[at] = above + (line(row.high) - above) * row.part;
  });
}

// How much of what an output reads along an axis is cell `at`: of `low` first, then of `high`, as separate shares.
template <class T> struct Shares {
  T low, high;
  static HB_INLINE Shares of(const ResizeSource<T>& s, int64_t at) {
    return {s.low == at ? 1 - s.part : T(0), s.high == at && s.part != 0 ? s.part : T(0)};
  }
};

// Adds what the outputs give that read the element's pixel, row by row.
template <class T> static void resize_grad_as(const KernelCall& call) {
  const auto r = Resizing<T>::of(call, call.out[0].shape, call.in[0].shape);
  const T* dy = call.in[0].as<const T>();
  T* dx = call.out[0].as<T>();
  each(*call.lane, "resize_grad", call.out[0].shape.count(), [=] GPU_LAMBDA(int64_t at) {
    int64_t n = at;
    const int64_t c = r.channels.take(n), column = r.x_width.take(n), row = r.x_height.take(n);
    T sum = 0;
    for (int64_t i = r.h.first_reader(row); i < r.h.out; ++i) {
      const ResizeSource<T> down = r.h.source(i);
      if (down.low > row) break;
      const Shares<T> rows = Shares<T>::of(down, row);
      for (const T weight : {rows.low, rows.high}) {
        if (weight == 0) continue;
        for (int64_t j = r.w.first_reader(column); j < r.w.out; ++j) {
          const ResizeSource<T> across = r.w.source(j);
          if (across.low > column) break;
          const Shares<T> columns = Shares<T>::of(across, column);
          const T given = dy[r.y_at(n, i, j, c)] * weight;
          if (columns.low != 0) sum += given * columns.low;
          if (columns.high != 0) sum += given * columns.high;
        }
      }
    }
    dx[at] = sum;
  });
}

HB_GPU_KERNELS(resize, {"resize", "each", supports_floats, nullptr, run_floats<resize_as<float>, resize_as<double>>},
               {"resize_grad", "each", supports_floats, nullptr,
                run_floats<resize_grad_as<float>, resize_grad_as<double>>})

}  // namespace hornbeam
