// Convolutions by the library (library/library.h): as a product where windows are one cell, else with weights repacked.
#pragma once
#include "cuda/library_products.h"
#include "cuda/strided_copy.h"
#include "ops/conv_axis.h"

namespace hornbeam {

static inline const ConvAttrs& conv_attrs(const KernelCall& call) { return *static_cast<const ConvAttrs*>(call.attrs); }
static inline const ConvFilterGradAttrs& filter_attrs(const KernelCall& call) {
  return *static_cast<const ConvFilterGradAttrs*>(call.attrs);
}

// ---- windows of one cell --------------------------------------------------------------------------------
// `kernel` begins with the spatial sizes.
static inline bool is_one_cell(const Ints& strides, const Shape& kernel) {
  for (int i = 0; i < strides.rank; ++i)
    if (strides[i] != 1 || kernel[i] != 1) return false;
  return true;
}

// (a row for each position, a column for each channel)
static inline Shape matrix_of(const Shape& s) {
  Shape matrix;
  matrix.push(s.count(0, s.rank - 1));
  matrix.push(s[-1]);
  return matrix;
}

// y = activation(a b + bias) of these inputs as matrices.
static inline LibraryProduct product_of_cells(const KernelCall& c, const MatmulAttrs& attrs, int bias) {
  const TensorRef &a = c.in[0], &b = c.in[1], &y = c.out[0];
  return {attrs,
          matmul_dims(attrs, matrix_of(a.shape), matrix_of(b.shape), matrix_of(y.shape)),
          a.dtype,
          c.tf32,
          a.data,
          b.data,
          bias < 0 ? nullptr : input_of<const void>(c, bias),
          y.data};
}
static inline LibraryProduct forward_product(const KernelCall& c) {
  return product_of_cells(c, {false, false, conv_attrs(c).activation}, 2);
}
static inline LibraryProduct input_grad_product(const KernelCall& c) {
  return product_of_cells(c, {false, true, conv_attrs(c).activation}, 3);
}
static inline LibraryProduct filter_grad_product(const KernelCall& c) {
  return product_of_cells(c, {true, false, Activation::linear}, -1);
}

// ---- other windows --------------------------------------------------------------------------------------
static inline Conv forward_conv(const KernelCall& c) {
  Conv conv = conv_of(ConvKind::forward, conv_attrs(c), c.in[0].dtype, c.in[0].shape, c.in[1].shape, c.out[0].shape);
  conv.tf32 = c.tf32;
  conv.bias = input_of<const void>(c, 2) != nullptr;
  conv.relu = conv_attrs(c).activation == Activation::relu;
  return conv;
}
static inline Conv input_grad_conv(const KernelCall& c) {
  Conv conv = conv_of(ConvKind::data, conv_attrs(c), c.in[0].dtype, c.out[0].shape, c.in[1].shape, c.in[0].shape);
  conv.tf32 = c.tf32;
  return conv;
}
static inline Conv filter_grad_conv(const KernelCall& c) {
  Conv conv =
      conv_of(ConvKind::filter, filter_attrs(c), c.in[0].dtype, c.in[0].shape, filter_attrs(c).kernel, c.in[1].shape);
  conv.tf32 = c.tf32;
  return conv;
}

static inline bool is_for_library(const Conv& c) {
  return c.x.count() > 0 && c.w.count() > 0 && c.y.count() > 0 && convolutions_presence().is_there;
}

// to (columns, rows) = from (rows, columns), turned.
static inline void turn(Lane& lane, const char* op, DType dtype, int64_t rows, int64_t columns, const void* from,
                        void* to) {
  CopyLoops loops;
  loops.add(columns, 1, rows);
  loops.add(rows, columns, 1);
  strided_copy(lane, op, loops, dtype, from, to);
}

// Weights (taps and channels, filters) as the library has them, (filters, taps and channels).
static inline int64_t packed_weight_bytes(const KernelCall& c) { return c.in[1].bytes(); }
static inline void pack_conv_weights(const KernelCall& c, void* to) {
  const Shape w = matrix_of(c.in[1].shape);
  turn(*c.lane, "conv weights", c.in[1].dtype, w[0], w[1], c.in[1].data, to);
}

// The three directions. False: the library has no way for it, and the result holds nothing.
static inline bool forward_by_library(const char* op, const KernelCall& c) {
  Conv conv = forward_conv(c);
  const ConvData data{c.in[0].data, const_cast<void*>(c.packed[1]), c.out[0].data, input_of<const void>(c, 2)};
  const bool is_whole = c.lane->library->convolve(*c.lane, op, conv, data);
  if (!is_whole) {
    if (!conv.bias && !conv.relu) return false;
    conv.bias = conv.relu = 0;
    if (!c.lane->library->convolve(*c.lane, op, conv, data)) return false;
  }
  by_float(conv.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* bias = is_whole ? nullptr : input_of<const T>(c, 2);
    const Activation rest = is_whole && conv.relu ? Activation::linear : conv_attrs(c).activation;
    finish_columns<T>(*c.lane, op, c.out[0].as<T>(), conv.y.count(), bias, conv.y.dim[1], rest);
  });
  return true;
}

static inline bool input_grad_by_library(const char* op, const KernelCall& c) {
  const Conv conv = input_grad_conv(c);
  const ConvData data{c.out[0].data, const_cast<void*>(c.packed[1]), c.in[0].data, nullptr};
  if (!c.lane->library->convolve(*c.lane, op, conv, data)) return false;
  by_float(conv.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    finish_columns<T>(*c.lane, op, c.out[0].as<T>(), conv.x.count(), input_of<const T>(c, 3), conv.x.dim[1],
                      conv_attrs(c).activation);
  });
  return true;
}

static inline bool filter_grad_by_library(const char* op, const KernelCall& c) {
  const Conv conv = filter_grad_conv(c);
  const ConvData data{c.in[0].data, c.workspace, c.in[1].data, nullptr};
  if (!c.lane->library->convolve(*c.lane, op, conv, data)) return false;
  const Shape w = matrix_of(c.out[0].shape);
  turn(*c.lane, op, conv.dtype, w[1], w[0], c.workspace, c.out[0].data);
  return true;
}

}  // namespace hornbeam
