// Reductions over any set of axes, argmax and argmin.
#include "ops/reduce.h"

#include "core/dispatch.h"
#include "cuda/export.h"
#include "cuda/fold_passes.h"

namespace hornbeam {

static bool supports(const KernelCall& c) { return c.in[0].dtype != DType::float16; }
static ReducePasses passes(const KernelCall& c) {
  return passes_of(c.in[0].shape, static_cast<const ReduceAttrs*>(c.attrs)->axes);
}

// Sums and products of integers wrap around, so they are unsigned; truth values are bytes.
struct Wrapping {
  template <class F> static void by(DType t, const F& body) { by_addition(t, body); }
};
struct Ordered {
  template <class F> static void by(DType t, const F& body) { by_number(t == DType::boolean ? DType::uint8 : t, body); }
};

template <class Types, template <class> class Op> static int64_t workspace(const KernelCall& c) {
  int64_t bytes = 0;
  Types::by(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    bytes = passes_workspace<Op<T>, T>(passes(c));
  });
  return bytes;
}
template <class Types, template <class> class Op> static void run(const KernelCall& c, const char* name) {
  if (c.out[0].shape.count() == 0) return;
  Types::by(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fold_passes<Op<T>, T>(c, name, passes(c), c.in[0].as<const T>(), c.out[0].as<T>());
  });
}

template <class T> using SumOf = SumFold<T>;
template <class T> using ProductOf = ValueFold<T, Product>;
template <class T> using MaximumOf = ValueFold<T, Maximum>;
template <class T> using MinimumOf = ValueFold<T, Minimum>;
template <class T> using AllOf = ValueFold<T, All>;

static void reduce_sum(const KernelCall& c) { run<Wrapping, SumOf>(c, "reduce_sum"); }
static void reduce_prod(const KernelCall& c) { run<Wrapping, ProductOf>(c, "reduce_prod"); }
static void reduce_max(const KernelCall& c) { run<Ordered, MaximumOf>(c, "reduce_max"); }
static void reduce_min(const KernelCall& c) { run<Ordered, MinimumOf>(c, "reduce_min"); }

struct Truth {  // bytes 0 and 1
  template <class F> static void by(DType, const F& body) { body(Tag<uint8_t>{}); }
};
static void reduce_any(const KernelCall& c) { run<Truth, MaximumOf>(c, "reduce_any"); }
static void reduce_all(const KernelCall& c) { run<Truth, AllOf>(c, "reduce_all"); }

template <class T> static void divide(const KernelCall& c) {
  const int64_t size = c.out[0].shape.count();
  if (size == 0) return;
  T* y = c.out[0].as<T>();
  const T n = static_cast<T>(c.in[0].shape.count() / size);
  each(*c.lane, "reduce_mean", size, [=] GPU_LAMBDA(int64_t i) { y[i] /= n; });
}
static void reduce_mean(const KernelCall& c) {
  run<Wrapping, SumOf>(c, "reduce_mean");
  c.in[0].dtype == DType::float64 ? divide<double>(c) : divide<float>(c);
}

// ---- positions ------------------------------------------------------------------------------------------
static ReducePass arg_pass(const KernelCall& c) {
  const Shape& x = c.in[0].shape;
  const int64_t axis_attr = static_cast<const ArgReduceAttrs*>(c.attrs)->axis;
  const int axis = static_cast<int>(axis_attr < 0 ? axis_attr + x.rank : axis_attr);
  return {x.count(0, axis), x[axis], x.count(axis + 1, x.rank)};
}
static int64_t arg_workspace(const KernelCall& c) {
  int64_t bytes = 0;
  Ordered::by(c.in[0].dtype, [&](auto tag) {
    using State = typename PositionFold<typename decltype(tag)::type, Maximum>::State;
    bytes = FoldGrid::of(arg_pass(c)).states() * static_cast<int64_t>(sizeof(State));
  });
  return bytes;
}
template <class Order> static void run_arg(const KernelCall& c, const char* name) {
  if (c.out[0].shape.count() == 0) return;
  Ordered::by(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fold_tensor<PositionFold<T, Order>>(*c.lane, name, arg_pass(c), c.workspace, c.in[0].as<const T>(),
                                        c.out[0].as<int64_t>());
  });
}
static void argmax(const KernelCall& c) { run_arg<Maximum>(c, "argmax"); }
static void argmin(const KernelCall& c) { run_arg<Minimum>(c, "argmin"); }

HB_GPU_KERNELS(reduce, {"reduce_sum", "fold", supports, workspace<Wrapping, SumOf>, reduce_sum},
               {"reduce_mean", "fold", supports, workspace<Wrapping, SumOf>, reduce_mean},
               {"reduce_prod", "fold", supports, workspace<Wrapping, ProductOf>, reduce_prod},
               {"reduce_max", "fold", supports, workspace<Ordered, MaximumOf>, reduce_max},
               {"reduce_min", "fold", supports, workspace<Ordered, MinimumOf>, reduce_min},
               {"reduce_any", "fold", supports, workspace<Truth, MaximumOf>, reduce_any},
               {"reduce_all", "fold", supports, workspace<Truth, AllOf>, reduce_all},
               {"argmax", "fold", supports, arg_workspace, argmax}, {"argmin", "fold", supports, arg_workspace, argmin})

}  // namespace hornbeam
