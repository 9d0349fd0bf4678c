// sum_to: a sum over the axes that broadcasting had added.
#include "core/dispatch.h"
#include "cuda/export.h"
#include "cuda/fold_passes.h"

namespace hornbeam {

static ReducePasses passes(const KernelCall& c) {
  const Shape &x = c.in[0].shape, &y = c.out[0].shape;
  Ints axes;
  for (int i = 0; i < x.rank; ++i) {
    const int to = i - (x.rank - y.rank);
    if (to < 0 || (y[to] == 1 && x[i] != 1)) axes.push(i);
  }
  return passes_of(x, axes);
}

static bool supports(const KernelCall& c) { return c.in[0].dtype != DType::float16; }
static int64_t workspace(const KernelCall& c) {
  int64_t bytes = 0;
  by_addition(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    bytes = passes_workspace<SumFold<T>, T>(passes(c));
  });
  return bytes;
}
static void sum_to(const KernelCall& c) {
  if (c.out[0].shape.count() == 0) return;
  by_addition(c.in[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fold_passes<SumFold<T>, T>(c, "sum_to", passes(c), c.in[0].as<const T>(), c.out[0].as<T>());
  });
}

HB_GPU_KERNELS(sum_to, {"sum_to", "fold", supports, workspace, sum_to})

}  // namespace hornbeam
