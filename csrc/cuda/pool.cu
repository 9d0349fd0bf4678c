// Pooling over NHWC and its gradients, each with a thread per element of the result: a window, or all windows that a
// cell is in, row by row.
#include "ops/pool_axis.h"

#include "core/dispatch.h"
#include "cuda/divider.h"
#include "cuda/export.h"
#include "cuda/gpu.h"

namespace hornbeam {

// Images of x, what they are pooled to, and where an element of either is.
struct Pooling {
  PoolAxis h, w;
  int64_t channels;
  Divider in_height, in_width, out_height, out_width, channel;

  static Pooling of(const PoolAttrs& a, const Shape& in, const Shape& out) {
    return {pool_axis(a, in, out, 0), pool_axis(a, in, out, 1), in[3],
            Divider::of(in[1]),       Divider::of(in[2]),       Divider::of(out[1]),
            Divider::of(out[2]),      Divider::of(in[3])};
  }
  // Element (image, row, column, channel) of x.
  HB_INLINE int64_t cell(int64_t n, int64_t i, int64_t j, int64_t c) const {
    return ((n * h.in + i) * w.in + j) * channels + c;
  }
  // ... and of what it is pooled to.
  HB_INLINE int64_t pooled(int64_t n, int64_t i, int64_t j, int64_t c) const {
    return ((n * h.out + i) * w.out + j) * channels + c;
  }
};

// Which element of a result a thread makes.
struct Element {
  int64_t n, i, j, c;

