// The GIL, let go of while the core works or waits.
#pragma once
#include <Python.h>
#include <unistd.h>

namespace hornbeam {

// pybind11's guard of this kind ends the process where a daemon thread still computes when the interpreter goes away:
// until Python 3.13, asking for the GIL then ends the thread by an exception, which no destructor lets out. Such a
// thread sleeps until the process has ended, as newer Pythons have it.
class ReleasedGil {
 public:
  ReleasedGil() : state_(PyEval_SaveThread()) {}
  ~ReleasedGil() {
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {
      for (;;) pause();
    }
  }
  ReleasedGil(const ReleasedGil&) = delete;
  ReleasedGil& operator=(const ReleasedGil&) = delete;

 private:
  PyThreadState* state_;
};

}  // namespace hornbeam
