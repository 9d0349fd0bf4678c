// Products by the library (library/library.h): those of matmul, and of convolutions whose windows are one cell.
#pragma once
#include "core/dispatch.h"
#include "cuda/library/library.h"
#include "cuda/product.h"

namespace hornbeam {

// y[i] = activation(y[i] + bias of the column): what the library left out.
template <class T>
static void finish_columns(Lane& lane, const char* op, T* y, int64_t count, const T* bias, int64_t columns,
                           Activation activation) {
  if (!bias && activation == Activation::linear) return;
  const Divider column = Divider::of(columns);
  each(lane, op, count, [=] GPU_LAMBDA(int64_t i) {
    int64_t row = i;
    T value = y[i];
    if (bias) value += bias[column.take(row)];
    store_result(activation, value, y + i);
  });
}

// y = activation(a b + bias), as matmul has it.
struct LibraryProduct {
  MatmulAttrs attrs;
  MatmulDims dims;
  DType dtype;
  int32_t tf32;
  const void *a, *b, *bias;
  void* y;

  GemmCalls calls() const {
    return gemm_of(dims, attrs, dtype, bias != nullptr, attrs.activation == Activation::relu, tf32 != 0);
  }
};

// Rows that kernels of our own read b once for are theirs, as are batches that would take many calls.
static inline bool is_for_library(const LibraryProduct& p) {
  constexpr int64_t kMostCalls = 16;
  const MatmulDims& d = p.dims;
  return d.m > ProductCut::kFewRows && d.n > 0 && d.k > 0 && d.batch > 0 && p.calls().count <= kMostCalls &&
         products_presence().is_there;
}

static inline bool multiply_each(Lane& lane, const char* op, const LibraryProduct& p, const GemmCalls& calls) {
  const Gemm& g = calls.gemm;
  const auto at = [&](const void* data, int64_t element) {
    return static_cast<const char*>(data) + element * item_size(p.dtype);
  };
  for (int64_t call = 0; call < calls.count; ++call) {
    int64_t a, b;
    p.dims.offsets(call * g.batch, a, b);
    const void* const y = at(p.y, call * g.batch * g.stride_d);
    const GemmData data{at(p.b, b), at(p.a, a), p.bias, const_cast<void*>(y)};
    if (!lane.library->multiply(lane, op, g, data)) return false;  // the first, or one whose addresses are uneven
  }
  return true;
}

// False: the library has no way for it, and the result holds nothing.
static inline bool multiply_by_library(Lane& lane, const char* op, const LibraryProduct& p) {
  GemmCalls calls = p.calls();
  const bool has_epilogue = calls.gemm.bias || calls.gemm.relu;
  const bool is_whole = multiply_each(lane, op, p, calls);
  if (!is_whole) {
    if (!has_epilogue) return false;
    calls.gemm.bias = calls.gemm.relu = 0;
    if (!multiply_each(lane, op, p, calls)) return false;
  }
  by_float(p.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* bias = is_whole ? nullptr : static_cast<const T*>(p.bias);
    const Activation rest = is_whole && calls.gemm.relu ? Activation::linear : p.attrs.activation;
    finish_columns<T>(lane, op, static_cast<T*>(p.y), p.dims.batch * p.dims.m * p.dims.n, bias, p.dims.n, rest);
  });
  return true;
}

}  // namespace hornbeam
