// softmax(x), log_softmax(x), softmax_grad(y, dy): over the last axis.
#include "ops/op.h"
#include "ops/softmax.h"

namespace hornbeam {

void register_softmax(OpRegistry& r) {
  for (const char* name : {"softmax", "log_softmax"})
    r.add<SoftmaxAttrs>(name, 1, 1, 1, [name](const SoftmaxAttrs&, const auto& in, auto& out) {
       want_float(name, in[0]);
       want_min_rank(name, in[0], 1, "x");
       out.push_back(TypeInfo::of(in[0].dtype, in[0].shape));
     }).inplace = 1;
  r.add<SoftmaxAttrs>("softmax_grad", 2, 2, 1, [](const SoftmaxAttrs&, const auto& in, auto& out) {
     want_same_dtype("softmax_grad", in[0], in[1]);
     out.push_back(TypeInfo::of(in[0].dtype, broadcast_shapes("softmax_grad", in[0].shape, in[1].shape)));
   }).inplace = 3;
}

}  // namespace hornbeam
