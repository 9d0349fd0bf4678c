// Running sums and products along an axis: cumsum(x), cumprod(x), and recurrence(a, b) with y[i] = a[i] y[i-1] + b[i],
// beginning with y[0] = b[0], to which their gradients lead.
#include "ops/running.h"

#include "ops/op.h"

namespace hornbeam {

void register_running(OpRegistry& r) {
  for (const char* name : {"cumsum", "cumprod"})
    r.add<RunningAttrs>(name, "x", 1, [name](const RunningAttrs& a, const auto& in, auto& out) {
      want_min_rank(name, in[0], 1, "x");
      normal_axis(name, a.axis, in[0].shape.rank);
      if (in[0].dtype == DType::boolean) op_type_error(name, "x is bool, cast it to a number first");
      out.push_back(TypeInfo::of(in[0].dtype, in[0].shape));
    });
  r.named("cumsum").linear_in("x");
  r.add<RunningAttrs>("recurrence", "a, b", 1, [](const RunningAttrs& a, const auto& in, auto& out) {
     const char* op = "recurrence";
     want_float(op, in[0]);
     want_same_dtype(op, in[0], in[1]);
     want_min_rank(op, in[0], 1, "a");
     normal_axis(op, a.axis, in[0].shape.rank);
     want_rank(op, in[1], in[0].shape.rank, "b");
     Shape shape;
     for (int i = 0; i < in[0].shape.rank; ++i) shape.push(same_dim(op, in[0].shape[i], in[1].shape[i], "a and b"));
     out.push_back(TypeInfo::of(in[0].dtype, shape));
   }).linear_in("b");
}

}  // namespace hornbeam
