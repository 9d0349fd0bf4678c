// fill, arange. `shape` is computed when a program is bound.
#include "core/dispatch.h"
#include "cuda/export.h"
#include "cuda/gpu.h"
#include "cuda/item.h"
#include "ops/create.h"

namespace hornbeam {

template <class T> static void fill_items(const KernelCall& c, T value) {
  T* y = c.out[0].as<T>();
  each(*c.lane, "fill", c.out[0].shape.count(), [=] GPU_LAMBDA(int64_t i) { y[i] = value; });
}

static void fill(const KernelCall& c) {
  const uint64_t bits = item_bits(c.out[0].dtype, static_cast<const FillAttrs*>(c.attrs)->value);
  by_item_size(c.out[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fill_items<T>(c, static_cast<T>(bits));
  });
}

static void arange(const KernelCall& c) {
  const void *start = c.in[0].data, *step = c.in[2].data;
  const DType start_type = c.in[0].dtype, step_type = c.in[2].dtype, type = c.out[0].dtype;
  void* y = c.out[0].data;
  each(*c.lane, "arange", c.out[0].shape.count(), [=] GPU_LAMBDA(int64_t i) {
    store_item(y, type, i, load_item<int64_t>(start, start_type, 0) + i * load_item<int64_t>(step, step_type, 0));
  });
}

HB_GPU_KERNELS(create, {"fill", "each", nullptr, nullptr, fill}, {"arange", "each", nullptr, nullptr, arange})

}  // namespace hornbeam
