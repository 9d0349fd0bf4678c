// All that a compiled formula's text depends on: the prepared formula, the dtypes of its tensors, and how each is
// read. Plain data without padding: it is compared by its bytes, and a test writes it to a file.
#pragma once
#include <cstring>

#include "cuda/operands.h"

namespace hornbeam {

struct FormulaDescription {
  DType type;          // computed in
  int32_t is_grouped;  // whether the operands are Groups, of which the first `n_shared` inputs are all groups'
  int32_t n_shared, n_in, n_out, n_constants, n_uniform_steps, n_steps, n_slots, n_uniform;
  DType in_dtype[kMaxFusedInputs], out_dtype[kMaxFusedOutputs];
  Access access[kMaxFusedInputs];
  int32_t rank[kMaxFusedInputs];  // of strided ones
  int16_t in_at[kMaxFusedInputs], out_at[kMaxFusedOutputs], constant_at[kMaxFusedConstants];
  BlockStep step[kMaxFusedInstructions];
  uint64_t constant[kMaxFusedConstants];  // bits

  bool operator==(const FormulaDescription& o) const { return std::memcmp(this, &o, sizeof o) == 0; }
};
static_assert(__has_unique_object_representations(FormulaDescription), "padding has no value of its own");

namespace detail {

template <class T> constexpr DType kDTypeOf = DType::int32;
template <> inline constexpr DType kDTypeOf<int64_t> = DType::int64;
template <> inline constexpr DType kDTypeOf<float> = DType::float32;
template <> inline constexpr DType kDTypeOf<double> = DType::float64;

template <class T> FormulaDescription describe(const BlockFormula<T>& p) {
  FormulaDescription d{};
  d.type = kDTypeOf<T>;
  d.n_in = p.n_in, d.n_out = p.n_out, d.n_constants = p.n_constants;
  d.n_uniform_steps = p.n_uniform_steps, d.n_steps = p.n_steps, d.n_slots = p.n_slots, d.n_uniform = p.n_uniform;
  std::memcpy(d.in_at, p.in_at, sizeof d.in_at);
  std::memcpy(d.out_at, p.out_at, sizeof d.out_at);
  std::memcpy(d.constant_at, p.constant_at, sizeof d.constant_at);
  std::memcpy(d.step, p.step, sizeof d.step);
  for (int k = 0; k < p.n_constants; ++k) std::memcpy(&d.constant[k], &p.constant[k], sizeof(T));
  return d;
}

}  // namespace detail

template <class T> FormulaDescription describe(const BlockFormula<T>& p, const Tensors& tensors) {
  FormulaDescription d = detail::describe(p);
  for (int v = 0; v < p.n_in; ++v) {
    d.in_dtype[v] = tensors.in[v].dtype;
    d.access[v] = tensors.in[v].access;
    if (d.access[v] == Access::strided) d.rank[v] = tensors.in[v].rank;
  }
  for (int j = 0; j < p.n_out; ++j) d.out_dtype[j] = tensors.out[j].dtype;
  return d;
}

// Of the groups no more than their dtypes and how many inputs they share.
template <class T> FormulaDescription describe(const BlockFormula<T>& p, const Groups& groups) {
  FormulaDescription d = detail::describe(p);
  d.is_grouped = 1;
  d.n_shared = groups.n_shared;
  std::memcpy(d.in_dtype, groups.in_dtype, sizeof d.in_dtype);
  std::memcpy(d.out_dtype, groups.out_dtype, sizeof d.out_dtype);
  return d;
}

}  // namespace hornbeam
