// Numbers in a device's own memory, for Python: results that stay there, and what other libraries have there.
#pragma once
#include <memory>

#include "bindings/convert.h"
#include "core/device.h"

namespace hornbeam {

struct DeviceArray {
  // Keeps the memory while it lives, and is told when another library may use it, too.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void lend() {}
  };

  Device& device;
  Feed feed;  // of the device
  std::shared_ptr<Owner> owner;
};
using DeviceArrayPtr = std::shared_ptr<DeviceArray>;

// Not filled yet. Throws OutOfMemory.
DeviceArrayPtr new_device_array(Device&, DType, const Shape&);

// What lies on a device other than the host, where it lies: a DeviceArray, or an array of another library that says so
// by DLPack or CUDA's array interface. Null for all else. Throws TypeError where this process has no such device.
DeviceArrayPtr device_array_of(py::handle);

}  // namespace hornbeam
