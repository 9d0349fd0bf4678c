#include "bindings/device_array.h"

#include <pybind11/stl.h>

#include <optional>

#include "bindings/dlpack.h"
#include "bindings/gil.h"
#include "bindings/inside.h"
#include "core/buffer.h"
#include "core/error.h"
#include "core/module.h"
#include "core/target.h"

namespace hornbeam {

namespace {

// What waits for a device, or works with it: in step with forks, and without the GIL.
template <class F> void on_device(const F& work) {
  InsideCore inside;
  enter(inside);
  ReleasedGil no_gil;
  work();
  inside.leave();
}

// ---- whose memory it is ----
class Ours final : public DeviceArray::Owner {
 public:
  Ours(Device& device, int64_t bytes) : buffer(bytes, device), device_(device) {}
  ~Ours() override {
    if (!is_lent_) return;
    try {
      device_.synchronize();         // work of a library that has let go of it may not be done
    } catch (const RuntimeError&) {  // a forked child has no device
    }
  }
  void lend() override { is_lent_ = true; }

  Buffer buffer;

 private:
  Device& device_;
  bool is_lent_ = false;
};

class Theirs final : public DeviceArray::Owner {
 public:
  explicit Theirs(DlpackManaged* managed) : managed_(managed) {}
  explicit Theirs(py::object object) : object_(std::move(object)) {}
  ~Theirs() override {
    const py::gil_scoped_acquire gil;
    if (managed_ && managed_->release) managed_->release(managed_);
    object_ = py::object();
  }

