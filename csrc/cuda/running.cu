// cumsum, cumprod and recurrence: a thread for each line of the axis takes its elements one after another, as the CPU
// and NumPy do.
#include "ops/running.h"

#include "core/dispatch.h"
#include "cuda/divider.h"
#include "cuda/export.h"
#include "cuda/gpu.h"

namespace hornbeam {

// first(i) and next(before, i) give element i.
template <class T, class First, class Next>
static void run_along(const KernelCall& c, const char* name, First first, Next next) {
  const RunningAttrs& a = *static_cast<const RunningAttrs*>(c.attrs);
  const Shape& x = c.in[0].shape;
  if (x.count() == 0) return;
  const int axis = static_cast<int>(a.axis < 0 ? a.axis + x.rank : a.axis);
  const int64_t outer = x.count(0, axis), n = x[axis];
  const Divider inner = Divider::of(x.count(axis + 1, x.rank));
  const int64_t step = a.reverse ? -inner.d : inner.d, start = a.reverse ? (n - 1) * inner.d : 0;
  T* y = c.out[0].as<T>();
  each(*c.lane, name, outer * inner.d, [=] GPU_LAMBDA(int64_t line) {
    const int64_t column = inner.take(line);
    int64_t at = line * n * inner.d + column + start;
    T value = first(at);
    y[at] = value;
    for (int64_t i = 1; i < n; ++i) {
      at += step;
      value = next(value, at);
      y[at] = value;
    }
  });
}

// What kernels call are structs with a name: an extended lambda cannot take another one.
template <class T> struct Item {
  const T* x;
  HB_INLINE T operator()(int64_t i) const { return x[i]; }
};
template <class T> struct AddItem {
  const T* x;
  HB_INLINE T operator()(T y, int64_t i) const { return static_cast<T>(y + x[i]); }
};
template <class T> struct MultiplyItem {
  const T* x;
  using Wide = decltype(T{} + 0u);  // 16-bit numbers would be multiplied as signed ones
  HB_INLINE T operator()(T y, int64_t i) const { return static_cast<T>(Wide(y) * x[i]); }
};
template <class T> struct Recur {
  const T *a, *b;
  HB_INLINE T operator()(T y, int64_t i) const { return a[i] * y + b[i]; }
};

static void cumsum(const KernelCall& c) {
  by_addition(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* x = c.in[0].as<const T>();
    run_along<T>(c, "cumsum", Item<T>{x}, AddItem<T>{x});
  });
}

static void cumprod(const KernelCall& c) {
  by_addition(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* x = c.in[0].as<const T>();
    run_along<T>(c, "cumprod", Item<T>{x}, MultiplyItem<T>{x});
  });
}

static void recurrence(const KernelCall& c) {
  by_float(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T *a = c.in[0].as<const T>(), *b = c.in[1].as<const T>();
    run_along<T>(c, "recurrence", Item<T>{b}, Recur<T>{a, b});
  });
}

static bool supports(const KernelCall& c) { return c.in[0].dtype != DType::float16; }

HB_GPU_KERNELS(running, {"cumsum", "lines", supports, nullptr, cumsum},
               {"cumprod", "lines", supports, nullptr, cumprod}, {"recurrence", "lines", supports, nullptr, recurrence})

}  // namespace hornbeam
