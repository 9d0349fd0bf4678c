// matmul of any batch, transposed or not: by the library, or in the kernels of product.h.
#include <type_traits>

#include "core/dispatch.h"
#include "cuda/export.h"
#include "cuda/library_products.h"
#include "ops/matmul_dims.h"

namespace hornbeam {

static MatmulDims dims_of(const KernelCall& c) {
  return matmul_dims(*static_cast<const MatmulAttrs*>(c.attrs), c.in[0].shape, c.in[1].shape, c.out[0].shape);
}
static ProductSize size_of(const MatmulDims& d) { return {d.batch, d.m, d.n, d.k}; }

static ProductBatch batch_of(const MatmulDims& d, const int64_t* step) {
  ProductBatch b;
  b.rank = d.batch_rank;
  for (int i = 0; i < b.rank; ++i) {
    b.n[i] = Divider::of(d.batch_dim[i]);
    b.step[i] = step[i];
  }
  return b;
}

// f(the dtype, whether a is depth-fast, whether b is), as constants.
template <class F> static void by_kind(const KernelCall& c, const F& f) {
  const MatmulAttrs& at = *static_cast<const MatmulAttrs*>(c.attrs);
  by_float(c.in[0].dtype, [&](auto tag) {
    using Yes = std::true_type;
    using No = std::false_type;
    if (at.transpose_a) at.transpose_b ? f(tag, No{}, Yes{}) : f(tag, No{}, No{});
    else at.transpose_b ? f(tag, Yes{}, Yes{}) : f(tag, Yes{}, No{});
  });
}

static void run(const KernelCall& c) {
  const MatmulDims d = dims_of(c);
  if (size_of(d).results() == 0) return;
  by_kind(c, [&](auto tag, auto a_fast, auto b_fast) {
    using T = typename decltype(tag)::type;
    const MatrixFactor<T, a_fast()> a{c.in[0].as<const T>(), a_fast() ? d.a_row : d.a_col, batch_of(d, d.a_step)};
    const MatrixFactor<T, b_fast()> b{c.in[1].as<const T>(), b_fast() ? d.b_col : d.b_row, batch_of(d, d.b_step)};
    MatrixResult<T> y{c.out[0].as<T>(), d.m, d.n, d.m * d.n};
    if (c.n_in > 2 && c.in[2].present) y.bias = c.in[2].as<const T>();
    y.activation = static_cast<const MatmulAttrs*>(c.attrs)->activation;
    multiply<T>(*c.lane, "matmul", a, b, y, size_of(d), c.workspace);
  });
}

static int64_t workspace(const KernelCall& c) {
  int64_t bytes = 0;
  by_kind(c, [&](auto tag, auto, auto b_fast) {
    using T = typename decltype(tag)::type;
    bytes = product_workspace<T, MatrixFactor<T, b_fast()>>(size_of(dims_of(c)));
  });
  return bytes;
}

// ---- by the library -------------------------------------------------------------------------------------
static LibraryProduct library_product(const KernelCall& c) {
  return {*static_cast<const MatmulAttrs*>(c.attrs),
          dims_of(c),
          c.in[0].dtype,
          c.tf32,
          c.in[0].data,
          c.in[1].data,
          input_of<const void>(c, 2),
          c.out[0].data};
}
static bool library_supports(const KernelCall& c) { return supports_floats(c) && is_for_library(library_product(c)); }

static void run_by_library(const KernelCall& c) {
  if (!multiply_by_library(*c.lane, "matmul", library_product(c))) run(c);
}

HB_GPU_KERNELS(matmul, {"matmul", "library", library_supports, workspace, run_by_library},
               {"matmul", "product", supports_floats, workspace, run})

}  // namespace hornbeam
