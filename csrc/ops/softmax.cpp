// softmax(x), log_softmax(x), softmax_grad(y, dy), log_softmax_grad(y, dy): over the last axis.
#include "ops/softmax.h"

#include "ops/op.h"

namespace hornbeam {

void register_softmax(OpRegistry& r) {
  for (const char* name : {"softmax", "log_softmax"})
    r.add<SoftmaxAttrs>(name, "x", 1, [name](const SoftmaxAttrs&, const auto& in, auto& out) {
       want_float(name, in[0]);
       want_min_rank(name, in[0], 1, "x");
       out.push_back(TypeInfo::of(in[0].dtype, in[0].shape));
     }).writes_over("x");
  for (const char* name : {"softmax_grad", "log_softmax_grad"})
    r.add<SoftmaxAttrs>(name, "y, dy", 1,
                        [name](const SoftmaxAttrs&, const auto& in, auto& out) {
                          want_float(name, in[0]);
                          want_min_rank(name, in[0], 1, "y");
                          want_same_dtype(name, in[0], in[1]);
                          if (in[0].shape.rank != in[1].shape.rank)
                            op_error(name,
                                     "y has shape " + shape_str(in[0].shape) + ", dy has " + shape_str(in[1].shape));
                          Shape shape;
                          for (int i = 0; i < in[0].shape.rank; ++i)
                            shape.push(same_dim(name, in[0].shape[i], in[1].shape[i], "y and dy"));
                          out.push_back(TypeInfo::of(in[0].dtype, shape));
                        })
        .writes_over("y, dy")
        .linear_in("dy");
}

}  // namespace hornbeam
