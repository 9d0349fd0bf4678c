// slice(x, begin, end) and its gradient, with NumPy's meaning of begin, end and strides.
#include "ops/slice.h"
#include "ops/ints.h"

namespace hornbeam {
namespace {

using Types = std::vector<TypeInfo>;

// How many elements a slice takes of an axis; kUnknown where that depends on what is not known yet.
int64_t slice_length(int64_t n, StaticInt begin, StaticInt end, int64_t stride, bool begin_open, bool end_open) {
  if (begin_open && end_open && (stride == 1 || stride == -1)) return n;
  if (n < 0 || !(begin_open || begin.is_known()) || !(end_open || end.is_known())) return kUnknown;
  const int64_t first = slice_begin(n, begin.value(), stride, begin_open);
  // An end is clipped as a begin is; an open one lies past the last element.
  const int64_t last = end_open ? (stride > 0 ? n : -1) : slice_begin(n, end.value(), stride, false);
  const int64_t span = stride > 0 ? last - first : first - last, step = stride > 0 ? stride : -stride;
  return span <= 0 ? 0 : (span + step - 1) / step;
}

Shape sliced(const char* op, const SliceAttrs& a, const Shape& x, const TypeInfo& begin, const TypeInfo& end) {
  for (const TypeInfo* limit : {&begin, &end})
    if (limit->dtype != DType::int64 && limit->dtype != DType::int32)
      op_type_error(op, std::string("begin and end must be int32 or int64, got ") + dtype_name(limit->dtype));
  const std::vector<StaticInt> from = shape_argument(op, begin), to = shape_argument(op, end);
  const int axes = static_cast<int>(from.size());
  if (to.size() != from.size() || axes > x.rank || (a.strides.rank && a.strides.rank != axes))
    op_error(op, std::to_string(from.size()) + " begins, " + std::to_string(to.size()) + " ends and " +
                     std::to_string(a.strides.rank) + " strides for a tensor of shape " + shape_str(x));
  Shape y = x;
  for (int i = 0; i < axes; ++i) {
    if (a.stride(i) == 0) op_error(op, "a stride cannot be 0");
    y[i] = slice_length(x[i], from[i], to[i], a.stride(i), a.begin_open(i), a.end_open(i));
  }
  return y;
}

void infer_slice(const SliceAttrs& a, const Types& in, Types& out) {
  const Shape& x = in[0].shape;
  out.push_back(TypeInfo::of(in[0].dtype, sliced("slice", a, x, in[1], in[2])));
  if (x.rank == 0) keep_ints(out[0], in[0]);
  if (x.rank != 1 || x[0] < 0) return;
  const std::vector<StaticInt> begin = shape_argument("slice", in[1]);
  if (begin.empty()) return keep_ints(out[0], in[0]);
  if (!begin[0].is_known() && !a.begin_open(0)) return;
  const int64_t first = slice_begin(x[0], begin[0].value(), a.stride(0), a.begin_open(0));
  set_ints(out[0], [&](int64_t i) { return int_at(in[0], first + i * a.stride(0)); });
}

void infer_slice_grad(const SliceAttrs& a, const Types& in, Types& out) {
  const char* op = "slice_grad";
  const Shape x = shape_from(op, in[1]);
  const Shape y = sliced(op, a, x, in[2], in[3]), &dy = in[0].shape;
  bool fits = dy.rank == y.rank;
  for (int i = 0; fits && i < y.rank; ++i) fits = dy[i] == y[i] || dy[i] < 0 || y[i] < 0;
  if (!fits) op_error(op, "dy has shape " + shape_str(dy) + ", the slice has " + shape_str(y));
  out.push_back(TypeInfo::of(in[0].dtype, x));
}

}  // namespace

void register_slice(OpRegistry& r) {
  r.add<SliceAttrs>("slice", "x, begin, end", 1, infer_slice).only_moves().linear_in("x").sized_by("begin, end");
  r.add<SliceAttrs>("slice_grad", "dy, x_shape, begin, end", 1, infer_slice_grad)
      .only_moves()
      .linear_in("dy")
      .sized_by("x_shape, begin, end");
}

}  // namespace hornbeam
