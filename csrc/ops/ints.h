// Integer values known before anything runs (TypeInfo::ints), carried through the ops that move them:
// so K.reshape(x, (K.shape(x)[0], -1)) has a shape while the graph is built.
#pragma once
#include "core/extent.h"
#include "ops/op.h"

namespace hornbeam {

constexpr int64_t kMaxInts = 64;

inline bool is_integer(DType t) { return t != DType::boolean && !is_float(t); }

inline StaticInt int_at(const TypeInfo& t, int64_t i) { return t.has_ints ? t.ints[i] : StaticInt(); }

// out.ints[i] = value(i) for integer tensors of few elements, kept if any of them is known.
template <class F>
void set_ints(TypeInfo& out, F value) {
  if (!is_integer(out.dtype) || !out.shape.known() || !is_addressable(out.dtype, out.shape)) return;
  if (out.shape.count() > kMaxInts) return;
  std::vector<StaticInt> ints(out.shape.count());
  bool any = ints.empty();
  for (size_t i = 0; i < ints.size(); ++i) {
    ints[i] = value(static_cast<int64_t>(i));
    any |= !ints[i].is_nothing();
  }
  if (!any) return;
  out.has_ints = true;
  out.ints = std::move(ints);
}

// For ops that keep the elements in their order.
inline void keep_ints(TypeInfo& out, const TypeInfo& in) {
  if (in.has_ints) set_ints(out, [&](int64_t i) { return in.ints[i]; });
}

// A dim from a shape argument's element.
inline int64_t dim_from(const char* op, StaticInt i) {
  if (!i.is_known()) return i.dim();
  if (i.value() < 0 || i.value() > kMaxBytes) op_error(op, "a dimension cannot be " + std::to_string(i.value()));
  return i.value();
}

inline Shape shape_from(const char* op, const TypeInfo& argument) {
  const std::vector<StaticInt> values = shape_argument(op, argument);
  if (values.size() > kMaxRank) op_error(op, "a shape has at most 8 dimensions, got " + std::to_string(values.size()));
  Shape s;
  for (StaticInt i : values) s.push(dim_from(op, i));
  return s;
}

}  // namespace hornbeam
