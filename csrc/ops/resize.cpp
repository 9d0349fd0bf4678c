// resize(x, size): images (batch, height, width, channels) of another height and width; resize_grad(dy, x_shape).
#include "ops/resize.h"

#include "ops/ints.h"

namespace hornbeam {
namespace {

void want_images(const char* op, const TypeInfo& t) {
  want_float(op, t);
  want_rank(op, t, 4, "x");
}

void want_pixels(const char* op, const Shape& from, const Shape& to) {
  for (int i = 1; i < 3; ++i)
    if (from[i] == 0 && to[i] != 0)
      op_error(op, "cannot make images of " + shape_str(to) + " from " + shape_str(from) + ", which has no pixels");
}

}  // namespace

void register_resize(OpRegistry& r) {
  r.add<ResizeAttrs>("resize", "x, size", 1,
                     [](const ResizeAttrs&, const auto& in, auto& out) {
                       want_images("resize", in[0]);
                       const Shape size = shape_from("resize", in[1]);
                       if (size.rank != 2)
                         op_error("resize", "size must hold a height and a width, got " + shape_str(size));
                       Shape y = in[0].shape;
                       y[1] = size[0];
                       y[2] = size[1];
                       want_pixels("resize", in[0].shape, y);
                       out.push_back(TypeInfo::of(in[0].dtype, y));
                     })
      .linear_in("x")
      .sized_by("size");
  r.add<ResizeAttrs>("resize_grad", "dy, x_shape", 1,
                     [](const ResizeAttrs&, const auto& in, auto& out) {
                       want_images("resize_grad", in[0]);
                       Shape x = shape_from("resize_grad", in[1]);
                       if (x.rank != 4) op_error("resize_grad", "x_shape must hold four integers, got " + shape_str(x));
                       for (int i : {0, 3}) x[i] = same_dim("resize_grad", x[i], in[0].shape[i], "of x_shape and dy");
                       want_pixels("resize_grad", x, in[0].shape);
                       out.push_back(TypeInfo::of(in[0].dtype, x));
                     })
      .linear_in("dy")
      .sized_by("x_shape");
}

}  // namespace hornbeam
