// conv2d(x, w, bias?), conv2d_input_grad(dy, w, x_shape, bias?), conv2d_filter_grad(x, dy), and the same for
// volumes: images are (batch, height, width, channels), kernels (height, width, channels in, channels out);
// volumes and their kernels have a depth before the height. The input gradient's bias has x's channels: with it
// the op is a transposed convolution.
#include "ops/conv_rules.h"

namespace hornbeam {
namespace {

void register_rank(OpRegistry& r, int n, const std::string& name) {
  r.add<ConvAttrs>(name, "x, w, bias?", 1,
                   [n, name](const ConvAttrs& a, const auto& in, auto& out) {
                     const char* op = name.c_str();
                     want_image(op, in[0], n, "x");
                     want_rank(op, in[1], n + 2, "w");
                     want_same_dtype(op, in[0], in[1]);
                     const Shape &x = in[0].shape, &w = in[1].shape;
                     if (x[-1] >= 0 && w[-2] >= 0 && x[-1] != w[-2])
                       op_error(op, "kernel has " + std::to_string(w[-2]) + " input channels, input has " +
                                        std::to_string(x[-1]) + " (shape " + shape_str(x) + ")");
                     want_bias(op, in, 2, w[-1]);
                     Shape y = conv_output(op, a, x, w);
                     y.push(w[-1]);
                     out.push_back(TypeInfo::of(in[0].dtype, y));
                   })
      .linear_in("x, w")
      .columns_from("w")
      .applies_activation();
  r.add<ConvAttrs>(name + "_input_grad", "dy, w, x_shape, bias?", 1,
                   [n, name](const ConvAttrs& a, const auto& in, auto& out) {
                     const std::string full = name + "_input_grad";
                     const char* op = full.c_str();
                     want_image(op, in[0], n, "dy");
                     want_rank(op, in[1], n + 2, "w");
                     want_same_dtype(op, in[0], in[1]);
                     const Shape &dy = in[0].shape, &w = in[1].shape;
                     Shape x = image_shape_argument(op, in[2], n);
                     same_dim(op, dy[-1], w[-1], "of dy's channels and w's output channels");
                     x[-1] = same_dim(op, x[-1], w[-2], "of x_shape's channels and w's input channels");
                     want_bias(op, in, 3, x[-1]);
                     want_conv_output(op, a, x, w, dy);
                     x[0] = same_dim(op, x[0], dy[0], "of the batches of x_shape and dy");
                     out.push_back(TypeInfo::of(in[0].dtype, x));
                   })
      .linear_in("dy, w")
      .sized_by("x_shape")
      .applies_activation();
  r.add<ConvFilterGradAttrs>(name + "_filter_grad", "x, dy", 1,
                             [n, name](const ConvFilterGradAttrs& a, const auto& in, auto& out) {
                               const std::string full = name + "_filter_grad";
                               const char* op = full.c_str();
                               want_image(op, in[0], n, "x");
                               want_image(op, in[1], n, "dy");
                               want_same_dtype(op, in[0], in[1]);
                               want_sizes(op, a.kernel, n, "kernel");
                               want_conv_output(op, a, in[0].shape, a.kernel, in[1].shape);
                               Shape w = a.kernel;
                               w.push(in[0].shape[-1]);
                               w.push(in[1].shape[-1]);
                               out.push_back(TypeInfo::of(in[0].dtype, w));
                             })
      .linear_in("x, dy");
}

}  // namespace

void register_conv(OpRegistry& r) {
  register_rank(r, 2, "conv2d");
  register_rank(r, 3, "conv3d");
}

}  // namespace hornbeam
