// The Python module hornbeam._core.
#include <pybind11/stl.h>

#include <cstring>
#include <map>

#include "bindings/convert.h"
#include "bindings/gil.h"
#include "core/error.h"
#include "core/extent.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "program/plan.h"
#include "program/program.h"
#include "program/variable.h"

namespace hornbeam {

void bind_program(py::module_&);  // program.cpp
void bind_infer(py::module_&);    // infer.cpp

static void bind_variable(py::module_& m) {
  py::class_<Variable, VariablePtr>(m, "Variable")
      .def(py::init([](const std::string& dtype, py::handle shape) {
        const DType type = dtype_from_name(dtype);
        const Shape dims = shape_from_python(shape);
        if (!is_addressable(type, dims))
          throw ValueError("a variable of shape " + shape_str(dims) + " takes more memory than any machine has");
        return std::make_shared<Variable>(type, dims);
      }))
      .def("is_set", &Variable::is_set)
      .def_property_readonly("version", &Variable::version)
      .def("get",
           [](Variable& v) {
             py::array out(numpy_dtype(v.dtype), std::vector<py::ssize_t>(v.shape.dim, v.shape.dim + v.shape.rank));
             void* to = out.mutable_data();
             ReleasedGil no_gil;
             RwLock::Guard guard(v.lock, false);
             std::memcpy(to, v.data(), static_cast<size_t>(v.bytes()));
             return out;
           })
      .def("set", [](Variable& v, const py::array& a) {
        Feed f = feed_of(a);
        if (f.shape != v.shape)
          throw ValueError("cannot set a variable of shape " + shape_str(v.shape) + " to an array of shape " +
                           shape_str(f.shape));
        ReleasedGil no_gil;
        RwLock::Guard guard(v.lock, true);
        stage(f, v.dtype, v.data());
        v.written();
      });
}

}  // namespace hornbeam

using namespace hornbeam;

PYBIND11_MODULE(_checked_core, m) {
  m.doc() = "Hornbeam's compiled core.";
  m.attr("__version__") = HORNBEAM_VERSION;
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const ValueError& e) {
      PyErr_SetString(PyExc_ValueError, e.what());
    } catch (const TypeError& e) {
      PyErr_SetString(PyExc_TypeError, e.what());
    } catch (const RuntimeError& e) {
      PyErr_SetString(PyExc_RuntimeError, e.what());
    }
  });
  bind_variable(m);
  bind_infer(m);
  bind_program(m);
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads);
  m.def("isa", [] { return std::string(active_isa().isa); }, "Instruction set whose kernels new plans use.");
  m.def("set_isa", &set_active_isa);
  m.def("available_isas", [] {
    std::vector<std::string> names;
    for (auto* t : available_isas()) names.emplace_back(t->isa);
    return names;
  });
  m.def(
      "kernels",
      [](const std::string& isa) {
        std::map<std::string, std::vector<std::string>> names;
        for (auto* table : available_isas())
          for (int i = 0; table->isa == isa && i < table->count; ++i)
            for (int k = 0; k < table->lists[i]->count; ++k)
              names[table->lists[i]->items[k].op].emplace_back(table->lists[i]->items[k].name);
        return names;
      },
      "The names of each op's kernels in an instruction set, in the order in which a plan asks them.");
  active_isa();  // a wrong HORNBEAM_ISA is an error at import, not at the first prediction
}

// pybind11 would wait for the GIL of the main interpreter here, which this thread has under another one: for ever.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0) return PyInit__checked_core();
  PyErr_SetString(
      PyExc_ImportError,
      "Hornbeam, like NumPy, works in the main interpreter only, and this is a subinterpreter. Under mod_wsgi "
      "set `WSGIApplicationGroup %{GLOBAL}`, under uWSGI `single-interpreter = true`; elsewhere use processes "
      "or threads");
  return nullptr;
}
