// A value that survives from run to run, with the lock and the version that runs go by. Each device that runs use it on
// has a copy; a run brings the current value along.
#pragma once
#include <atomic>
#include <list>
#include <memory>
#include <mutex>

#include "core/buffer.h"
#include "core/device.h"
#include "core/rwlock.h"
#include "core/shape.h"

namespace hornbeam {

class Variable {
 public:
  Variable(DType dtype, const Shape& shape) : dtype(dtype), shape(shape), bytes_(shape.count() * item_size(dtype)) {}

  const DType dtype;
  const Shape shape;
  int64_t bytes() const { return bytes_; }

  // Its copy on a device, which need not be current. The address never changes once asked for, which any thread may do.
  // Throws OutOfMemory.
  char* data(Device&);

  // Callers hold `lock`.
  void bring_to(Device& device) {  // makes the copy on that device current
    if (only_current_.load(std::memory_order_acquire) != &device) bring(device);
  }
  void read(char* to);  // copies the value to the host's memory

  // Callers hold `lock` exclusively.
  void written(Device& device) {  // the copy on that device is the new value
    if (only_current_.load(std::memory_order_acquire) != &device) forget_others(device);
    version_.fetch_add(1, std::memory_order_acq_rel);
    epoch.fetch_add(1, std::memory_order_acq_rel);
  }
  void make_room();              // for write, which then cannot fail
  void write(const char* from);  // a new value from the host's memory

  bool is_set() const { return version_.load(std::memory_order_acquire) > 0; }
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  RwLock lock;
  // Advances with every write to any variable: a run that finds it unchanged need not compare versions.
  static inline std::atomic<uint64_t> epoch{0};

 private:
  struct Copy {
    Device* device;
    Buffer buffer;
    bool is_current = false;
  };
  Copy& copy_on(Device&);
  Copy* current();
  void bring(Device&);
  void forget_others(Device&);
  Device& home() const;

  const int64_t bytes_;
  std::mutex mutex_;  // of the copies
  std::list<Copy> copies_;
  std::atomic<Device*> only_current_{nullptr};  // whose copy alone is current; null where several or none are
  std::atomic<uint64_t> version_{0};
};

using VariablePtr = std::shared_ptr<Variable>;

}  // namespace hornbeam
