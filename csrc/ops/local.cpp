// local_conv2d(x, w) and its gradients: a convolution with a kernel of its own at each place. Images are (batch,
// height, width, channels), w is (places, kernel height * kernel width * channels, filters), places row by row.
#include "ops/local.h"

#include "ops/ints.h"

namespace hornbeam {
namespace {

void want_windows(const char* op, const LocalAttrs& a, const Shape& x) {
  for (const Ints* list : {&a.kernel, &a.strides, &a.places})
    if (list->rank != 2 || (*list)[0] < 1 || (*list)[1] < 1)
      op_error(op, "kernel, strides and places must be two positive integers each, got " + shape_str(a.kernel) + ", " +
                       shape_str(a.strides) + " and " + shape_str(a.places));
  for (int i = 0; i < 2; ++i) {
    const int64_t reach = (a.places[i] - 1) * a.strides[i] + a.kernel[i];
    if (x[1 + i] >= 0 && x[1 + i] < reach)
      op_error(
          op, "windows that reach over " + std::to_string(reach) + " cells do not fit images of shape " + shape_str(x));
  }
}

int64_t cells(const LocalAttrs& a, int64_t channels) {
  const char* op = "local_conv2d";
  return channels < 0 ? kUnknown : size_product(op, size_product(op, a.kernel[0], a.kernel[1]), channels);
}

void want_kernel(const char* op, const LocalAttrs& a, const TypeInfo& w, int64_t channels) {
  want_rank(op, w, 3, "w");
  same_dim(op, w.shape[0], a.places[0] * a.places[1], "of w's kernels and the places");
  same_dim(op, w.shape[1], cells(a, channels), "of w's rows and a window's cells");
}

void want_places(const char* op, const LocalAttrs& a, const TypeInfo& dy) {
  want_rank(op, dy, 4, "dy");
  for (int i = 0; i < 2; ++i) same_dim(op, dy.shape[1 + i], a.places[i], "of dy and the places");
}

}  // namespace

void register_local(OpRegistry& r) {
  r.add<LocalAttrs>("local_conv2d", "x, w", 1, [](const LocalAttrs& a, const auto& in, auto& out) {
     const char* op = "local_conv2d";
     want_float(op, in[0]);
     want_rank(op, in[0], 4, "x");
     want_same_dtype(op, in[0], in[1]);
     want_windows(op, a, in[0].shape);
     want_kernel(op, a, in[1], in[0].shape[3]);
     Shape y;
     for (int64_t d : {in[0].shape[0], a.places[0], a.places[1], in[1].shape[2]}) y.push(d);
     out.push_back(TypeInfo::of(in[0].dtype, y));
   }).linear_in("x, w");
  r.add<LocalAttrs>("local_conv2d_input_grad", "dy, w, x_shape", 1,
                    [](const LocalAttrs& a, const auto& in, auto& out) {
                      const char* op = "local_conv2d_input_grad";
                      want_float(op, in[0]);
                      want_same_dtype(op, in[0], in[1]);
                      Shape x = shape_from(op, in[2]);
                      if (x.rank != 4) op_error(op, "x_shape must hold four integers, got " + shape_str(x));
                      want_windows(op, a, x);
                      want_places(op, a, in[0]);
                      want_kernel(op, a, in[1], x[3]);
                      same_dim(op, in[0].shape[3], in[1].shape[2], "of dy's channels and w's filters");
                      x[0] = same_dim(op, x[0], in[0].shape[0], "of the batches of x_shape and dy");
                      out.push_back(TypeInfo::of(in[0].dtype, x));
                    })
      .linear_in("dy, w")
      .sized_by("x_shape");
  r.add<LocalAttrs>("local_conv2d_filter_grad", "x, dy", 1, [](const LocalAttrs& a, const auto& in, auto& out) {
     const char* op = "local_conv2d_filter_grad";
     want_float(op, in[0]);
     want_rank(op, in[0], 4, "x");
     want_same_dtype(op, in[0], in[1]);
     want_windows(op, a, in[0].shape);
     want_places(op, a, in[1]);
     same_dim(op, in[0].shape[0], in[1].shape[0], "of the batches of x and dy");
     Shape w;
     for (int64_t d : {a.places[0] * a.places[1], cells(a, in[0].shape[3]), in[1].shape[3]}) w.push(d);
     out.push_back(TypeInfo::of(in[0].dtype, w));
   }).linear_in("x, dy");
}

}  // namespace hornbeam
