// gather, scatter_add, sum_rows, one_hot.
#include "ops/index.h"
#include "ops/ints.h"

namespace hornbeam {
namespace {

using Types = std::vector<TypeInfo>;

void want_indices(const char* op, const TypeInfo& t) {
  if (t.dtype != DType::int32 && t.dtype != DType::int64)
    op_type_error(op, std::string("indices must be int32 or int64, got ") + dtype_name(t.dtype));
}

void push(const char* op, Shape& s, int64_t dim) {
  if (s.rank == kMaxRank) op_error(op, "the result would have more than 8 dimensions");
  s.push(dim);
}

void infer_gather(const GatherAttrs& a, const Types& in, Types& out) {
  const char* op = "gather";
  const Shape &x = in[0].shape, &indices = in[1].shape;
  want_min_rank(op, in[0], 1, "params");
  want_indices(op, in[1]);
  const int axis = normal_axis(op, a.axis, x.rank);
  Shape y;
  for (int i = 0; i < axis; ++i) push(op, y, x[i]);
  for (int i = 0; i < indices.rank; ++i) push(op, y, indices[i]);
  for (int i = axis + 1; i < x.rank; ++i) push(op, y, x[i]);
  out.push_back(TypeInfo::of(in[0].dtype, y));
  if (x.rank == 1 && in[0].has_ints)
    set_ints(out[0], [&](int64_t i) {
      const StaticInt at = int_at(in[1], i);
      return at.is_known() && at.value() >= 0 && at.value() < x[0] ? in[0].ints[at.value()] : StaticInt();
    });
}

// The dense shape that rows are added into.
Shape scattered(const char* op, const Types& in) {
  const Shape &indices = in[0].shape, &updates = in[1].shape;
  const DType t = in[1].dtype;
  want_indices(op, in[0]);
  if (t == DType::boolean) op_type_error(op, "cannot add bool");
  const Shape y = shape_from(op, in[2]);
  if (y.rank < 1) op_error(op, "the result needs at least one axis");
  bool fits = updates.rank == indices.rank + y.rank - 1;
  for (int i = 0; fits && i < updates.rank; ++i) {
    const int64_t want = i < indices.rank ? indices[i] : y[i - indices.rank + 1];
    fits = want == updates[i] || want < 0 || updates[i] < 0;
  }
  if (!fits)
    op_error(op, "updates of shape " + shape_str(updates) + " do not go with indices of shape " + shape_str(indices) +
                     " and a result of shape " + shape_str(y));
  return y;
}

void infer_scatter_add(const NoAttrs&, const Types& in, Types& out) {
  out.push_back(TypeInfo::of(in[1].dtype, scattered("scatter_add", in)));
}

void infer_sum_rows(const NoAttrs&, const Types& in, Types& out) {
  Shape sums = scattered("sum_rows", in);
  out.push_back(TypeInfo::of(in[1].dtype, {}));
  out.push_back(TypeInfo::of(DType::int32, Shape{1, {sums[0]}}));
  sums[0] = in[0].shape.known() ? in[0].shape.count() : kUnknown;
  out[0].shape = sums;
}

void infer_one_hot(const OneHotAttrs& a, const Types& in, Types& out) {
  const char* op = "one_hot";
  if (!is_integer(in[0].dtype))
    op_type_error(op, std::string("indices must be integers, got ") + dtype_name(in[0].dtype));
  if (a.depth < 0) op_error(op, "depth cannot be negative, got " + std::to_string(a.depth));
  Shape y = in[0].shape;
  push(op, y, a.depth);
  out.push_back(TypeInfo::of(a.dtype, y));
}

}  // namespace

void register_index(OpRegistry& r) {
  r.add<GatherAttrs>("gather", "params, indices", 1, infer_gather).only_moves().linear_in("params");
  r.add<NoAttrs>("scatter_add", "indices, updates, shape", 1, infer_scatter_add).sized_by("shape").linear_in("updates");
  r.add<NoAttrs>("sum_rows", "indices, updates, shape", 2, infer_sum_rows)
      .sized_by("shape")
      .writes_over("updates")
      .made_by_rewrites();
  r.add<OneHotAttrs>("one_hot", "indices", 1, infer_one_hot).only_moves();
}

}  // namespace hornbeam
