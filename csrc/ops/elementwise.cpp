// Shape rules of the elementwise ops. Integer values known at bind (shapes and what is computed from
// them) are computed here too.
#include "ops/elementwise.h"

#include "ops/ints.h"

namespace hornbeam {
namespace {

// Integer values of a result of integers: f on each pair, unknown where an operand is. Operands are
// scalars or have all the result's elements.
template <class F> void fold_ints(const TypeInfo& a, const TypeInfo& b, TypeInfo& out, F f) {
  if (!out.shape.known()) return;
  const size_t n = static_cast<size_t>(out.shape.count()), na = a.ints.size(), nb = b.ints.size();
  if (!a.has_ints || !b.has_ints || (na != 1 && na != n) || (nb != 1 && nb != n)) return;
  set_ints(out, [&](int64_t i) {
    const StaticInt x = a.ints[na == 1 ? 0 : i], y = b.ints[nb == 1 ? 0 : i];
    return x.is_known() && y.is_known() ? StaticInt(f(x.value(), y.value())) : StaticInt();
  });
}

int64_t wrapped(DType t, int64_t v) {
  switch (t) {
    case DType::uint8: return static_cast<uint8_t>(v);
    case DType::int8: return static_cast<int8_t>(v);
    case DType::uint16: return static_cast<uint16_t>(v);
    case DType::int16: return static_cast<int16_t>(v);
    case DType::int32: return static_cast<int32_t>(v);
    default: return v;
  }
}

int64_t floor_div(int64_t a, int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<int64_t>(0 - static_cast<uint64_t>(a));
  const int64_t q = a / b;
  return q - (a % b != 0 && (a < 0) != (b < 0));
}

// The value of `op` where it is one that shape arithmetic uses; false otherwise.
bool fold(Opcode op, DType t, int64_t a, int64_t b, int64_t& r) {
  const auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);  // wraps instead of overflowing
  switch (op) {
    case Opcode::add: r = static_cast<int64_t>(ua + ub); break;
    case Opcode::sub: r = static_cast<int64_t>(ua - ub); break;
    case Opcode::mul: r = static_cast<int64_t>(ua * ub); break;
    case Opcode::floor_div: r = floor_div(a, b); break;
    case Opcode::mod: r = b == 0 ? 0 : static_cast<int64_t>(ua - static_cast<uint64_t>(floor_div(a, b)) * ub); break;
    case Opcode::maximum: r = a > b ? a : b; break;
    case Opcode::minimum: r = a < b ? a : b; break;
    case Opcode::neg: r = static_cast<int64_t>(0 - ua); break;
    default: return false;
  }
  r = wrapped(t, r);
  return true;
}

Shape broadcast_all(const char* op, const std::vector<TypeInfo>& in) {
  Shape s = in[0].shape;
  for (size_t i = 1; i < in.size(); ++i) s = broadcast_shapes(op, s, in[i].shape);
  return s;
}

void infer_plain(Opcode op, const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  const Instruction& info = kInstructions[static_cast<int>(op)];
  const size_t first = op == Opcode::select ? 1 : 0;
  if (first && in[0].dtype != DType::boolean)
    op_type_error("select", std::string("wants a bool condition, got ") + dtype_name(in[0].dtype));
  for (size_t i = first + 1; i < in.size(); ++i) want_same_dtype(info.name, in[first], in[i]);
  DType t = info.boolean ? DType::boolean : in[first].dtype;
  if (op == Opcode::div && !is_float(t)) t = DType::float64;  // true division, as Python has it
  else if (info.floating) want_float(info.name, in[first]);
  out.push_back(TypeInfo::of(t, broadcast_all(info.name, in)));
  int64_t unused;
  if (info.arity <= 2 && fold(op, t, 0, 0, unused))
    fold_ints(in[0], in.back(), out[0], [&](int64_t a, int64_t b) {
      int64_t r = 0;
      fold(op, t, a, b, r);
      return r;
    });
}

// One dtype and shape per value of the program, given those of its inputs; appends the outputs.
void infer_program(const char* op, const FusedAttrs& p, const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  if (compute_dtype(p.dtype) != p.dtype) op_type_error(op, std::string("cannot compute in ") + dtype_name(p.dtype));
  if (p.outputs.size != p.out_dtypes.size || p.outputs.size == 0) op_error(op, "wants one out_dtype for each output");
  if (in.size() > kMaxFusedInputs) op_error(op, "has too many inputs (" + std::to_string(in.size()) + ")");
  std::vector<Shape> shapes;
  for (const TypeInfo& t : in) shapes.push_back(t.shape);
  shapes.resize(shapes.size() + p.constants.size);
  const auto value = [&](int32_t i) -> const Shape& {
    if (i < 0 || i >= static_cast<int32_t>(shapes.size()))
      op_error(op, "names value " + std::to_string(i) + " before it exists");
    return shapes[i];
  };
  int count = 0;
  for (int32_t pc = 0; pc < p.code.size; ++count) {
    const int32_t code = p.code.value[pc++];
    if (code < 0 || code >= kOpcodes) op_error(op, "has no instruction " + std::to_string(code));
    const Instruction& info = kInstructions[code];
    if (pc + info.arity > p.code.size) op_error(op, "ends inside an instruction");
    if (info.floating && !is_float(p.dtype)) op_type_error(op, std::string(info.name) + " wants floats");
    Shape s = value(p.code.value[pc++]);
    for (int k = 1; k < info.arity; ++k) s = broadcast_shapes(op, s, value(p.code.value[pc++]));
    shapes.push_back(s);
  }
  if (count > kMaxFusedInstructions) op_error(op, "has too many instructions (" + std::to_string(count) + ")");
  for (int32_t j = 0; j < p.outputs.size; ++j) {
    const int32_t t = p.out_dtypes.value[j];
    if (t < 0 || t >= kDTypeCount) op_error(op, "has no dtype " + std::to_string(t));
    out.push_back(TypeInfo::of(static_cast<DType>(t), value(p.outputs.value[j])));
  }
}

bool is_scalar(const Shape& s) { return s.known() && s.count() == 1; }

void infer_multi(const FusedMultiAttrs& a, const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  const char* op = "fused_multi";
  const int64_t inputs = static_cast<int64_t>(in.size());
  if (a.n_groups < 1 || a.n_shared < 0 || a.n_shared > inputs || (inputs - a.n_shared) % a.n_groups)
    op_error(op, std::to_string(inputs) + " inputs do not make " + std::to_string(a.n_groups) + " groups");
  const int64_t each = (inputs - a.n_shared) / a.n_groups;
  for (int64_t i = 0; i < a.n_shared; ++i)
    if (!is_scalar(in[i].shape)) op_error(op, "wants shared scalars, got shape " + shape_str(in[i].shape));
  for (int64_t g = 0; g < a.n_groups; ++g) {
    std::vector<TypeInfo> mine(in.begin(), in.begin() + a.n_shared);
    const auto begin = in.begin() + a.n_shared + g * each;
    mine.insert(mine.end(), begin, begin + each);
    Shape shape;  // the group's: that of its inputs that are not scalars
    for (auto t = begin; t != begin + each; ++t)
      if (is_scalar(shape) && (!is_scalar(t->shape) || t->shape.rank > shape.rank)) shape = t->shape;
    for (int64_t i = 0; i < each; ++i) {
      const TypeInfo& t = begin[i];
      if (!is_scalar(t.shape) && t.shape != shape)
        op_error(op, "group " + std::to_string(g) + " mixes shapes " + shape_str(t.shape) + " and " + shape_str(shape));
      if (t.dtype != in[a.n_shared + i].dtype)
        op_type_error(op, "group " + std::to_string(g) + " has other dtypes than group 0");
    }
    infer_program(op, a.program, mine, out);
    for (size_t j = out.size() - a.program.outputs.size; j < out.size(); ++j)
      if (out[j].shape != shape)
        op_error(op, "group " + std::to_string(g) + " has an output of shape " + shape_str(out[j].shape) + " beside " +
                         shape_str(shape));
  }
}

void infer_rows(const FusedAttrs& a, const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  const char* op = "fused_rows";
  want_min_rank(op, in[0], 1, "the sums");
  want_rank(op, in[1], 1, "the places");
  if (in[1].dtype != DType::int32) op_type_error(op, std::string("wants int32 places, got ") + dtype_name(in[1].dtype));
  std::vector<TypeInfo> dense(in.begin() + 1, in.end());
  dense[0] = TypeInfo::of(in[0].dtype, in[0].shape);
  dense[0].shape[0] = in[1].shape[0];
  infer_program(op, a, dense, out);
  for (const TypeInfo& t : out)
    if (t.shape != dense[0].shape)
      op_error(op, "has an output of shape " + shape_str(t.shape) + " beside " + shape_str(dense[0].shape));
}

}  // namespace

