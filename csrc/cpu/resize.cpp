// resize and its gradient over NHWC, vectorised over channels. Forward tasks own rows of the output, backward
// tasks rows of the input, each of which adds what the output rows that read it give, in ascending order.
#include "ops/resize.h"

#include "cpu/export.h"
#include "cpu/lanes.h"
#include "cpu/parallel.h"
#include "ops/resize_axis.h"

HB_CPU_BEGIN
namespace {

template <class T>
struct Geometry {
  ResizeAxis<T> h, w;
  int64_t images, channels;
  HB_INLINE int64_t in_row() const { return w.in * channels; }
  HB_INLINE int64_t out_row() const { return w.out * channels; }
};

template <class T>
Geometry<T> geometry(const KernelCall& call, const Shape& x, const Shape& y) {
  const bool between = static_cast<const ResizeAttrs*>(call.attrs)->interpolation == Interpolation::bilinear;
  return {{x[1], y[1], between}, {x[2], y[2], between}, x[0], x[3]};
}

}  // namespace

// How a pixel's channels are read and written: in vectors of n, or where few are left one by one, because what a
// masked store wrote is slow to read back.
template <class T>
struct Some {
  int n;
  HB_INLINE Vec<T> load(const T* p) const { return load_some<T>(p, n); }
  HB_INLINE void store(T* p, Vec<T> v) const { store_some<T>(p, v, n); }
};
template <class T>
struct Single {
  HB_INLINE T load(const T* p) const { return *p; }
  HB_INLINE void store(T* p, T v) const { *p = v; }
};

template <class T, class F>
HB_INLINE void each_channel(int64_t channels, const F& f) {
  constexpr int L = kLanes<T>;
  int64_t c = 0;
  for (; c + L <= channels; c += L) f(c, Some<T>{L});
  if (channels - c > 4) return f(c, Some<T>{static_cast<int>(channels - c)});
  for (; c < channels; ++c) f(c, Single<T>{});
}

// ---- forward ----------------------------------------------------------------------------------------

template <class T>
static void nearest_row(const Geometry<T>& g, const T* x, T* y) {
  for (int64_t j = 0; j < g.w.out; ++j, y += g.channels) {
    const T* const from = x + g.w.source(j).low * g.channels;
    each_channel<T>(g.channels, [&](int64_t c, auto cells) { cells.store(y + c, cells.load(from + c)); });
  }
}

template <class T>
static void bilinear_row(const Geometry<T>& g, const T* top, const T* bottom, T part, T* y) {
  for (int64_t j = 0; j < g.w.out; ++j, y += g.channels) {
    const ResizeSource<T> s = g.w.source(j);
    const int64_t low = s.low * g.channels, high = s.high * g.channels;
    each_channel<T>(g.channels, [&](int64_t c, auto cells) {
      const auto line = [&](const T* row) {
        const auto left = cells.load(row + low + c);
        return left + (cells.load(row + high + c) - left) * s.part;
      };
      const auto above = line(top);
      cells.store(y + c, above + (line(bottom) - above) * part);
    });
  }
}

template <class T>
static void resize(const KernelCall& call) {
  const Geometry<T> g = geometry<T>(call, call.in[0].shape, call.out[0].shape);
  const T* const x = call.in[0].as<T>();
  T* const y = call.out[0].as<T>();
  if (call.out[0].shape.count() == 0) return;
  parallel_ranges(call, g.images * g.h.out, (g.h.between ? 4 : 1) * g.out_row(), [&](int64_t from, int64_t to) {
    int64_t before = -1;  // the input row that the last output row of 'nearest' repeats
    for (int64_t r = from; r < to; ++r) {
      const ResizeSource<T> s = g.h.source(r % g.h.out);
      const int64_t image = r / g.h.out * g.h.in;
      T* const row = y + r * g.out_row();
      if (g.h.between) {
        bilinear_row<T>(g, x + (image + s.low) * g.in_row(), x + (image + s.high) * g.in_row(), s.part, row);
      } else if (image + s.low == before) {
        __builtin_memcpy(row, row - g.out_row(), sizeof(T) * static_cast<unsigned long>(g.out_row()));
      } else {
        before = image + s.low;
        nearest_row<T>(g, x + before * g.in_row(), row);
      }
    }
  });
}

// ---- backward ---------------------------------------------------------------------------------------

// dx += weight * what a row of dy gives to the pixels that its outputs read.
template <class T>
static void spread_row(const Geometry<T>& g, const T* dy, T weight, T* dx) {
  for (int64_t j = 0; j < g.w.out; ++j, dy += g.channels) {
    const ResizeSource<T> s = g.w.source(j);
    each_channel<T>(g.channels, [&](int64_t c, auto cells) {
      const auto add = [&](int64_t pixel, auto v) {
        T* const to = dx + pixel * g.channels + c;
        cells.store(to, cells.load(to) + v);
      };
      const auto v = cells.load(dy + c) * weight;
      add(s.low, v * (1 - s.part));
      if (s.part != 0) add(s.high, v * s.part);
    });
  }
}

template <class T>
static void resize_grad(const KernelCall& call) {
  const Geometry<T> g = geometry<T>(call, call.out[0].shape, call.in[0].shape);
  const T* const dy = call.in[0].as<T>();
  T* const dx = call.out[0].as<T>();
  if (call.out[0].shape.count() == 0) return;
  const int64_t readers = 1 + 2 * g.h.out / g.h.in;
  parallel_ranges(call, g.images * g.h.in, 4 * readers * g.out_row(), [&](int64_t from, int64_t to) {
    for (int64_t r = from; r < to; ++r) {
      T* const row = dx + r * g.in_row();
      __builtin_memset(row, 0, sizeof(T) * static_cast<unsigned long>(g.in_row()));
      const int64_t cell = r % g.h.in, image = r / g.h.in * g.h.out;
      for (int64_t i = g.h.first_reader(cell); i < g.h.out; ++i) {
        const ResizeSource<T> s = g.h.source(i);
        if (s.low > cell) break;
        const T* const given = dy + (image + i) * g.out_row();
        if (s.low == cell) spread_row<T>(g, given, 1 - s.part, row);
        if (s.high == cell && s.part != 0) spread_row<T>(g, given, s.part, row);
      }
    }
  });
}

template <void (*kFloat)(const KernelCall&), void (*kDouble)(const KernelCall&)>
static void by_float(const KernelCall& call) {
  call.in[0].dtype == DType::float64 ? kDouble(call) : kFloat(call);
}

HB_EXPORT_KERNELS(resize, {"resize", "output_rows", supports_floats, nullptr, by_float<resize<float>, resize<double>>},
                  {"resize_grad", "input_rows", supports_floats, nullptr,
                   by_float<resize_grad<float>, resize_grad<double>>})

HB_CPU_END
