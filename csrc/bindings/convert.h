// Between Python objects and the core's plain types.
#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "ops/op.h"
#include "program/feed.h"

namespace hornbeam {

namespace py = pybind11;

// An integer, NumPy's too. Throws ValueError for a bool and beyond 64 bits, TypeError for other types, naming `what`.
int64_t integer_from_python(py::handle, const char* what);
// Throws ValueError for what is not text that UTF-8 can hold.
std::string string_from_python(py::handle, const char* what);
Shape shape_from_python(py::handle);      // None becomes unknown
py::tuple shape_to_python(const Shape&);  // unknown becomes None
py::dtype numpy_dtype(DType);

// An array that is not filled yet. Throws OutOfMemory.
py::array new_array(DType, const Shape&);
DType dtype_from_numpy(const py::dtype&);  // throws TypeError for what the core cannot hold
DType dtype_of_array(const py::array&);
AttrMap attrs_from_python(const py::dict&);
// An array of the core's dtypes, native byte order; other objects go through np.asarray (or np.from_dlpack) once.
py::array as_array(py::handle, const std::string& what);
Feed feed_of(const py::array&);

}  // namespace hornbeam
