// Shape rules for Python: the graph asks the same rules that bind uses.
#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "core/error.h"
#include "ops/elementwise.h"

namespace hornbeam {

static TypeInfo type_from_python(py::handle h) {
  TypeInfo t;
  if (h.is_none()) {
    t.present = false;
    return t;
  }
  auto tuple = py::reinterpret_borrow<py::tuple>(h);
  t.dtype = dtype_from_name(tuple[0].cast<std::string>());
  t.shape = shape_from_python(tuple[1]);
  if (!tuple[2].is_none()) {
    t.has_ints = true;
    for (py::handle v : py::reinterpret_borrow<py::sequence>(tuple[2]))
      t.ints.push_back(v.is_none() ? kUnknownValue : v.cast<int64_t>());
  }
  return t;
}

static py::tuple type_to_python(const TypeInfo& t) {
  py::object ints = py::none();
  if (t.has_ints && !is_float(t.dtype)) {
    py::tuple values(t.ints.size());
    for (size_t i = 0; i < t.ints.size(); ++i)
      values[i] = t.ints[i] == kUnknownValue ? py::object(py::none()) : py::object(py::int_(t.ints[i]));
    ints = values;
  }
  py::tuple dims(t.shape.rank);
  for (int i = 0; i < t.shape.rank; ++i) dims[i] = py::int_(t.shape[i]);
  return py::make_tuple(dtype_name(t.dtype), dims, ints);
}

static py::list infer(const std::string& name, const py::dict& attrs, const py::list& inputs) {
  const OpDef& op = OpRegistry::get().at(name);
  int n = static_cast<int>(inputs.size());
  if (n < op.min_inputs || (op.max_inputs >= 0 && n > op.max_inputs))
    throw TypeError("[" + name + "] got " + std::to_string(n) + " inputs");
  std::vector<TypeInfo> in, out;
  for (py::handle h : inputs) {
    if (op.elementwise && h.is_none())
      throw TypeError("[" + name + "] got None where it needs a tensor, an array or a number");
    in.push_back(type_from_python(h));
  }
  std::unique_ptr<Attrs> parsed;
  try {
    parsed = op.parse(attrs_from_python(attrs));
  } catch (const TypeError& e) {
    throw TypeError("[" + name + "] " + e.what());
  } catch (const ValueError& e) {
    throw ValueError("[" + name + "] " + e.what());
  }
  op.infer(parsed->data(), in, out);
  py::list result;
  for (auto& t : out) result.append(type_to_python(t));
  return result;
}

static py::list elementwise_instructions() {
  py::list list;
  for (int i = 0; i < kOpcodes; ++i) list.append(py::make_tuple(kInstructions[i].name, kInstructions[i].arity));
  return list;
}

static py::list dtype_names() {
  py::list list;
  for (int i = 0; i < kDTypeCount; ++i) list.append(dtype_name(static_cast<DType>(i)));
  return list;
}

static py::dict op_info(const std::string& name) {
  const OpDef& op = OpRegistry::get().at(name);
  py::dict d;
  d["family"] = op.family;
  d["view"] = op.view;
  d["elementwise"] = op.elementwise;
  d["random"] = op.random;
  d["moves"] = op.moves;
  return d;
}

void bind_infer(py::module_& m) {
  m.def("infer", &infer,
        "Infer (dtype, dims, known integer values) of each output of an op. Negative dims are unknown; equal ones are "
        "the same dim, -1 is any.");
  m.def("elementwise_instructions", &elementwise_instructions,
        "(name, arity) of each instruction of the elementwise interpreter, by opcode.");
  m.def("dtype_names", &dtype_names, "The dtypes, by the number that attributes hold.");
  m.def("op_names", [] { return OpRegistry::get().names(); });
  m.def("op_info", &op_info);
}

}  // namespace hornbeam