static const char* operand_names(Opcode op, int arity) {
  if (op == Opcode::select) return "condition, a, b";
  return arity == 1 ? "x" : "a, b";
}

void register_elementwise(OpRegistry& r) {
  for (int code = 0; code < kOpcodes; ++code) {
    const Opcode op = static_cast<Opcode>(code);
    const int arity = kInstructions[code].arity;
    if (op == Opcode::elu) continue;
    OpDef& def = r.add<NoAttrs>(kInstructions[code].name, operand_names(op, arity), 1,
                                [op](const NoAttrs&, const auto& in, auto& out) { infer_plain(op, in, out); });
    def.elementwise = true;
    def.overwritten = (1u << arity) - 1;
  }
  OpDef& elu = r.add<EluAttrs>("elu", "x", 1,
                               [](const EluAttrs&, const auto& in, auto& out) { infer_plain(Opcode::elu, in, out); });
  elu.elementwise = true;
  elu.writes_over("x");

  OpDef& cast = r.add<CastAttrs>("cast", "x", 1, [](const CastAttrs& a, const auto& in, auto& out) {
    out.push_back(TypeInfo::of(a.dtype, in[0].shape));
    if (in[0].has_ints)
      set_ints(out[0], [&](int64_t i) {
        const StaticInt x = in[0].ints[i];
        return x.is_known() ? StaticInt(wrapped(a.dtype, x.value())) : x;
      });
  });
  cast.elementwise = true;
  cast.writes_over("x").linear_in("x");

  OpDef& fused = r.add<FusedAttrs>("fused", "inputs...?", -1, [](const FusedAttrs& a, const auto& in, auto& out) {
    infer_program("fused", a, in, out);
  });
  fused.elementwise = true;
  fused.min_inputs = 0;
  fused.max_inputs = kMaxFusedInputs;
  fused.writes_over("inputs").made_by_rewrites();

  OpDef& rows = r.add<FusedAttrs>("fused_rows", "sums, places, inputs...", -1, infer_rows);
  rows.elementwise = true;
  rows.max_inputs = kMaxFusedInputs + 1;
  rows.writes_over("inputs").made_by_rewrites();  // sums are read anywhere

  OpDef& multi = r.add<FusedMultiAttrs>("fused_multi", "inputs...", -1, infer_multi);
  multi.elementwise = true;
  multi.writes_over("inputs").made_by_rewrites().grouped = true;

  r.named("neg").linear_in("x");
  r.named("add").linear_together_in("a, b").neutral_at("a, b", 0);
  r.named("sub").linear_together_in("a, b").neutral_at("b", 0);
  r.named("mul").linear_in("a, b").neutral_at("a, b", 1);
  r.named("div").linear_in("a").neutral_at("b", 1);
  r.named("relu_grad").linear_in("a");
  r.named("select").linear_together_in("a, b");
}

}  // namespace hornbeam