  static HB_INLINE Element of(int64_t at, const Divider& height, const Divider& width, const Divider& channel) {
    Element e;
    e.c = channel.take(at);
    e.j = width.take(at);
    e.i = height.take(at);
    e.n = at;
    return e;
  }
  static HB_INLINE Element pooled(int64_t at, const Pooling& p) { return of(at, p.out_height, p.out_width, p.channel); }
  static HB_INLINE Element cell(int64_t at, const Pooling& p) { return of(at, p.in_height, p.in_width, p.channel); }
};

static Pooling pooling_of(const KernelCall& call, const Shape& in, const Shape& out) {
  return Pooling::of(*static_cast<const PoolAttrs*>(call.attrs), in, out);
}

// NaN if either is NaN.
template <class T> static HB_INLINE T max_nan(T a, T b) { return a > b || a != a ? a : b; }

// Averages add sums of rows, as the CPU does.
template <bool kMax, class T> static void pool_as(const KernelCall& call) {
  const Pooling p = pooling_of(call, call.in[0].shape, call.out[0].shape);
  const T* x = call.in[0].as<const T>();
  T* y = call.out[0].as<T>();
  each(*call.lane, kMax ? "max_pool2d" : "avg_pool2d", call.out[0].shape.count(), [=] GPU_LAMBDA(int64_t at) {
    const Element e = Element::pooled(at, p);
    const int64_t top = p.h.begin(e.i), bottom = p.h.end(e.i), left = p.w.begin(e.j), right = p.w.end(e.j);
    T all = 0;
    for (int64_t i = top; i < bottom; ++i) {
      T line = x[p.cell(e.n, i, left, e.c)];
      for (int64_t j = left + 1; j < right; ++j) {
        const T cell = x[p.cell(e.n, i, j, e.c)];
        line = kMax ? max_nan(cell, line) : line + cell;
      }
      all = i == top ? line : kMax ? max_nan(line, all) : all + line;
    }
    y[at] = kMax ? all : all / static_cast<T>((bottom - top) * (right - left));
  });
}

// Whether a window's maximum `top` is this cell, if no cell before it was.
template <class T> static HB_INLINE bool is_top(T cell, T top) { return cell == top || cell != cell; }

// What `g` holds at each window's first maximum: the transpose of max_pool2d_grad.
template <class T> static void gather_as(const KernelCall& call) {
  const Pooling p = pooling_of(call, call.in[0].shape, call.out[0].shape);
  const T *x = call.in[0].as<const T>(), *y = call.in[1].as<const T>(), *g = call.in[2].as<const T>();
  T* out = call.out[0].as<T>();
  each(*call.lane, "max_pool2d_gather", call.out[0].shape.count(), [=] GPU_LAMBDA(int64_t at) {
    const Element e = Element::pooled(at, p);
    T taken = 0;
    for (int64_t i = p.h.end(e.i) - 1; i >= p.h.begin(e.i); --i)  // the first one is the last to be taken
      for (int64_t j = p.w.end(e.j) - 1; j >= p.w.begin(e.j); --j) {
        const int64_t cell = p.cell(e.n, i, j, e.c);
        if (is_top(x[cell], y[at])) taken = g[cell];
      }
    out[at] = taken;
  });
}

// Is (row, column) the first maximum of the window at (oi, oj)?
template <class T>
static HB_INLINE bool is_first_top(const Pooling& p, const T* x, T top, const Element& e, int64_t oi, int64_t oj) {
  if (!is_top(x[p.cell(e.n, e.i, e.j, e.c)], top)) return false;
  for (int64_t i = p.h.begin(oi); i <= e.i; ++i)
    for (int64_t j = p.w.begin(oj); j < (i < e.i ? p.w.end(oj) : e.j); ++j)
      if (is_top(x[p.cell(e.n, i, j, e.c)], top)) return false;
  return true;
}

template <class T> static void max_grad_as(const KernelCall& call) {
  const Pooling p = pooling_of(call, call.out[0].shape, call.in[2].shape);
  const T *x = call.in[0].as<const T>(), *y = call.in[1].as<const T>(), *dy = call.in[2].as<const T>();
  T* dx = call.out[0].as<T>();
  each(*call.lane, "max_pool2d_grad", call.out[0].shape.count(), [=] GPU_LAMBDA(int64_t at) {
    const Element e = Element::cell(at, p);
    T sum = 0;
    for (int64_t i = p.h.first_window(e.i); i < p.h.end_window(e.i + 1); ++i)
      for (int64_t j = p.w.first_window(e.j); j < p.w.end_window(e.j + 1); ++j) {
        const int64_t from = p.pooled(e.n, i, j, e.c);
        if (is_first_top(p, x, y[from], e, i, j)) sum += dy[from];
      }
    dx[at] = sum;
  });
}

template <class T> static void avg_grad_as(const KernelCall& call) {
  const Pooling p = pooling_of(call, call.out[0].shape, call.in[0].shape);
  const T* dy = call.in[0].as<const T>();
  T* dx = call.out[0].as<T>();
  each(*call.lane, "avg_pool2d_grad", call.out[0].shape.count(), [=] GPU_LAMBDA(int64_t at) {
    const Element e = Element::cell(at, p);
    T sum = 0;
    for (int64_t i = p.h.first_window(e.i); i < p.h.end_window(e.i + 1); ++i)
      for (int64_t j = p.w.first_window(e.j); j < p.w.end_window(e.j + 1); ++j) {
        const int64_t cells = (p.h.end(i) - p.h.begin(i)) * (p.w.end(j) - p.w.begin(j));
        sum += dy[p.pooled(e.n, i, j, e.c)] / static_cast<T>(cells);
      }
    dx[at] = sum;
  });
}

HB_GPU_KERNELS(
    pool, {"max_pool2d", "windows", supports_floats, nullptr, run_floats<pool_as<true, float>, pool_as<true, double>>},
    {"avg_pool2d", "windows", supports_floats, nullptr, run_floats<pool_as<false, float>, pool_as<false, double>>},
    {"max_pool2d_gather", "windows", supports_floats, nullptr, run_floats<gather_as<float>, gather_as<double>>},
    {"max_pool2d_grad", "cells", supports_floats, nullptr, run_floats<max_grad_as<float>, max_grad_as<double>>},
    {"avg_pool2d_grad", "cells", supports_floats, nullptr, run_floats<avg_grad_as<float>, avg_grad_as<double>>})

}  // namespace hornbeam
