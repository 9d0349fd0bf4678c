// Variables, counters of runs, and states for Python.
#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/gil.h"
#include "bindings/inside.h"
#include "core/error.h"
#include "core/extent.h"
#include "program/state.h"

namespace hornbeam {

static VariablePtr make_variable(const std::string& dtype, py::handle shape) {
  const DType type = dtype_from_name(dtype);
  const Shape dims = shape_from_python(shape);
  if (!dims.known()) throw ValueError("a variable cannot have shape " + shape_str(dims));
  if (!is_addressable(type, dims))
    throw ValueError("a variable of shape " + shape_str(dims) + " takes more memory than any machine has");
  return std::make_shared<Variable>(type, dims);
}

static py::tuple read(const std::vector<VariablePtr>& variables, const RunCounter* counter) {
  py::list arrays(variables.size());
  std::vector<char*> to;
  for (size_t i = 0; i < variables.size(); ++i) {
    const Shape& s = variables[i]->shape;
    py::array a(numpy_dtype(variables[i]->dtype), std::vector<py::ssize_t>(s.dim, s.dim + s.rank));
    to.push_back(static_cast<char*>(a.mutable_data()));
    arrays[i] = std::move(a);
  }
  uint64_t runs = 0;
  InsideCore inside;
  enter(inside);
  {
    ReleasedGil no_gil;
    runs = read_state(variables, to, counter);
    inside.leave();
  }
  return py::make_tuple(arrays, runs);
}

// The array's bytes in a variable's dtype and layout: its own, or a copy that `casts` keeps.
static const char* bytes_for(const Variable& v, const py::array& a, std::vector<Buffer>& casts) {
  const Feed f = feed_of(a);
  if (f.shape != v.shape)
    throw ValueError("cannot set a variable of shape " + shape_str(v.shape) + " to an array of shape " +
                     shape_str(f.shape));
  if (f.direct(v.dtype)) return f.data;
  casts.emplace_back(v.bytes() + 1);
  stage(f, v.dtype, casts.back().data());
  return casts.back().data();
}

static void write(const std::vector<VariablePtr>& variables, const std::vector<py::array>& arrays) {
  if (variables.size() != arrays.size()) throw ValueError("as many arrays as variables are needed");
  std::vector<Buffer> casts;
  std::vector<const char*> from;
  for (size_t i = 0; i < variables.size(); ++i) from.push_back(bytes_for(*variables[i], arrays[i], casts));
  InsideCore inside;
  enter(inside);
  ReleasedGil no_gil;
  write_state(variables, from);
  inside.leave();
}

static void write_first(Variable& v, const py::array& array) {
  std::vector<Buffer> casts;
  const char* from = bytes_for(v, array, casts);
  InsideCore inside;
  enter(inside);
  ReleasedGil no_gil;
  initialize(v, from);
  inside.leave();
}

void bind_variable(py::module_& m) {
  py::class_<Variable, VariablePtr>(m, "Variable")
      .def(py::init(&make_variable))
      .def("is_set", &Variable::is_set)
      .def_property_readonly("version", &Variable::version)
      .def("initialize", &write_first, "Set the first value, unless there is one already.");
  py::class_<RunCounter>(m, "RunCounter")
      .def(py::init<uint64_t>(), py::arg("value") = 0)
      .def_property("value", &RunCounter::value, &RunCounter::set);
  m.def("read_state", &read, py::arg("variables"), py::arg("counter") = nullptr,
        "Copies of the variables' values at one moment, and what the counter was then.");
  m.def("write_state", &write, py::arg("variables"), py::arg("arrays"),
        "Set all variables at once: whoever reads them sees all the old values or all the new ones.");
}

}  // namespace hornbeam
