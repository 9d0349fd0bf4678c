// Shape rules for Python: the graph asks the same rules that bind uses.
#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "core/error.h"
#include "core/extent.h"
#include "ops/elementwise.h"
#include "ops/ints.h"

namespace hornbeam {

// In Python, what is known of an integer is the integer, `(dim,)` for the size of an unknown dim, or None.
static StaticInt static_int_from_python(py::handle h) {
  if (h.is_none()) return {};
  if (PyTuple_Check(h.ptr())) return StaticInt::of_dim(py::reinterpret_borrow<py::tuple>(h)[0].cast<int64_t>());
  return integer_from_python(h, "a known integer");
}

static py::object static_int_to_python(StaticInt i) {
  if (i.is_nothing()) return py::none();
  if (!i.is_known()) return py::make_tuple(i.dim());
  return py::int_(i.value());
}

static TypeInfo type_from_python(py::handle h) {
  if (h.is_none()) return TypeInfo::absent();
  TypeInfo t;
  auto tuple = py::reinterpret_borrow<py::tuple>(h);
  t.dtype = dtype_from_name(tuple[0].cast<std::string>());
  t.shape = shape_from_python(tuple[1]);
  if (!tuple[2].is_none()) {
    t.has_ints = true;
    for (py::handle v : py::reinterpret_borrow<py::tuple>(tuple[2])) t.ints.push_back(static_int_from_python(v));
  }
  return t;
}

static py::tuple type_to_python(const TypeInfo& t) {
  py::object ints = py::none();
  if (t.has_ints && !is_float(t.dtype)) {
    py::tuple values(t.ints.size());
    for (size_t i = 0; i < t.ints.size(); ++i) values[i] = static_int_to_python(t.ints[i]);
    ints = values;
  }
  py::tuple dims(t.shape.rank);
  for (int i = 0; i < t.shape.rank; ++i) dims[i] = py::int_(t.shape[i]);
  return py::make_tuple(dtype_name(t.dtype), dims, ints);
}

static void want_addressable(const std::string& op, const TypeInfo& t, const char* what) {
  if (t.present && !is_addressable(t.dtype, t.shape))
    op_error(op.c_str(),
             std::string(what) + " of shape " + shape_str(t.shape) + " takes more memory than any machine has");
}

static py::list infer(const std::string& name, const py::dict& attrs, const py::list& inputs) {
  const OpDef& op = OpRegistry::get().at(name);
  std::vector<TypeInfo> in, out;
  for (py::handle h : inputs) in.push_back(type_from_python(h));
  op.check_inputs(static_cast<int>(in.size()), [&](int i) { return in[i].present; });
  for (const TypeInfo& t : in) want_addressable(name, t, "an input");
  while (op.is_optional(static_cast<int>(in.size()))) in.push_back(TypeInfo::absent());
  std::unique_ptr<Attrs> parsed;
  try {
    parsed = op.parse(attrs_from_python(attrs));
  } catch (const TypeError& e) {
    throw TypeError("[" + name + "] " + e.what());
  } catch (const ValueError& e) {
    throw ValueError("[" + name + "] " + e.what());
  }
  op.infer(parsed->data(), in, out);
  for (const TypeInfo& t : out) want_addressable(name, t, "a result");
  py::list result;
  for (auto& t : out) result.append(type_to_python(t));
  return result;
}

static py::list elementwise_instructions() {
  py::list list;
  for (int i = 0; i < kOpcodes; ++i) list.append(py::make_tuple(kInstructions[i].name, kInstructions[i].arity));
  return list;
}

static py::list activations() {
  py::list list;
#define HB_ROW(name, op, ...) list.append(py::make_tuple(#name, #op, has_slope(Activation::name)));
  HB_ACTIVATIONS(HB_ROW)
#undef HB_ROW
  return list;
}

static py::list dtype_names() {
  py::list list;
  for (int i = 0; i < kDTypeCount; ++i) list.append(dtype_name(static_cast<DType>(i)));
  return list;
}

static py::list input_names(const OpDef& op) {
  py::list names;
  for (size_t i = 0; i < op.inputs.size(); ++i)
    names.append(op.inputs[i] + (op.is_optional(static_cast<int>(i)) ? "?" : ""));
  return names;
}

static py::object position_or_none(int input) { return input < 0 ? py::object(py::none()) : py::int_(input); }

static void bind_op_info(py::module_& m) {
  py::class_<OpDef>(m, "OpInfo", "What an op states of itself; csrc/ops/op.h says what each fact means.")
      .def_readonly("family", &OpDef::family)
      .def_property_readonly("inputs", &input_names)
      .def_readonly("view", &OpDef::view)
      .def_readonly("view_if_same", &OpDef::view_if_same)
      .def_readonly("of_shapes", &OpDef::of_shapes)
      .def_readonly("internal", &OpDef::internal)
      .def_readonly("elementwise", &OpDef::elementwise)
      .def_readonly("random", &OpDef::random)
      .def_readonly("bodies", &OpDef::bodies)
      .def_readonly("moves", &OpDef::moves)
      .def_readonly("epilogue", &OpDef::epilogue)
      .def_property_readonly("bias", [](const OpDef& op) { return position_or_none(op.bias); })
      .def_property_readonly("columns", [](const OpDef& op) { return position_or_none(op.columns); })
      .def("is_size", [](const OpDef& op, int input) { return op.has(op.sizes, input); })
      .def("is_overwritten", [](const OpDef& op, int input) { return op.has(op.overwritten, input); })
      .def("is_linear", [](const OpDef& op, int input) { return op.has(op.linear, input); })
      .def("is_jointly_linear", [](const OpDef& op, int input) { return op.has(op.jointly_linear, input); })
      .def("neutral", [](const OpDef& op, int input) {
        return op.has(op.neutral, input) ? py::object(py::float_(op.neutral_value)) : py::none();
      });
  m.def(
      "op_info", [](const std::string& name) { return &OpRegistry::get().at(name); },
      py::return_value_policy::reference);
}

void bind_infer(py::module_& m) {
  m.def("infer", &infer,
        "Infer (dtype, dims, known integer values) of each output of an op. Negative dims are unknown; equal ones are "
        "the same dim, -1 is any.");
  m.def("elementwise_instructions", &elementwise_instructions,
        "(name, arity) of each instruction of the elementwise interpreter, by opcode.");
  m.def("activations", &activations,
        "(name, elementwise op that computes it, whether its result tells its slope) of each activation that ops apply "
        "to their results, beside linear.");
  m.def("dtype_names", &dtype_names, "The dtypes, by the number that attributes hold.");
  m.attr("MAX_DIMS") = kMaxRank;
  m.attr("MAX_KNOWN_INTS") = kMaxInts;
  m.attr("MAX_FUSED_INPUTS") = kMaxFusedInputs;
  m.attr("MAX_FUSED_OUTPUTS") = kMaxFusedOutputs;
  m.attr("MAX_FUSED_CONSTANTS") = kMaxFusedConstants;
  m.attr("MAX_FUSED_INSTRUCTIONS") = kMaxFusedInstructions;
  m.def("op_names", [] { return OpRegistry::get().names(); });
  bind_op_info(m);
}

}  // namespace hornbeam
