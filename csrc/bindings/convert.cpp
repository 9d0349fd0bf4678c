#include "bindings/convert.h"

#include <pybind11/gil_safe_call_once.h>

#include "core/error.h"

namespace hornbeam {

static std::string shown(py::handle h) {
  const auto ascii = py::reinterpret_steal<py::str>(PyObject_ASCII(h.ptr()));
  if (!ascii) throw py::error_already_set();
  const std::string text = ascii;
  return text.size() > 80 ? text.substr(0, 77) + "..." : text;
}

std::string string_from_python(py::handle h, const char* what) {
  py::ssize_t size = 0;
  if (PyUnicode_Check(h.ptr()))
    if (const char* text = PyUnicode_AsUTF8AndSize(h.ptr(), &size)) return {text, static_cast<size_t>(size)};
  PyErr_Clear();
  throw ValueError(std::string(what) + " must be text, got " + shown(h));
}

int64_t integer_from_python(py::handle h, const char* what) {
  if (PyBool_Check(h.ptr())) throw ValueError(std::string(what) + " cannot be " + shown(h) + ", a bool");
  if (!PyIndex_Check(h.ptr())) throw TypeError(std::string(what) + " must be an integer, got " + shown(h));
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(h.ptr()));
  if (!number) throw py::error_already_set();
  int overflow = 0;
  const int64_t value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow) throw ValueError(std::string(what) + " cannot be " + shown(h));
  return value;
}

Shape shape_from_python(py::handle h) {
  Shape s;
  for (py::handle d : py::reinterpret_borrow<py::sequence>(h)) {
    if (s.rank == kMaxRank) throw ValueError("tensors have at most 8 dimensions");
    s.push(d.is_none() ? kUnknown : integer_from_python(d, "a dimension"));
  }
  return s;
}

py::tuple shape_to_python(const Shape& s) {
  py::tuple t(s.rank);
  for (int i = 0; i < s.rank; ++i) t[i] = s[i] < 0 ? py::object(py::none()) : py::object(py::int_(s[i]));
  return t;
}

py::dtype numpy_dtype(DType t) {
  // Made once and kept: building one by name costs as much as a small prediction. While they are made the GIL may pass
  // to another thread that comes here, too, and would wait for the guard of an ordinary static with the GIL in its
  // hands.
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<std::vector<py::dtype>> dtypes;
  return dtypes
      .call_once_and_store_result([] {
        std::vector<py::dtype> d;
        for (int i = 0; i < kDTypeCount; ++i) d.emplace_back(std::string(dtype_name(static_cast<DType>(i))));
        return d;
      })
      .get_stored()[static_cast<size_t>(t)];
}

py::array new_array(DType dtype, const Shape& s) {
  try {
    return py::array(numpy_dtype(dtype), std::vector<py::ssize_t>(s.dim, s.dim + s.rank));
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_MemoryError)) throw;
    throw OutOfMemory("a result of shape " + shape_str(s) + " takes " + std::to_string(s.count() * item_size(dtype)) +
                      " bytes, for which there is no memory. Smaller batches take less.");
  }
}

static bool try_dtype(const py::dtype& d, DType& t) {
  char order = d.byteorder();
  if (order == '>') return false;
  switch (d.kind()) {
    case 'b': t = DType::boolean; return true;
    case 'u': t = d.itemsize() == 1 ? DType::uint8 : DType::uint16; return d.itemsize() <= 2;
    case 'i':
      t = d.itemsize() == 1   ? DType::int8
          : d.itemsize() == 2 ? DType::int16
          : d.itemsize() == 4 ? DType::int32
                              : DType::int64;
      return true;
    case 'f':
      t = d.itemsize() == 2 ? DType::float16 : d.itemsize() == 4 ? DType::float32 : DType::float64;
      return d.itemsize() <= 8;
    default: return false;
  }
}

DType dtype_from_numpy(const py::dtype& dtype) {
  DType t;
  if (!try_dtype(dtype, t))
    throw TypeError("arrays of dtype " + py::str(dtype).cast<std::string>() + " are not supported");
  return t;
}

DType dtype_of_array(const py::array& a) { return dtype_from_numpy(a.dtype()); }

static AttrValue attr_from_python(const std::string& name, py::handle v) {
  const std::string what = "attribute '" + name + "'";
  if (py::isinstance<py::bool_>(v)) return v.cast<bool>();
  if (py::isinstance<py::int_>(v)) return integer_from_python(v, what.c_str());
  if (py::isinstance<py::float_>(v)) return v.cast<double>();
  if (py::isinstance<py::str>(v)) return string_from_python(v, what.c_str());
  if (py::isinstance<py::sequence>(v)) {
    auto list = py::reinterpret_borrow<py::sequence>(v);
    bool floats = false;
    for (py::handle x : list) floats = floats || py::isinstance<py::float_>(x);
    if (floats) {
      std::vector<double> r;
      for (py::handle x : list) r.push_back(x.cast<double>());
      return r;
    }
    std::vector<int64_t> r;
    for (py::handle x : list) r.push_back(integer_from_python(x, what.c_str()));
    return r;
  }
  if (PyIndex_Check(v.ptr())) return integer_from_python(v, what.c_str());  // NumPy's
  if (PyNumber_Check(v.ptr())) return py::float_(py::reinterpret_borrow<py::object>(v)).cast<double>();
  throw TypeError("attribute '" + name + "' has an unsupported type");
}

AttrMap attrs_from_python(const py::dict& d) {
  AttrMap m;
  m.reserve(d.size());
  for (auto& [k, v] : d) {
    std::string name = k.cast<std::string>();
    try {
      m.emplace_back(name, attr_from_python(name, v));
    } catch (const py::cast_error&) {
      throw TypeError("attribute '" + name +
                      "' must be a number, a text or a list of numbers, none of them beyond 64 bits, got " +
                      py::repr(v).cast<std::string>().substr(0, 100));
    }
  }
  return m;
}

py::array as_array(py::handle h, const std::string& what) {
  if (py::isinstance<py::array>(h)) {
    auto a = py::reinterpret_borrow<py::array>(h);
    DType t;
    if (try_dtype(a.dtype(), t)) return a;
  }
  py::array a;
  try {
    a = py::module_::import("hornbeam.graph.arrays").attr("as_array")(h);
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_Exception) || error.matches(PyExc_MemoryError)) throw;
    throw TypeError(what + " cannot be converted to an array");
  }
  DType t;
  if (try_dtype(a.dtype(), t)) return a;
  char kind = a.dtype().kind();
  if (kind == 'u') return a.attr("astype")("int64");
  if (kind == 'f') return a.attr("astype")("float64");
  if (kind == 'i') return a.attr("astype")("int64");
  throw TypeError(what + " has dtype " + py::str(a.dtype()).cast<std::string>() + ", which is not a number" +
                  (kind == 'O' ? " (are the rows of different lengths?)" : ""));
}

Feed feed_of(const py::array& a) {
  Feed f;
  f.data = static_cast<const char*>(a.data());
  f.dtype = dtype_of_array(a);
  if (a.ndim() > kMaxRank) throw ValueError("arrays have at most 8 dimensions");
  for (int i = 0; i < a.ndim(); ++i) {
    f.strides[f.shape.rank] = a.strides(i);
    f.shape.push(a.shape(i));
  }
  return f;
}

}  // namespace hornbeam
