// conv2d(x, w, bias?), conv2d_input_grad(dy, w, x_shape), conv2d_filter_grad(x, dy): images are
// (batch, height, width, channels), kernels (height, width, channels in, channels out).
#include "ops/conv_rules.h"

namespace hornbeam {

void register_conv(OpRegistry& r) {
  r.add<ConvAttrs>("conv2d", 2, 3, 1, [](const ConvAttrs& a, const auto& in, auto& out) {
    const char* op = "conv2d";
    want_image(op, in[0], "x");
    want_rank(op, in[1], 4, "w");
    want_same_dtype(op, in[0], in[1]);
    const Shape &x = in[0].shape, &w = in[1].shape;
    if (x[3] >= 0 && w[2] >= 0 && x[3] != w[2])
      op_error(op, "kernel has " + std::to_string(w[2]) + " input channels, input has " + std::to_string(x[3]) +
                       " (shape " + shape_str(x) + ")");
    want_bias(op, in, w[3]);
    Shape y = conv_output(op, a, x, w[0], w[1]);
    y.push(w[3]);
    out.push_back(TypeInfo::of(in[0].dtype, y));
  });
  r.add<ConvGradAttrs>("conv2d_input_grad", 3, 3, 1, [](const ConvGradAttrs& a, const auto& in, auto& out) {
    const char* op = "conv2d_input_grad";
    want_image(op, in[0], "dy");
    want_rank(op, in[1], 4, "w");
    want_same_dtype(op, in[0], in[1]);
    const Shape &dy = in[0].shape, &w = in[1].shape;
    Shape x = image_shape_argument(op, in[2]);
    same_dim(op, dy[3], w[3], "of dy's channels and w's output channels");
    x[3] = same_dim(op, x[3], w[2], "of x_shape's channels and w's input channels");
    want_conv_output(op, a, x, w[0], w[1], dy);
    x[0] = same_dim(op, x[0], dy[0], "of the batches of x_shape and dy");
    out.push_back(TypeInfo::of(in[0].dtype, x));
  });
  r.add<ConvGradAttrs>("conv2d_filter_grad", 2, 2, 1, [](const ConvGradAttrs& a, const auto& in, auto& out) {
    const char* op = "conv2d_filter_grad";
    want_image(op, in[0], "x");
    want_image(op, in[1], "dy");
    want_same_dtype(op, in[0], in[1]);
    want_pair(op, a.kernel, "kernel");
    want_conv_output(op, a, in[0].shape, a.kernel[0], a.kernel[1], in[1].shape);
    Shape w;
    for (int64_t d : {a.kernel[0], a.kernel[1], in[0].shape[3], in[1].shape[3]}) w.push(d);
    out.push_back(TypeInfo::of(in[0].dtype, w));
  });
}

}  // namespace hornbeam
