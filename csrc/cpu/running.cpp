// cumsum, cumprod and recurrence: each element of the axis from the one before it, for all that lies behind the axis
// at once. Sums and products are taken one after another, as NumPy does.
#include "ops/running.h"

#include "core/dispatch.h"
#include "cpu/export.h"
#include "cpu/parallel.h"

HB_CPU_BEGIN

// first(i) and next(before, i) give element i; both must be what vectors can do.
template <class T, class First, class Next>
static void run_along(const KernelCall& c, const First& first, const Next& next) {
  const auto* a = static_cast<const RunningAttrs*>(c.attrs);
  const Shape& x = c.in[0].shape;
  const int axis = static_cast<int>(a->axis < 0 ? a->axis + x.rank : a->axis);
  const int64_t outer = x.count(0, axis), n = x[axis], inner = x.count(axis + 1, x.rank);
  if (x.count() == 0) return;
  T* y = c.out[0].as<T>();
  const int64_t width = smaller(inner, 1024), cuts = ceil_div(inner, width);
  const int64_t stride = a->reverse ? -inner : inner;
  parallel_ranges(c, outer * cuts, n * width, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t column = piece % cuts * width, columns = smaller(width, inner - column);
      int64_t at = (piece / cuts * n + (a->reverse ? n - 1 : 0)) * inner + column;
      for (int64_t k = 0; k < columns; ++k) y[at + k] = first(at + k);
      for (int64_t i = 1; i < n; ++i) {
        if (i % 65536 == 0 && interrupted(c)) return;
        const T* before = y + at;
        at += stride;
        for (int64_t k = 0; k < columns; ++k) y[at + k] = next(before[k], at + k);
      }
    }
  });
}

static void run_cumsum(const KernelCall& c) {
  by_addition(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* x = c.in[0].as<const T>();
    run_along<T>(c, [=](int64_t i) { return x[i]; }, [=](T y, int64_t i) { return static_cast<T>(y + x[i]); });
  });
}

static void run_cumprod(const KernelCall& c) {
  by_addition(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide = decltype(T{} + 0u);  // 16-bit numbers would be multiplied as signed ones
    const T* x = c.in[0].as<const T>();
    run_along<T>(c, [=](int64_t i) { return x[i]; }, [=](T y, int64_t i) { return static_cast<T>(Wide(y) * x[i]); });
  });
}

template <class T> static void run_recurrence(const KernelCall& c) {
  const T *a = c.in[0].as<const T>(), *b = c.in[1].as<const T>();
  run_along<T>(c, [=](int64_t i) { return b[i]; }, [=](T y, int64_t i) { return a[i] * y + b[i]; });
}

static bool supports(const KernelCall& c) { return c.in[0].dtype != DType::float16; }

HB_EXPORT_KERNELS(running, {"cumsum", "rows", supports, nullptr, run_cumsum},
                  {"cumprod", "rows", supports, nullptr, run_cumprod},
                  {"recurrence", "rows", supports, nullptr, [](const KernelCall& c) {
                     c.in[0].dtype == DType::float64 ? run_recurrence<double>(c) : run_recurrence<float>(c);
                   }})

HB_CPU_END
