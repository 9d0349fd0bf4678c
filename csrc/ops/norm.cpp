// batch_norm(x, gamma?, beta?) -> y, mean, variance, inv_std and
// batch_norm_grad(dy, x, mean, inv_std, gamma?) -> dx, dgamma, dbeta.
#include "ops/norm.h"

#include "ops/op.h"

namespace hornbeam {
namespace {

void want_per_channel(const char* op, const TypeInfo& x, const std::vector<TypeInfo>& in, size_t i, const char* what) {
  if (i >= in.size() || !in[i].present) return;
  want_same_dtype(op, x, in[i]);
  if (in[i].shape.rank != 1)
    op_error(op, std::string(what) + " must have one entry per channel, its shape is " + shape_str(in[i].shape));
  same_dim(op, x.shape[-1], in[i].shape[0], what);
}

TypeInfo per_channel(const TypeInfo& x) {
  Shape channels;
  channels.push(x.shape[-1]);
  return TypeInfo::of(x.dtype, channels);
}

}  // namespace

void register_norm(OpRegistry& r) {
  r.add<BatchNormAttrs>("batch_norm", "x, gamma?, beta?", 4,
                        [](const BatchNormAttrs&, const auto& in, auto& out) {
                          want_float("batch_norm", in[0]);
                          want_min_rank("batch_norm", in[0], 1, "x");
                          want_per_channel("batch_norm", in[0], in, 1, "gamma");
                          want_per_channel("batch_norm", in[0], in, 2, "beta");
                          out.push_back(TypeInfo::of(in[0].dtype, in[0].shape));
                          for (int i = 0; i < 3; ++i) out.push_back(per_channel(in[0]));
                        })
      .writes_over("x")
      .applies_activation();
  r.add<BatchNormGradAttrs>("batch_norm_grad", "dy, x, mean, inv_std, gamma?", 3,
                            [](const BatchNormGradAttrs&, const auto& in, auto& out) {
                              want_float("batch_norm_grad", in[1]);
                              want_min_rank("batch_norm_grad", in[1], 1, "x");
                              want_same_dtype("batch_norm_grad", in[1], in[0]);
                              const Shape& dy = in[0].shape;
                              if (dy.rank != in[1].shape.rank)
                                op_error("batch_norm_grad",
                                         "dy has shape " + shape_str(dy) + ", x has " + shape_str(in[1].shape));
                              for (int i = 0; i < dy.rank; ++i)
                                same_dim("batch_norm_grad", dy[i], in[1].shape[i], "dy and x");
                              want_per_channel("batch_norm_grad", in[1], in, 2, "mean");
                              want_per_channel("batch_norm_grad", in[1], in, 3, "inv_std");
                              want_per_channel("batch_norm_grad", in[1], in, 4, "gamma");
                              out.push_back(TypeInfo::of(in[1].dtype, in[1].shape));
                              for (int i = 0; i < 2; ++i) out.push_back(per_channel(in[1]));
                            })
      .writes_over("dy, x")
      .linear_in("dy");
}

}  // namespace hornbeam
