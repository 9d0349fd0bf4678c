#include "program/variable.h"

#include <string>

#include "core/error.h"
#include "ops/op.h"

namespace hornbeam {

Variable::Copy& Variable::copy_on(Device& device) {
  for (Copy& copy : copies_)
    if (copy.device == &device) return copy;
  try {
    copies_.push_back({&device, Buffer(bytes_ ? bytes_ : 1, device)});
  } catch (const std::bad_alloc&) {
    throw OutOfMemory("a variable of shape " + shape_str(shape) + " takes " + std::to_string(bytes_) + " bytes" +
                      (device.is_host() ? "" : " on the device '" + device.name + "'") +
                      ", for which there is no memory");
  }
  return copies_.back();
}

char* Variable::data(Device& device) {
  std::lock_guard<std::mutex> guard(mutex_);
  return copy_on(device).buffer.data();
}

// Of several the host's, from which copying costs least; null before the first write.
Variable::Copy* Variable::current() {
  Copy* found = nullptr;
  for (Copy& copy : copies_)
    if (copy.is_current && (!found || copy.device->is_host())) found = &copy;
  return found;
}

void Variable::bring(Device& device) {
  std::lock_guard<std::mutex> guard(mutex_);
  const Copy* from = current();
  Copy& to = copy_on(device);
  if (!from || to.is_current) return;
  if (!from->device->is_host()) {
    Copy& at_host = copy_on(host());
    from->device->copy_out(at_host.buffer.data(), from->buffer.data(), bytes_);
    at_host.is_current = true;
    from = &at_host;
  }
  if (!device.is_host()) device.copy_in(to.buffer.data(), from->buffer.data(), bytes_);
  to.is_current = true;
  only_current_.store(nullptr, std::memory_order_release);
}

void Variable::forget_others(Device& device) {
  std::lock_guard<std::mutex> guard(mutex_);
  for (Copy& copy : copies_) copy.is_current = copy.device == &device;
  only_current_.store(&device, std::memory_order_release);
}

void Variable::read(char* to) {
  const Copy* from;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    from = current();
  }
  if (from) from->device->copy_out(to, from->buffer.data(), bytes_);
}

// Where a new value goes: to the device that works with it.
Device& Variable::home() const {
  Device* device = only_current_.load(std::memory_order_acquire);
  return device ? *device : host();
}

void Variable::make_room() { data(home()); }

void Variable::write(const char* from) {
  Device& device = home();
  device.copy_in(data(device), from, bytes_);
  written(device);
}

}  // namespace hornbeam
