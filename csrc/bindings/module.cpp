// The Python module hornbeam._core.
#include <pybind11/stl.h>

#include <map>
#include <optional>

#include "bindings/convert.h"
#include "bindings/gil.h"
#include "core/crc32c.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/isa.h"
#include "core/module.h"
#include "core/target.h"
#include "core/thread_pool.h"

namespace hornbeam {

void bind_program(py::module_&);   // program.cpp
void bind_infer(py::module_&);     // infer.cpp
void bind_variable(py::module_&);  // variable.cpp
}  // namespace hornbeam

using namespace hornbeam;

// A fork from Python waits before it has the import lock and while the GIL is free, which threads inside the core may
// need.
static void take_part_in_forks(py::module_& m) {
  m.def("before_fork", &before_fork, py::call_guard<ReleasedGil>());
  m.def("after_fork_in_parent", &after_fork_in_parent);
  py::module_::import("os").attr("register_at_fork")(py::arg("before") = m.attr("before_fork"),
                                                     py::arg("after_in_parent") = m.attr("after_fork_in_parent"));
  register_fork_handlers();
}

// The CRC-32C of a bytes-like object in one piece, after that of what comes before it.
static uint32_t crc32c_of(const py::object& data, uint32_t before) {
  Py_buffer view;
  if (PyObject_GetBuffer(data.ptr(), &view, PyBUF_SIMPLE) != 0) throw py::error_already_set();
  uint32_t crc;
  {
    ReleasedGil released;
    crc = crc32c(view.buf, static_cast<size_t>(view.len), before);
  }
  PyBuffer_Release(&view);
  return crc;
}

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
    } catch (const OutOfMemory& e) {
      PyErr_SetString(PyExc_MemoryError, e.what());
    } catch (const std::bad_alloc&) {
      PyErr_SetString(PyExc_MemoryError, "there is no memory left");
    }
  });
  numpy_dtype(DType::float32);  // made while nobody else is here
  take_part_in_forks(m);
  bind_variable(m);
  bind_infer(m);
  bind_program(m);
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads);
  m.def("crc32c", &crc32c_of, py::arg("data"), py::arg("before") = 0, py::pos_only());
  m.def("isa", [] { return std::string(active_isa().isa); }, "Instruction set whose kernels new plans use.");
  m.def("set_isa", &set_active_isa);
  m.def("available_isas", [] {
    std::vector<std::string> names;
    for (auto* t : available_isas()) names.emplace_back(t->isa);
    return names;
  });
  m.def(
      "kernels",
      [](const std::string& name) {
        const KernelTable* table = nullptr;
        for (auto* isa : available_isas())
          if (isa->isa == name) table = isa;
        if (!table) table = &device_named(name).kernels(active_isa());
        std::map<std::string, std::vector<std::string>> names;
        for (int i = 0; i < table->count; ++i)
          for (int k = 0; k < table->lists[i]->count; ++k)
            names[table->lists[i]->items[k].op].emplace_back(table->lists[i]->items[k].name);
        return names;
      },
      "The names of each op's kernels in an instruction set or on a device, in the order in which a plan asks them.");
  m.def(
      "devices",
      [] {
        std::vector<std::pair<std::string, std::string>> list;
        for (const Device* device : devices()) list.emplace_back(device->name, device->description);
        return list;
      },
      "(name, description) of each device of this machine, the host first.");
  m.def(
      "missing_devices",
      [] {
        std::vector<std::pair<std::string, std::string>> list;
        for (const LoadedModule& module : modules())
          if (!module.missing.empty()) list.emplace_back(module.name, module.missing);
        return list;
      },
      "(name, reason) of each kind of device that this machine or installation does not have.");
  m.def(
      "libraries",
      [] {
        std::vector<std::pair<std::string, std::string>> list;
        for (const LoadedModule& module : modules())
          if (module.libraries) list.emplace_back(module.name, module.libraries());
        return list;
      },
      "(name, text) of each kind of device that may compute with libraries: which there are, or why not. Opens them.");
  m.def("set_tf32", &set_tf32, "Whether runs on GPUs may round inputs of float32 products and convolutions to TF32.");
  m.def("tf32", &is_tf32);
  m.def("device", [] { return current_device().name; }, "The device on which this thread runs programs.");
  m.def(
      "set_device",
      [](const std::optional<std::string>& name) -> std::optional<std::string> {
        const Device* before = set_scoped_device(name ? &device_named(*name) : nullptr);
        if (!before) return std::nullopt;
        return before->name;
      },
      "Let this thread run programs on that device, or where it would anyway (None); returns what was set before.");
  check_environment();  // what is wrong there is an error at import, not at the first prediction
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
