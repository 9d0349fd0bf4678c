// Ops that move elements without computing. The views among them never run.
#include "ops/layout.h"

#include <algorithm>

#include "ops/ints.h"

namespace hornbeam {
namespace {

using Types = std::vector<TypeInfo>;

// A product of dims: the known ones multiplied, the unknown ones by their identity.
struct Product {
  int64_t known = 1;
  std::vector<int64_t> dims;  // unknown
  bool anonymous = false;     // one of them has no identity

  void multiply(int64_t dim) {
    if (dim >= 0) known = size_product("reshape", known, dim);
    else if (dim == kUnknown) anonymous = true;
    else dims.push_back(dim);
  }
};

// Drops the unknown dims that both products have.
void cancel(Product& a, Product& b) {
  for (auto dim = a.dims.begin(); dim != a.dims.end();) {
    const auto same = std::find(b.dims.begin(), b.dims.end(), *dim);
    if (same == b.dims.end()) {
      ++dim;
    } else {
      b.dims.erase(same);
      dim = a.dims.erase(dim);
    }
  }
}

// The shape that `wanted` (with -1 for "whatever is left") gives to x.
Shape reshaped(const Shape& x, const std::vector<StaticInt>& wanted) {
  auto refuse = [&](const std::string& why) {
    std::string list;
    for (StaticInt i : wanted) list += (list.empty() ? "" : ", ") + (i.is_known() ? std::to_string(i.value()) : "None");
    op_error("reshape", "cannot reshape " + shape_str(x) + " to (" + list + "): " + why);
  };
  if (wanted.size() > kMaxRank) refuse("a shape has at most 8 dimensions");
  Shape y;
  int open = -1;
  Product have, want;
  for (int i = 0; i < x.rank; ++i) have.multiply(x[i]);
  for (StaticInt i : wanted) {
    if (i.is(-1)) {
      if (open >= 0) refuse("only one dimension can be -1");
      open = y.rank;
      y.push(kUnknown);
    } else {
      if (i.is_known() && (i.value() < 0 || i.value() > kMaxBytes))
        refuse("a dimension cannot be " + std::to_string(i.value()));
      y.push(i.dim());
      want.multiply(i.dim());
    }
  }
  cancel(have, want);
  if (have.anonymous || want.anonymous || !want.dims.empty()) return y;
  if (open < 0) {
    if (have.dims.empty() && have.known != want.known)
      refuse("the element counts are " + std::to_string(have.known) + " and " + std::to_string(want.known));
  } else if (have.dims.empty()) {
    if (want.known == 0) refuse("-1 could be anything beside a dimension of 0");
    if (have.known % want.known)
      refuse(std::to_string(have.known) + " elements are not a multiple of " + std::to_string(want.known));
    y[open] = have.known / want.known;
  } else if (have.dims.size() == 1 && have.known == want.known) {
    y[open] = have.dims[0];
  }
  return y;
}

void infer_reshape(const NoAttrs&, const Types& in, Types& out) {
  out.push_back(TypeInfo::of(in[0].dtype, reshaped(in[0].shape, shape_argument("reshape", in[1]))));
  keep_ints(out[0], in[0]);
}

void infer_expand_dims(const AxisAttrs& a, const Types& in, Types& out) {
  const Shape& x = in[0].shape;
  if (x.rank == kMaxRank) op_error("expand_dims", "a tensor has at most 8 dimensions, got " + shape_str(x));
  const int axis = normal_axis("expand_dims", a.axis, x.rank + 1);
  Shape y;
  for (int i = 0; i <= x.rank; ++i) y.push(i == axis ? 1 : x[i - (i > axis)]);
  out.push_back(TypeInfo::of(in[0].dtype, y));
  keep_ints(out[0], in[0]);
}

void infer_squeeze(const AxesAttrs& a, const Types& in, Types& out) {
  const Shape& x = in[0].shape;
  bool drop[kMaxRank] = {};
  for (int i = 0; i < a.axes.rank; ++i) {
    const int axis = normal_axis("squeeze", a.axes.dim[i], x.rank);
    if (x[axis] != 1 && x[axis] >= 0)
      op_error("squeeze", "axis " + std::to_string(axis) + " of " + shape_str(x) + " is not 1");
    drop[axis] = true;
  }
  Shape y;
  for (int i = 0; i < x.rank; ++i)
    if (!drop[i]) y.push(x[i]);
  out.push_back(TypeInfo::of(in[0].dtype, y));
  keep_ints(out[0], in[0]);
}

void infer_same(const NoAttrs&, const Types& in, Types& out) {
  out.push_back(TypeInfo::of(in[0].dtype, in[0].shape));
  keep_ints(out[0], in[0]);
}

void infer_transpose(const TransposeAttrs& a, const Types& in, Types& out) {
  const Shape& x = in[0].shape;
  Shape y;
  bool seen[kMaxRank] = {};
  bool good = a.perm.rank == x.rank;
  for (int i = 0; good && i < x.rank; ++i) {
    const int64_t p = a.perm.dim[i];
    good = p >= 0 && p < x.rank && !seen[p];
    if (good) seen[p] = true, y.push(x.dim[p]);
  }
  if (!good) op_error("transpose", shape_str(a.perm) + " does not permute the axes of " + shape_str(x));
  out.push_back(TypeInfo::of(in[0].dtype, y));
  if (x.rank <= 1) keep_ints(out[0], in[0]);
}

void infer_reverse(const AxesAttrs& a, const Types& in, Types& out) {
  const Shape& x = in[0].shape;
  for (int i = 0; i < a.axes.rank; ++i) normal_axis("reverse", a.axes.dim[i], x.rank);
  out.push_back(TypeInfo::of(in[0].dtype, x));
  if (x.rank == 1 && a.axes.rank) set_ints(out[0], [&](int64_t i) { return int_at(in[0], x[0] - 1 - i); });
  else if (a.axes.rank == 0) keep_ints(out[0], in[0]);
}

void infer_concat(const AxisAttrs& a, const Types& in, Types& out) {
  want_min_rank("concat", in[0], 1, "x");
  Shape y = in[0].shape;
  const int axis = normal_axis("concat", a.axis, y.rank);
  std::vector<StaticInt> ints;
  int64_t total = 0;
  for (const TypeInfo& t : in) {
    want_same_dtype("concat", in[0], t);
    bool fits = t.shape.rank == y.rank;
    for (int i = 0; fits && i < y.rank; ++i) {
      if (i == axis || t.shape[i] == y[i] || t.shape[i] < 0) continue;
      fits = y[i] < 0;
      y[i] = t.shape[i];
    }
    if (!fits)
      op_error("concat", "shapes " + shape_str(in[0].shape) + " and " + shape_str(t.shape) +
                             " differ elsewhere than on axis " + std::to_string(axis));
    const int64_t n = t.shape[axis];
    total = total < 0 || n < 0 ? kUnknown : total + n;
    for (int64_t i = 0; y.rank == 1 && i < n && i < kMaxInts; ++i) ints.push_back(int_at(t, i));
  }
  y[axis] = total;
  out.push_back(TypeInfo::of(in[0].dtype, y));
  if (y.rank == 1) set_ints(out[0], [&](int64_t i) { return ints[i]; });
}

void infer_tile(const NoAttrs&, const Types& in, Types& out) {
  const Shape& x = in[0].shape;
  const Shape times = shape_from("tile", in[1]);
  if (times.rank != x.rank)
    op_error("tile", std::to_string(times.rank) + " multiples for a tensor of shape " + shape_str(x));
  Shape y;
  for (int i = 0; i < x.rank; ++i) {
    if (x[i] == 1 || times[i] == 1) y.push(x[i] == 1 ? times[i] : x[i]);
    else y.push(x[i] < 0 || times[i] < 0 ? kUnknown : size_product("tile", x[i], times[i]));
  }
  out.push_back(TypeInfo::of(in[0].dtype, y));
  if (x.rank == 1) set_ints(out[0], [&](int64_t i) { return int_at(in[0], i % x[0]); });
}

void infer_broadcast_to(const NoAttrs&, const Types& in, Types& out) {
  const Shape& x = in[0].shape;
  Shape y = shape_from("broadcast_to", in[1]);
  bool fits = x.rank <= y.rank;
  for (int i = 0; fits && i < x.rank; ++i) {
    int64_t& to = y[y.rank - x.rank + i];
    fits = x[i] == 1 || x[i] < 0 || to < 0 || to == x[i];
    if (to < 0 && x[i] > 1) to = x[i];
  }
  if (!fits) op_error("broadcast_to", shape_str(x) + " does not broadcast to " + shape_str(y));
  out.push_back(TypeInfo::of(in[0].dtype, y));
  if (x.rank == 0) set_ints(out[0], [&](int64_t) { return int_at(in[0], 0); });
}

void infer_pad(const PadAttrs& a, const Types& in, Types& out) {
  Shape y = in[0].shape;
  if (a.before.rank != y.rank || a.after.rank != y.rank)
    op_error("pad", "before and after need one entry per axis of " + shape_str(y));
  for (int i = 0; i < y.rank; ++i) {
    if (a.before.dim[i] < 0 || a.after.dim[i] < 0) op_error("pad", "cannot pad by a negative amount");
    const int64_t more = a.before.dim[i] + a.after.dim[i];
    y[i] = y[i] >= 0 ? y[i] + more : more ? kUnknown : y[i];
  }
  out.push_back(TypeInfo::of(in[0].dtype, y));
}

}  // namespace

void register_layout(OpRegistry& r) {
  r.add<NoAttrs>("reshape", "x, shape", 1, infer_reshape).linear_in("x").sized_by("shape").view = true;
  r.add<AxisAttrs>("expand_dims", "x", 1, infer_expand_dims).linear_in("x").view = true;
  r.add<AxesAttrs>("squeeze", "x", 1, infer_squeeze).linear_in("x").view = true;
  r.add<NoAttrs>("identity", "x", 1, infer_same).linear_in("x").view = true;
  r.add<NoAttrs>("stop_gradient", "x", 1, infer_same).linear_in("x").view = true;
  r.add<TransposeAttrs>("transpose", "x", 1, infer_transpose).only_moves().linear_in("x");
  r.add<AxesAttrs>("reverse", "x", 1, infer_reverse).only_moves().linear_in("x");
  r.add<AxisAttrs>("concat", "x...", 1, infer_concat).only_moves().linear_together_in("x");
  r.add<NoAttrs>("tile", "x, multiples", 1, infer_tile).only_moves().linear_in("x").sized_by("multiples");
  r.add<NoAttrs>("broadcast_to", "x, shape", 1, infer_broadcast_to)
      .only_moves()
      .linear_in("x")
      .sized_by("shape")
      .view_if_same = true;
  r.add<PadAttrs>("pad", "x", 1, infer_pad).only_moves();
}

}  // namespace hornbeam
