// shape, fill, arange: tensors made from shapes and integers.
#include "ops/create.h"

#include <algorithm>
#include <cmath>

#include "ops/ints.h"

namespace hornbeam {
namespace {

using Types = std::vector<TypeInfo>;

// Whether a double becomes an element of this integer dtype without a wrap.
bool holds(DType t, double value) {
  const bool is_signed = t != DType::uint8 && t != DType::uint16;
  const double high = std::ldexp(1.0, std::min(8 * static_cast<int>(item_size(t)) - is_signed, 53)) - 1;
  return value <= high && value >= (is_signed ? -high : 0);
}

void infer_shape(const NoAttrs&, const Types& in, Types& out) {
  Shape rank;
  rank.push(in[0].shape.rank);
  out.push_back(TypeInfo::of(DType::int32, rank));
  set_ints(out[0], [&](int64_t i) { return StaticInt::of_dim(in[0].shape.dim[i]); });
}

void infer_fill(const FillAttrs& a, const Types& in, Types& out) {
  out.push_back(TypeInfo::of(a.dtype, shape_from("fill", in[0])));
  if (holds(a.dtype, a.value)) set_ints(out[0], [&](int64_t) { return static_cast<int64_t>(a.value); });
}

// How many integers there are from start to stop, without it; the largest number where they are more.
int64_t range_length(int64_t start, int64_t stop, int64_t step) {
  const bool up = step > 0;
  if (up ? stop <= start : stop >= start) return 0;
  const auto distance = [](int64_t low, int64_t high) {
    return static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  };
  const uint64_t span = up ? distance(start, stop) : distance(stop, start),
                 size = up ? distance(0, step) : distance(step, 0);
  return static_cast<int64_t>(std::min<uint64_t>((span - 1) / size + 1, INT64_MAX));
}

void infer_arange(const ArangeAttrs& a, const Types& in, Types& out) {
  const char* op = "arange";
  for (const TypeInfo& t : in) {
    want_rank(op, t, 0, "each of start, stop and step");
    if (!is_integer(t.dtype))
      op_type_error(op, std::string("start, stop and step must be integers, got ") + dtype_name(t.dtype));
  }
  const StaticInt start = int_at(in[0], 0), stop = int_at(in[1], 0), step = int_at(in[2], 0);
  if (step.is(0)) op_error(op, "step cannot be 0");
  int64_t length = kUnknown;
  if (start.is(0) && step.is(1) && !stop.is_known()) length = stop.dim();
  if (start.is_known() && stop.is_known() && step.is_known())
    length = dim_from(op, range_length(start.value(), stop.value(), step.value()));
  Shape y;
  y.push(length);
  out.push_back(TypeInfo::of(a.dtype, y));
  if (length >= 0) set_ints(out[0], [&](int64_t i) { return start.value() + i * step.value(); });
}

}  // namespace

void register_create(OpRegistry& r) {
  r.add<NoAttrs>("shape", "x", 1, infer_shape).only_moves().of_shapes = true;
  r.add<FillAttrs>("fill", "shape", 1, infer_fill).sized_by("shape");
  r.add<ArangeAttrs>("arange", "start, stop, step", 1, infer_arange).sized_by("start, stop, step");
}

}  // namespace hornbeam
