// sum_to(x, shape): sums away the axes along which `shape` was broadcast to x's shape.
#include "ops/ints.h"

namespace hornbeam {
namespace {

void infer_sum_to(const NoAttrs&, const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  const char* op = "sum_to";
  const DType t = in[0].dtype;
  if (t == DType::boolean) op_type_error(op, "cannot sum bool");
  const Shape& x = in[0].shape;
  const Shape y = shape_from(op, in[1]);
  bool fits = y.rank <= x.rank;
  for (int i = 0; fits && i < y.rank; ++i) {
    const int64_t from = x[x.rank - y.rank + i];
    fits = y[i] == 1 || y[i] == from || y[i] < 0 || from < 0;
  }
  if (!fits) op_error(op, shape_str(y) + " does not broadcast to " + shape_str(x));
  out.push_back(TypeInfo::of(t, y));
}

}  // namespace

void register_sum_to(OpRegistry& r) {
  r.add<NoAttrs>("sum_to", "x, shape", 1, infer_sum_to).linear_in("x").sized_by("shape").view_if_same = true;
}

}  // namespace hornbeam
