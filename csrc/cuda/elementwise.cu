// Elementwise ops, cast and fused ones: all are formulas of one interpreter.
#include "core/dispatch.h"
#include "cuda/compiled/formulas.h"
#include "cuda/export.h"
#include "cuda/interpret.h"
#include "cuda/operands.h"

namespace hornbeam {

// One pass for each distinct shape among the outputs: f(formula, operands). With `rows`, input 1 of the call says where
// the rows of input 0 are.
template <class T, class F> static void for_passes(const KernelCall& c, const Formula& g, bool rows, const F& f) {
  bool done[kMaxFusedOutputs];
  for (int j = 0; j < g.n_out; ++j) done[j] = !c.out[j].present || c.out[j].shape.count() == 0;
  for (int j = 0; j < g.n_out; ++j) {
    if (done[j]) continue;
    const Shape& shape = c.out[j].shape;
    Tensors tensors{};
    bool scalar[kMaxFusedInputs], wanted[kMaxFusedOutputs];
    tensors.n = shape.count();
    for (int k = 0; k < g.n_out; ++k) {
      wanted[k] = !done[k] && c.out[k].shape == shape;
      done[k] |= wanted[k];
      tensors.out[k] = {c.out[k].data, c.out[k].dtype, 0};
    }
    for (int v = 0; v < g.n_in; ++v) {
      if (v == 0 && rows) tensors.in[v].set_rows(c.in[0], c.in[1].as<const int32_t>(), shape.count(1, shape.rank));
      else tensors.in[v].set(c.in[rows ? v + 1 : v], shape);
      scalar[v] = tensors.in[v].access == Access::scalar;
    }
    f(prepare<T>(g, scalar, wanted), tensors);
  }
}

// The code that is there for it by now, or null.
template <class T, class Operands>
static const CompiledFormula* find_compiled(Lane& lane, const BlockFormula<T>& p, const Operands& operands) {
  if (!lane.formulas || !lane.formulas->is_on()) return nullptr;
  return lane.formulas->find(describe(p, operands), lane.awaited);
}
template <class T, class Operands>
static void run_prepared(Lane& lane, const char* name, const CompiledFormula* compiled, const BlockFormula<T>& p,
                         const Operands& operands) {
  if (compiled) lane.check(name, launch(*compiled, &operands, operands.tiles(compiled->tile), lane.stream));
  else interpret_formula(lane, name, p, operands);
}

template <class T> static void run_formula(const KernelCall& c, const char* name, const Formula& g, bool rows = false) {
  for_passes<T>(c, g, rows, [&](const auto& p, const auto& tensors) {
    run_prepared(*c.lane, name, find_compiled(*c.lane, p, tensors), p, tensors);
  });
}
template <class T> static bool has_room(const KernelCall& c, const Formula& g, bool rows) {
  bool all = true;
  for_passes<T>(c, g, rows, [&](const auto& p, const auto&) { all = all && threads_for(p) > 0; });
  return all;
}

// ---- one instruction ------------------------------------------------------------------------------------
static void run_one(const KernelCall& c, Opcode op, const double* alpha) {
  const Instruction& info = kInstructions[static_cast<int>(op)];
  const int32_t n_constants = alpha ? 1 : 0, output = c.n_in + n_constants;
  const int32_t code[] = {static_cast<int32_t>(op), 0, 1, 2};
  with_compute_type(op_dtype(op, c.in[0].dtype, c.in[c.n_in > 1].dtype, c.out[0].dtype), [&](auto t) {
    run_formula<decltype(t)>(c, info.name, {code, 1 + info.arity, alpha, n_constants, &output, c.n_in, 1});
  });
}
template <Opcode op> static void run_op(const KernelCall& c) {
  if constexpr (op == Opcode::elu) run_one(c, op, &static_cast<const EluAttrs*>(c.attrs)->alpha);
  else run_one(c, op, nullptr);
}

static void cast(const KernelCall& c) {
  const int32_t output = 0;
  with_compute_type(cast_dtype(c.in[0].dtype, c.out[0].dtype),
                    [&](auto t) { run_formula<decltype(t)>(c, "cast", {nullptr, 0, nullptr, 0, &output, 1, 1}); });
}

// ---- many instructions -----------------------------------------------------------------------------------
template <bool kRows> static bool supports_fused(const KernelCall& c) {
  const FusedAttrs& a = *static_cast<const FusedAttrs*>(c.attrs);
  bool supported = false;
  with_compute_type(a.dtype,
                    [&](auto t) { supported = has_room<decltype(t)>(c, formula_of(a, c.n_in - kRows), kRows); });
  return supported;
}
template <bool kRows> static void run_fused(const KernelCall& c) {
  const FusedAttrs& a = *static_cast<const FusedAttrs*>(c.attrs);
  with_compute_type(a.dtype, [&](auto t) {
    run_formula<decltype(t)>(c, kRows ? "fused_rows" : "fused", formula_of(a, c.n_in - kRows), kRows);
  });
}

// ---- many groups ----------------------------------------------------------------------------------------
template <class T> static BlockFormula<T> prepare_groups(const KernelCall& c, const FusedMultiAttrs& a) {
  const int32_t n_shared = static_cast<int32_t>(a.n_shared), n_groups = static_cast<int32_t>(a.n_groups);
  const Formula g = formula_of(a.program, n_shared + (c.n_in - n_shared) / n_groups);
  bool scalar[kMaxFusedInputs], wanted[kMaxFusedOutputs] = {};
  for (int v = 0; v < g.n_in; ++v) scalar[v] = v < n_shared;  // which others are differs from group to group
  for (int i = 0; i < n_groups * g.n_out; ++i) wanted[i % g.n_out] |= c.out[i].present;
  return prepare<T>(g, scalar, wanted);
}

static bool supports_multi(const KernelCall& c) {
  const FusedMultiAttrs& a = *static_cast<const FusedMultiAttrs*>(c.attrs);
  bool supported = false;
  with_compute_type(a.program.dtype, [&](auto t) { supported = threads_for(prepare_groups<decltype(t)>(c, a)) > 0; });
  return supported;
}

// Adds group g where there is room. `tile` is how many elements a tile has.
static bool add_group(Groups& groups, const KernelCall& c, int64_t g, int tile) {
  const TensorRef *in = c.in + groups.n_shared + g * groups.n_each, *out = c.out + g * groups.n_out;
  const int64_t n = out[0].shape.count();
  if (groups.n_groups == groups.capacity()) return false;
  int64_t* word = groups.word + groups.n_groups * groups.words();
  word[0] = groups.n_groups ? groups.tiles(tile) : 0;
  word[1] = n;
  word[2] = 0;
  for (int k = 0; k < groups.n_each; ++k) {
    if (in[k].shape.count() != n) word[2] |= int64_t{1} << k;
    word[3 + k] = reinterpret_cast<int64_t>(in[k].data);
  }
  for (int j = 0; j < groups.n_out; ++j)
    word[3 + groups.n_each + j] = out[j].present ? reinterpret_cast<int64_t>(out[j].data) : 0;
  ++groups.n_groups;
  return true;
}

template <class T> static void run_groups(const KernelCall& c, const FusedMultiAttrs& a) {
  const BlockFormula<T> p = prepare_groups<T>(c, a);
  Groups groups{};
  groups.n_shared = static_cast<int32_t>(a.n_shared);
  groups.n_each = p.n_in - groups.n_shared;
  groups.n_out = p.n_out;
  for (int v = 0; v < p.n_in; ++v) groups.in_dtype[v] = c.in[v].dtype;  // every group has those of the first
  for (int j = 0; j < p.n_out; ++j) groups.out_dtype[j] = c.out[j].dtype;
  for (int v = 0; v < groups.n_shared; ++v) groups.shared[v] = c.in[v].data;
  const CompiledFormula* compiled = find_compiled(*c.lane, p, groups);
  const int tile = compiled ? compiled->tile : threads_for(p) * kWide;
  for (int64_t g = 0; g < a.n_groups;) {
    groups.n_groups = 0;
    while (g < a.n_groups && add_group(groups, c, g, tile)) ++g;
    run_prepared(*c.lane, "fused_multi", compiled, p, groups);
  }
}

static void fused_multi(const KernelCall& c) {
  const FusedMultiAttrs& a = *static_cast<const FusedMultiAttrs*>(c.attrs);
  with_compute_type(a.program.dtype, [&](auto t) { run_groups<decltype(t)>(c, a); });
}

#define HB_X(name, arity, domain, result) {#name, "interpreted", nullptr, nullptr, run_op<Opcode::name>},
// clang-format off
HB_GPU_KERNELS(elementwise,
  HB_ELEMENTWISE(HB_X)
  {"cast", "interpreted", nullptr, nullptr, cast},
  {"fused", "interpreted", supports_fused<false>, nullptr, run_fused<false>},
  {"fused_rows", "interpreted", supports_fused<true>, nullptr, run_fused<true>},
  {"fused_multi", "interpreted", supports_multi, nullptr, fused_multi})
// clang-format on

}  // namespace hornbeam
