// shape, fill, arange: tensors made from shapes and integers.
#include "ops/create.h"
#include "ops/ints.h"

namespace hornbeam {
namespace {

using Types = std::vector<TypeInfo>;

void infer_shape(const NoAttrs&, const Types& in, Types& out) {
  Shape rank;
  rank.push(in[0].shape.rank);
  out.push_back(TypeInfo::of(DType::int32, rank));
  set_ints(out[0], [&](int64_t i) { return value_of_dim(in[0].shape.dim[i]); });
}

void infer_fill(const FillAttrs& a, const Types& in, Types& out) {
  out.push_back(TypeInfo::of(a.dtype, shape_from("fill", in[0])));
  set_ints(out[0], [&](int64_t) { return static_cast<int64_t>(a.value); });
}

void infer_arange(const ArangeAttrs& a, const Types& in, Types& out) {
  const char* op = "arange";
  for (const TypeInfo& t : in) {
    want_rank(op, t, 0, "each of start, stop and step");
    if (!is_integer(t.dtype))
      op_type_error(op, std::string("start, stop and step must be integers, got ") + dtype_name(t.dtype));
  }
  const int64_t start = int_at(in[0], 0), stop = int_at(in[1], 0), step = int_at(in[2], 0);
  if (step == 0) op_error(op, "step cannot be 0");
  int64_t length = kUnknown;
  if (start == 0 && step == 1 && is_unknown(stop)) length = dim_of_value(stop);
  if (!is_unknown(start) && !is_unknown(stop) && !is_unknown(step)) {
    const int64_t span = step > 0 ? stop - start : start - stop, size = step > 0 ? step : -step;
    length = span <= 0 ? 0 : (span + size - 1) / size;
  }
  Shape y;
  y.push(length);
  out.push_back(TypeInfo::of(a.dtype, y));
  if (length >= 0) set_ints(out[0], [&](int64_t i) { return start + i * step; });
}

}  // namespace

void register_create(OpRegistry& r) {
  r.add<NoAttrs>("shape", 1, 1, 1, infer_shape).moves = true;
  r.add<FillAttrs>("fill", 1, 1, 1, infer_fill);
  r.add<ArangeAttrs>("arange", 3, 3, 1, infer_arange);
}

}  // namespace hornbeam
