// top_k(x) -> values, indices (int32): the k largest of each row of the last axis (all of them for k = -1), largest
// first; of equals, the one that comes first. NaN counts as smaller than everything.
#include "ops/top_k.h"

#include "ops/op.h"

namespace hornbeam {

void register_top_k(OpRegistry& r) {
  r.add<TopKAttrs>("top_k", "x", 2, [](const TopKAttrs& a, const auto& in, auto& out) {
    const char* op = "top_k";
    want_min_rank(op, in[0], 1, "x");
    if (in[0].dtype == DType::boolean) op_type_error(op, "x is bool, cast it to a number first");
    Shape shape = in[0].shape;
    const int64_t n = shape[-1];
    if (a.k < -1 || (n >= 0 && a.k > n))
      op_error(op, "k = " + std::to_string(a.k) + " of rows of length " + (n < 0 ? "None" : std::to_string(n)));
    if (a.k >= 0) shape[shape.rank - 1] = a.k;
    out.push_back(TypeInfo::of(in[0].dtype, shape));
    out.push_back(TypeInfo::of(DType::int32, shape));
  });
}

}  // namespace hornbeam
