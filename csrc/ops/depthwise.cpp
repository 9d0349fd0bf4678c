// depthwise_conv2d(x, w, bias?) and its gradients: every channel of x is convolved by itself with
// `multiplier` kernels; w is (height, width, channels, multiplier), the output has channels * multiplier.
#include "ops/depthwise.h"
#include "ops/conv_rules.h"

namespace hornbeam {
namespace {

int64_t times(int64_t a, int64_t b) { return a < 0 || b < 0 ? kUnknown : size_product("depthwise_conv2d", a, b); }

}  // namespace

void register_depthwise(OpRegistry& r) {
  r.add<DepthwiseAttrs>("depthwise_conv2d", "x, w, bias?", 1,
                        [](const DepthwiseAttrs& a, const auto& in, auto& out) {
                          const char* op = "depthwise_conv2d";
                          want_image(op, in[0], 2, "x");
                          want_rank(op, in[1], 4, "w");
                          want_same_dtype(op, in[0], in[1]);
                          const Shape &x = in[0].shape, &w = in[1].shape;
                          const int64_t channels = same_dim(op, x[3], w[2], "of the channels of x and w");
                          want_bias(op, in, 2, times(channels, w[3]));
                          Shape y = conv_output(op, a, x, w);
                          y.push(times(channels, w[3]));
                          out.push_back(TypeInfo::of(in[0].dtype, y));
                        })
      .linear_in("x, w")
      .columns_from("w")
      .applies_activation();
  r.add<DepthwiseGradAttrs>("depthwise_conv2d_input_grad", "dy, w, x_shape", 1,
                            [](const DepthwiseGradAttrs& a, const auto& in, auto& out) {
                              const char* op = "depthwise_conv2d_input_grad";
                              want_image(op, in[0], 2, "dy");
                              want_rank(op, in[1], 4, "w");
                              want_same_dtype(op, in[0], in[1]);
                              const Shape &dy = in[0].shape, &w = in[1].shape;
                              Shape x = image_shape_argument(op, in[2], 2);
                              x[3] = same_dim(op, x[3], w[2], "of the channels of x_shape and w");
                              same_dim(op, dy[3], times(x[3], w[3]), "of dy's channels and channels times multiplier");
                              want_conv_output(op, a, x, w, dy);
                              x[0] = same_dim(op, x[0], dy[0], "of the batches of x_shape and dy");
                              out.push_back(TypeInfo::of(in[0].dtype, x));
                            })
      .linear_in("dy, w")
      .sized_by("x_shape");
  r.add<DepthwiseGradAttrs>("depthwise_conv2d_filter_grad", "x, dy", 1,
                            [](const DepthwiseGradAttrs& a, const auto& in, auto& out) {
                              const char* op = "depthwise_conv2d_filter_grad";
                              want_image(op, in[0], 2, "x");
                              want_image(op, in[1], 2, "dy");
                              want_same_dtype(op, in[0], in[1]);
                              want_sizes(op, a.kernel, 2, "kernel");
                              if (a.multiplier < 1)
                                op_error(op, "multiplier must be positive, got " + std::to_string(a.multiplier));
                              const int64_t channels = in[0].shape[3];
                              same_dim(op, in[1].shape[3], times(channels, a.multiplier),
                                       "of dy's channels and channels times multiplier");
                              want_conv_output(op, a, in[0].shape, a.kernel, in[1].shape);
                              Shape w;
                              for (int64_t d : {a.kernel[0], a.kernel[1], channels, a.multiplier}) w.push(d);
                              out.push_back(TypeInfo::of(in[0].dtype, w));
                            })
      .linear_in("x, dy");
}

}  // namespace hornbeam
