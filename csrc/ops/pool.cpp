// max_pool2d(x), avg_pool2d(x) over NHWC, their gradients, and max_pool2d_gather(x, y, g), the gradient
// of max_pool2d_grad with respect to dy. Padding cells never win a maximum and
// never count in an average.
#include "ops/pool.h"

#include "ops/ints.h"

namespace hornbeam {
namespace {

Shape pooled_shape(const char* op, const PoolAttrs& a, const TypeInfo& x) {
  want_float(op, x);
  want_rank(op, x, 4, "x");
  if (a.size.rank != 2 || a.strides.rank != 2) op_error(op, "size and strides must have two entries");
  if (a.padding == Padding::causal) op_error(op, "padding must be 'valid' or 'same'");
  Shape out = x.shape;
  for (int i = 0; i < 2; ++i) {
    if (a.size[i] < 1 || a.strides[i] < 1) op_error(op, "size and strides must be positive");
    if (a.padding == Padding::valid && x.shape[1 + i] >= 0 && x.shape[1 + i] < a.size[i])
      op_error(op, "window " + shape_str(a.size) + " is larger than the input " + shape_str(x.shape));
    out[1 + i] = window_length(x.shape[1 + i], a.size[i], a.strides[i], 1, a.padding);
  }
  return out;
}

void want_pooled(const char* op, const PoolAttrs& a, const TypeInfo& x, const TypeInfo& pooled, const char* what) {
  want_same_dtype(op, x, pooled);
  const Shape want = pooled_shape(op, a, x);
  bool same = pooled.shape.rank == 4;
  for (int i = 0; same && i < 4; ++i) same = want[i] < 0 || pooled.shape[i] < 0 || want[i] == pooled.shape[i];
  if (!same)
    op_error(op, std::string(what) + " has shape " + shape_str(pooled.shape) + ", pooling " + shape_str(x.shape) +
                     " gives " + shape_str(want));
}

}  // namespace

void register_pool(OpRegistry& r) {
  for (const char* name : {"max_pool2d", "avg_pool2d"})
    r.add<PoolAttrs>(name, "x", 1, [name](const PoolAttrs& a, const auto& in, auto& out) {
      out.push_back(TypeInfo::of(in[0].dtype, pooled_shape(name, a, in[0])));
    });
  r.named("avg_pool2d").linear_in("x");
  r.add<PoolAttrs>("max_pool2d_grad", "x, y, dy", 1, [](const PoolAttrs& a, const auto& in, auto& out) {
     want_pooled("max_pool2d_grad", a, in[0], in[1], "y");
     want_pooled("max_pool2d_grad", a, in[0], in[2], "dy");
     out.push_back(TypeInfo::of(in[0].dtype, in[0].shape));
   }).linear_in("dy");
  r.add<PoolAttrs>("max_pool2d_gather", "x, y, g", 1, [](const PoolAttrs& a, const auto& in, auto& out) {
     want_pooled("max_pool2d_gather", a, in[0], in[1], "y");
     want_same_dtype("max_pool2d_gather", in[0], in[2]);
     if (in[2].shape.rank != 4) op_error("max_pool2d_gather", "g has shape " + shape_str(in[2].shape));
     for (int i = 0; i < 4; ++i) same_dim("max_pool2d_gather", in[0].shape[i], in[2].shape[i], "x and g");
     out.push_back(TypeInfo::of(in[0].dtype, in[1].shape));
   }).linear_in("g");
  r.add<PoolAttrs>("avg_pool2d_grad", "dy, x_shape", 1,
                   [](const PoolAttrs& a, const auto& in, auto& out) {
                     const TypeInfo x = TypeInfo::of(in[0].dtype, shape_from("avg_pool2d_grad", in[1]));
                     want_pooled("avg_pool2d_grad", a, x, in[0], "dy");
                     out.push_back(x);
                   })
      .linear_in("dy")
      .sized_by("x_shape");
}

}  // namespace hornbeam
