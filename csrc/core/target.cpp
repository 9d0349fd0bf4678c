#include "core/target.h"

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>

#include "core/apart.h"
#include "core/error.h"
#include "core/isa.h"
#include "core/module.h"

namespace hornbeam {

namespace {

thread_local Device* scoped = nullptr;

std::atomic<bool> tf32{false};

// A device's Targets are made when a program first runs there.
const Target& target_of(Device& device, const KernelTable& isa, bool with_tf32) {
  static auto* made = new std::map<std::tuple<Device*, const KernelTable*, bool>, Target>;
  static auto* mutex = new std::mutex;
  std::lock_guard<std::mutex> lock(*mutex);
  return made->try_emplace({&device, &isa, with_tf32}, Target{device, device.kernels(isa), isa, with_tf32})
      .first->second;
}

// Those that need no module.
const std::vector<Device*>& own_devices() {
  static const auto* all = [] {
    auto* list = new std::vector<Device*>{&host()};
    if (Device* device = apart()) list->push_back(device);
    return list;
  }();
  return *all;
}

Device* find(const std::vector<Device*>& list, const std::string& name) {
  for (Device* device : list)
    if (device->name == name) return device;
  return nullptr;
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
  if (device.is_host()) return host_kernels.isa;
  return device.name + " (" + host_kernels.isa + (tf32 ? ", TF32)" : ")");
}

const std::vector<Device*>& devices() {
  static const auto* all = [] {
    auto* list = new std::vector<Device*>(own_devices());
    for (const LoadedModule& module : modules())
      list->insert(list->end(), module.devices.begin(), module.devices.end());
    return list;
  }();
  return *all;
}

Device& device_named(const std::string& name) {
  if (Device* device = find(own_devices(), name)) return *device;  // without a look at modules
  if (Device* device = find(devices(), name)) return *device;
  std::string names, why;
  for (const Device* device : devices()) names += (names.empty() ? "" : ", ") + device->name;
  for (const LoadedModule& module : modules())
    if (module_of(name) == module.name && !module.missing.empty()) why = " (" + module.missing + ")";
  throw ValueError("there is no device '" + name + "'" + why + "; those of this machine: " + names);
}

void check_environment() {
  active_isa();
  const char* name = std::getenv("HORNBEAM_DEVICE");
  if (name && module_of(name).empty()) default_device();
}

Device& current_device() { return scoped ? *scoped : default_device(); }

const Target& current_target() {
  thread_local const Target* last = nullptr;  // nearly always the next one too
  Device& device = current_device();
  const KernelTable& isa = active_isa();
  const bool with_tf32 = is_tf32() && !device.is_host();
  if (!last || &last->device != &device || &last->host_kernels != &isa || last->tf32 != with_tf32)
    last = &target_of(device, isa, with_tf32);
  return *last;
}

void set_tf32(bool on) { tf32.store(on, std::memory_order_relaxed); }
bool is_tf32() { return tf32.load(std::memory_order_relaxed); }

Device* set_scoped_device(Device* device) {
  Device* before = scoped;
  scoped = device;
  return before;
}

}  // namespace hornbeam