 private:
  DlpackManaged* managed_ = nullptr;
  py::object object_;
};

DeviceArrayPtr array_of(Device& device, DType dtype, const Shape& shape, char* data,
                        std::shared_ptr<DeviceArray::Owner> owner) {
  auto array = std::make_shared<DeviceArray>(DeviceArray{device, contiguous(data, dtype, shape), std::move(owner)});
  array->feed.device = &device;
  return array;
}

// ---- from other libraries ----
DlpackDtype dlpack_dtype(DType t) {
  const uint8_t bits = static_cast<uint8_t>(8 * item_size(t));
  if (t == DType::boolean) return {DlpackDtype::boolean, bits, 1};
  if (is_float(t)) return {DlpackDtype::floating, bits, 1};
  const bool is_unsigned = t == DType::uint8 || t == DType::uint16;
  return {is_unsigned ? DlpackDtype::unsigned_integer : DlpackDtype::integer, bits, 1};
}

DType dtype_of(const DlpackDtype& t) {
  for (int i = 0; i < kDTypeCount; ++i)
    if (const auto dtype = static_cast<DType>(i); dlpack_dtype(dtype) == t) return dtype;
  throw TypeError("an array whose elements have DLPack's code " + std::to_string(t.code) + " and " +
                  std::to_string(t.bits) + " bits is not supported");
}

Shape shape_of(int64_t rank, const int64_t* dims) {
  if (rank > kMaxRank) throw ValueError("arrays have at most 8 dimensions");
  Shape shape;
  for (int64_t i = 0; i < rank; ++i) shape.push(dims[i]);
  return shape;
}

Device& device_of(DlpackDevice wanted, py::handle array) {
  for (Device* device : devices())
    if (device->dlpack() == wanted) return *device;
  throw TypeError("an array of type " + py::str(py::type::handle_of(array)).cast<std::string>() +
                  " lies on a device that Hornbeam does not have here (DLPack's type " + std::to_string(wanted.type) +
                  ", number " + std::to_string(wanted.number) + "). Copy it to the CPU first");
}

// The library's work is waited for, so that ours need not know its streams.
DeviceArrayPtr from_dlpack(py::handle array, DlpackDevice where) {
  Device& device = device_of(where, array);
  constexpr int kNoStream = -1;
  const auto capsule = where.type == DlpackDevice::cuda ? array.attr("__dlpack__")(py::arg("stream") = kNoStream)
                                                        : array.attr("__dlpack__")();
  auto* managed = static_cast<DlpackManaged*>(PyCapsule_GetPointer(capsule.ptr(), kDlpackCapsule));
  if (!managed) throw py::error_already_set();
  if (PyCapsule_SetName(capsule.ptr(), kDlpackUsed) != 0) throw py::error_already_set();
  auto owner = std::make_shared<Theirs>(managed);
  const DlpackTensor& t = managed->tensor;
  DeviceArrayPtr made = array_of(device, dtype_of(t.dtype), shape_of(t.rank, t.shape),
                                 static_cast<char*>(t.data) + t.byte_offset, std::move(owner));
  if (t.strides)
    for (int i = 0; i < t.rank; ++i) made->feed.strides[i] = t.strides[i] * item_size(made->feed.dtype);
  on_device([&] { device.synchronize(); });
  return made;
}

bool is_gpu(const Device& device) { return !module_of(device.name).empty(); }

DeviceArrayPtr from_cuda_interface(py::handle array, const py::dict& interface) {
  Device& current = current_device();
  Device& device = is_gpu(current) ? current : device_of({DlpackDevice::cuda, 0}, array);
  const auto dims = interface["shape"].cast<std::vector<int64_t>>();
  const DType dtype = dtype_from_numpy(py::dtype::from_args(interface["typestr"]));
  auto* data = reinterpret_cast<char*>(interface["data"].cast<py::tuple>()[0].cast<uintptr_t>());
  DeviceArrayPtr made = array_of(device, dtype, shape_of(static_cast<int64_t>(dims.size()), dims.data()), data,
                                 std::make_shared<Theirs>(py::reinterpret_borrow<py::object>(array)));
  if (interface.contains("strides") && !interface["strides"].is_none()) {
    const auto strides = interface["strides"].cast<std::vector<int64_t>>();
    std::copy(strides.begin(), strides.end(), made->feed.strides);
  }
  on_device([&] { device.synchronize(); });
  return made;
}

// ---- for Python ----
DeviceArrayPtr make(py::handle value) {
  Device& device = current_device();
  DeviceArrayPtr there = device_array_of(value);
  if (there && &there->device == &device) return there;
  if (device.is_host())
    throw ValueError(
        "a DeviceArray is for a device with its own memory, and this thread runs on the CPU, whose arrays are "
        "NumPy's. Make it inside of `with hornbeam.device(...)`, or after hornbeam.config.set_device");
  const py::array array = there ? py::array() : as_array(value, "the array");
  const Feed feed = there ? there->feed : feed_of(array);
  DeviceArrayPtr made = new_device_array(device, feed.dtype, feed.shape);
  on_device([&] {
    const int64_t bytes = feed.shape.count() * item_size(feed.dtype);
    Buffer staged;
    if (!feed.direct(feed.dtype)) {
      staged = Buffer(bytes + 1);
      stage(feed, feed.dtype, staged.data());
    }
    if (bytes) device.copy_in(const_cast<char*>(made->feed.data), staged.data() ? staged.data() : feed.data, bytes);
  });
  return made;
}

py::array to_numpy(const DeviceArray& array) {
  py::array copy = new_array(array.feed.dtype, array.feed.shape);
  void* to = copy.mutable_data();
  on_device([&] { stage(array.feed, array.feed.dtype, to); });
  return copy;
}

py::object as_numpy(const DeviceArray& array, const py::object& dtype, const py::object& copy) {
  if (!copy.is_none() && !copy.cast<bool>())
    throw ValueError("an array on the device '" + array.device.name + "' is not NumPy's without a copy");
  py::object result = to_numpy(array);
  return dtype.is_none() ? result : result.attr("astype")(dtype, py::arg("copy") = false);
}

py::tuple dlpack_device(const DeviceArray& array) {
  const DlpackDevice device = array.device.dlpack();
  return py::make_tuple(static_cast<int>(device.type), device.number);
}

// Others may use what our work so far has made.
void lend(const DeviceArray& array) {
  array.owner->lend();
  on_device([&] { array.device.wait(); });
}

struct Exported {
  DlpackManaged managed;
  DeviceArrayPtr array;
  Shape shape;
  int64_t strides[kMaxRank];
};

py::capsule to_dlpack(const DeviceArrayPtr& array, const py::object&, const py::object&, const py::object& device,
                      const py::object& copy) {
  if (!device.is_none() && !device.equal(dlpack_device(*array)))
    throw py::buffer_error("the array stays on the device '" + array->device.name + "'");
  if (!copy.is_none() && copy.cast<bool>()) throw py::buffer_error("the array is passed without a copy");
  lend(*array);
  const Feed& feed = array->feed;
  auto* exported = new Exported{{}, array, feed.shape, {}};
  for (int i = 0; i < feed.shape.rank; ++i) exported->strides[i] = feed.strides[i] / item_size(feed.dtype);
  const DlpackDevice where = array->device.dlpack();
  exported->managed = {{const_cast<char*>(feed.data), where.type, where.number, feed.shape.rank,
                        dlpack_dtype(feed.dtype), exported->shape.dim, exported->strides, 0},
                       exported,
                       [](DlpackManaged* managed) { delete static_cast<Exported*>(managed->owner); }};
  return py::capsule(&exported->managed, kDlpackCapsule, [](PyObject* capsule) {
    if (!PyCapsule_IsValid(capsule, kDlpackCapsule)) return;  // somebody has it
    auto* managed = static_cast<DlpackManaged*>(PyCapsule_GetPointer(capsule, kDlpackCapsule));
    managed->release(managed);
  });
}

py::dict cuda_interface(const DeviceArray& array) {
  if (!is_gpu(array.device)) throw py::attribute_error("the device '" + array.device.name + "' is not a GPU");
  lend(array);
  const Feed& feed = array.feed;
  const std::vector<int64_t> strides(feed.strides, feed.strides + feed.shape.rank);
  py::dict interface;
  interface["version"] = 3;
  interface["shape"] = shape_to_python(feed.shape);
  interface["typestr"] = numpy_dtype(feed.dtype).attr("str");
  interface["data"] = py::make_tuple(reinterpret_cast<uintptr_t>(feed.data), false);
  interface["strides"] = feed.is_compact() ? py::object(py::none()) : py::object(py::tuple(py::cast(strides)));
  interface["stream"] = py::none();  // nothing is left to wait for
  return interface;
}

DeviceArrayPtr rows_of(const DeviceArray& array, const py::slice& rows) {
  if (array.feed.shape.rank == 0) throw py::index_error("an array without dimensions has no rows");
  py::ssize_t start, stop, step, count;
  if (!rows.compute(array.feed.shape[0], &start, &stop, &step, &count)) throw py::error_already_set();
  auto part = std::make_shared<DeviceArray>(array);
  if (count > 0) part->feed.data += start * array.feed.strides[0];
  part->feed.shape[0] = count;
  part->feed.strides[0] *= step;
  return part;
}

bool adds_ones(const Shape& from, const Shape& to) {
  for (int i = 0; i < to.rank; ++i)
    if (to[i] != (i < from.rank ? from[i] : 1)) return false;
  return to.rank >= from.rank;
}

DeviceArrayPtr reshaped(const DeviceArray& array, py::handle dims) {
  const Shape shape = shape_from_python(dims);
  if (adds_ones(array.feed.shape, shape)) {
    auto same = std::make_shared<DeviceArray>(array);
    same->feed.shape = shape;
    std::fill(same->feed.strides + array.feed.shape.rank, same->feed.strides + shape.rank, item_size(array.feed.dtype));
    return same;
  }
  if (!shape.known() || shape.count() != array.feed.shape.count() || !array.feed.is_compact())
    throw ValueError("an array of shape " + shape_str(array.feed.shape) +
                     (array.feed.is_compact() ? "" : " with gaps") + " cannot have shape " + shape_str(shape));
  return array_of(array.device, array.feed.dtype, shape, const_cast<char*>(array.feed.data), array.owner);
}

}  // namespace

DeviceArrayPtr new_device_array(Device& device, DType dtype, const Shape& shape) {
  auto owner = std::make_shared<Ours>(device, shape.count() * item_size(dtype) + 1);
  char* data = owner->buffer.data();
  return array_of(device, dtype, shape, data, std::move(owner));
}

DeviceArrayPtr device_array_of(py::handle h) {
  if (py::isinstance<py::array>(h)) return nullptr;  // first, for the feeds of nearly every run
  if (py::isinstance<DeviceArray>(h)) return h.cast<DeviceArrayPtr>();
  if (py::hasattr(h, "__dlpack_device__")) {
    const auto where = h.attr("__dlpack_device__")().cast<py::tuple>();
    const auto type = static_cast<DlpackDevice::Type>(where[0].attr("__index__")().cast<int>());
    if (type != DlpackDevice::cuda && type != DlpackDevice::extension) return nullptr;  // memory that NumPy can read
    return from_dlpack(h, {type, where[1].cast<int32_t>()});
  }
  if (py::hasattr(h, "__cuda_array_interface__"))
    return from_cuda_interface(h, h.attr("__cuda_array_interface__").cast<py::dict>());
  return nullptr;
}

void bind_device_array(py::module_& m) {
  py::class_<DeviceArray, DeviceArrayPtr>(
      m, "DeviceArray",
      R"(An array in the memory of a device: ``DeviceArray(x)`` is ``x`` on this thread's.

Models and functions that run there take it as an input without a copy through the host's memory, and
``predict_on_batch(x, on_device=True)`` gives such arrays. Other libraries share the memory: ``torch.from_dlpack(a)``,
``cupy.asarray(a)``; and ``DeviceArray(tensor)`` shares theirs. ``numpy.asarray(a)`` is a copy on the host.

Raises:
    ValueError: this thread runs on the CPU.
    TypeError: x has no numbers, or lies on a device that is not there.)")
      .def(py::init(&make), py::arg("x"))
      .def_property_readonly("device", [](const DeviceArray& a) { return a.device.name; })
      .def_property_readonly("dtype", [](const DeviceArray& a) { return numpy_dtype(a.feed.dtype); })
      .def_property_readonly("shape", [](const DeviceArray& a) { return shape_to_python(a.feed.shape); })
      .def_property_readonly("ndim", [](const DeviceArray& a) { return a.feed.shape.rank; })
      .def_property_readonly("nbytes",
                             [](const DeviceArray& a) { return a.feed.shape.count() * item_size(a.feed.dtype); })
      .def("reshape", &reshaped, py::arg("shape"), "The same numbers with other dims, all of them known.")
      .def("__getitem__", &rows_of, "Rows, as a slice, of the same memory.")
      .def("__len__",
           [](const DeviceArray& a) {
             if (a.feed.shape.rank == 0) throw py::type_error("an array without dimensions has no length");
             return a.feed.shape[0];
           })
      .def("__repr__",
           [](const DeviceArray& a) {
             return std::string("<DeviceArray of ") + dtype_name(a.feed.dtype) + ", shape " + shape_str(a.feed.shape) +
                    ", on '" + a.device.name + "'>";
           })
      .def("__array__", &as_numpy, py::arg("dtype") = py::none(), py::arg("copy") = py::none())
      .def("__dlpack_device__", &dlpack_device)
      .def("__dlpack__", &to_dlpack, py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
           py::arg("dl_device") = py::none(), py::arg("copy") = py::none())
      .def_property_readonly("__cuda_array_interface__", &cuda_interface);
  m.def("device_array_of", &device_array_of,
        "What lies on a device other than the host, as a DeviceArray of the same memory; None for all else.");
}

}  // namespace hornbeam
