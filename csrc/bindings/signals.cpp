#include "bindings/signals.h"

#include <pybind11/pybind11.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#else
#include <pthread.h>
#endif

#include <csignal>

namespace py = pybind11;

namespace hornbeam {

// The only thread in which Python handles signals; others need not wait for the GIL to know that.
static bool is_main_thread() {
#ifdef __linux__
  return syscall(SYS_gettid) == getpid();
#else
  return pthread_main_np();
#endif
}

bool ctrl_c_waits() {
  if (!is_main_thread()) return false;
  const PyGILState_STATE gil = PyGILState_Ensure();
  const bool waits = PyOS_InterruptOccurred();
  PyGILState_Release(gil);
  return waits;
}

void handle_ctrl_c() {
  const py::object handler = py::module_::import("signal").attr("getsignal")(SIGINT);
  if (!PyCallable_Check(handler.ptr())) return;  // ignored by now
  auto* frame = reinterpret_cast<PyObject*>(PyEval_GetFrame());
  handler(SIGINT, frame ? py::reinterpret_borrow<py::object>(frame) : py::none());
}

}  // namespace hornbeam
