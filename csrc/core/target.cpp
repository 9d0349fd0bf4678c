#include "core/target.h"

#include <cstdlib>

#include "core/apart.h"
#include "core/error.h"
#include "core/isa.h"

namespace hornbeam {

namespace {

thread_local Device* scoped = nullptr;

const std::vector<Target>& targets() {
  static const auto* all = [] {
    auto* list = new std::vector<Target>;
    for (Device* device : devices())
      for (const KernelTable* isa : available_isas()) list->push_back({*device, device->kernels(*isa), *isa});
    return list;
  }();
  return *all;
}

Device& default_device() {
  static Device& device = [&]() -> Device& {
    const char* name = std::getenv("HORNBEAM_DEVICE");
    if (!name || !*name) return host();
    try {
      return device_named(name);
    } catch (const ValueError& e) {
      throw ValueError("HORNBEAM_DEVICE: " + std::string(e.what()));
    }
  }();
  return device;
}

}  // namespace

std::string Target::name() const {
  return device.is_host() ? host_kernels.isa : device.name + " (" + host_kernels.isa + ")";
}

const std::vector<Device*>& devices() {
  static const auto* all = [] {
    auto* list = new std::vector<Device*>{&host()};
    if (Device* device = apart()) list->push_back(device);
    return list;
  }();
  return *all;
}

Device& device_named(const std::string& name) {
  std::string names;
  for (Device* device : devices()) {
    if (device->name == name) return *device;
    names += (names.empty() ? "" : ", ") + device->name;
  }
  throw ValueError("there is no device '" + name + "'; those of this machine: " + names);
}

Device& current_device() { return scoped ? *scoped : default_device(); }

const Target& current_target() {
  const Device& device = current_device();
  const KernelTable& isa = active_isa();
  for (const Target& target : targets())
    if (&target.device == &device && &target.host_kernels == &isa) return target;
  throw RuntimeError("no kernels for the device '" + device.name + "'");
}

Device* set_scoped_device(Device* device) {
  Device* before = scoped;
  scoped = device;
  return before;
}

}  // namespace hornbeam
