// shape, fill, arange.
#include "ops/create.h"
#include "core/dispatch.h"
#include "cpu/export.h"
#include "cpu/strided_copy.h"

HB_CPU_BEGIN

static void run_shape(const KernelCall& c) {
  for (int i = 0; i < c.in[0].shape.rank; ++i) c.out[0].as<int32_t>()[i] = static_cast<int32_t>(c.in[0].shape[i]);
}

static void run_fill(const KernelCall& c) {
  const uint64_t bits = item_bits(c.out[0].dtype, static_cast<const FillAttrs*>(c.attrs)->value);
  by_item_size(c.out[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fill_items(c, c.out[0].as<T>(), c.out[0].shape.count(), static_cast<T>(bits));
  });
}

static int64_t scalar(const TensorRef& t) {
  int64_t value = 0;
  by_integer(t.dtype, [&](auto tag) { value = static_cast<int64_t>(*t.as<typename decltype(tag)::type>()); });
  return value;
}

static void run_arange(const KernelCall& c) {
  const int64_t start = scalar(c.in[0]), step = scalar(c.in[2]), n = c.out[0].shape.count();
  const DType t = c.out[0].dtype;
  if (t == DType::boolean || t == DType::float16) {
    by_item_size(t, [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (int64_t i = 0; i < n; ++i)
        c.out[0].as<T>()[i] = static_cast<T>(item_bits(t, static_cast<double>(start + i * step)));
    });
    return;
  }
  by_number(t, [&](auto tag) {
    using T = typename decltype(tag)::type;
    parallel_pieces(c, n, 32 * 1024, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) c.out[0].as<T>()[i] = static_cast<T>(start + i * step);
    });
  });
}

HB_EXPORT_KERNELS(create, {"shape", "direct", nullptr, nullptr, run_shape},
                  {"fill", "direct", nullptr, nullptr, run_fill}, {"arange", "direct", nullptr, nullptr, run_arange})

HB_CPU_END
