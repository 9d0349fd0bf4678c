// reduce_{sum,mean,max,min,prod,any,all}(x) over any set of axes, argmax(x) and argmin(x) over one.
#include "ops/reduce.h"

#include "ops/op.h"

namespace hornbeam {
namespace {

Shape reduced_shape(const char* op, const ReduceAttrs& a, const Shape& x) {
  bool reduced[kMaxRank] = {};
  for (int i = 0; i < a.axes.rank; ++i) {
    bool& mark = reduced[normal_axis(op, a.axes[i], x.rank)];
    if (mark) op_error(op, "axis " + std::to_string(a.axes[i]) + " is given twice");
    mark = true;
  }
  Shape out;
  for (int i = 0; i < x.rank; ++i) {
    if (!reduced[i]) out.push(x[i]);
    else if (a.keepdims) out.push(1);
  }
  return out;
}

enum class Takes { numbers, floats, booleans };

OpDef& add_reduction(OpRegistry& r, const char* name, Takes takes) {
  return r.add<ReduceAttrs>(name, "x", 1, [name, takes](const ReduceAttrs& a, const auto& in, auto& out) {
    const bool boolean = in[0].dtype == DType::boolean;
    if (takes == Takes::floats) want_float(name, in[0]);
    if (boolean != (takes == Takes::booleans))
      op_type_error(name, std::string(boolean ? "x is bool, cast it to a number first" : "x must be bool, got ") +
                              (boolean ? "" : dtype_name(in[0].dtype)));
    out.push_back(TypeInfo::of(in[0].dtype, reduced_shape(name, a, in[0].shape)));
  });
}

}  // namespace

void register_reduce(OpRegistry& r) {
  for (const char* name : {"reduce_max", "reduce_min", "reduce_prod"}) add_reduction(r, name, Takes::numbers);
  for (const char* name : {"reduce_any", "reduce_all"}) add_reduction(r, name, Takes::booleans);
  add_reduction(r, "reduce_sum", Takes::numbers).linear_in("x");
  add_reduction(r, "reduce_mean", Takes::floats).linear_in("x");
  for (const char* name : {"argmax", "argmin"})
    r.add<ArgReduceAttrs>(name, "x", 1, [name](const ArgReduceAttrs& a, const auto& in, auto& out) {
      want_min_rank(name, in[0], 1, "x");
      const int axis = normal_axis(name, a.axis, in[0].shape.rank);
      if (in[0].shape[axis] == 0)
        op_error(name, "axis " + std::to_string(axis) + " of " + shape_str(in[0].shape) + " is empty");
      Shape shape;
      for (int i = 0; i < in[0].shape.rank; ++i)
        if (i != axis) shape.push(in[0].shape[i]);
      out.push_back(TypeInfo::of(DType::int64, shape));
    });
}

}  // namespace hornbeam
