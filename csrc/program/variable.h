// A buffer that survives from run to run, with the lock and the version that runs go by.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>

#include "core/buffer.h"
#include "core/error.h"
#include "core/rwlock.h"
#include "ops/op.h"

namespace hornbeam {

class Variable {
 public:
  Variable(DType dtype, const Shape& shape) : dtype(dtype), shape(shape), bytes_(shape.count() * item_size(dtype)) {}

  const DType dtype;
  const Shape shape;
  int64_t bytes() const { return bytes_; }

  // The buffer's address never changes once asked for, which any thread may do. Callers hold `lock` while they use it.
  void* data() {
    std::call_once(made_, [this] {
      try {
        buffer_ = Buffer(bytes_ ? bytes_ : 1);
      } catch (const std::bad_alloc&) {
        throw OutOfMemory("a variable of shape " + shape_str(shape) + " takes " + std::to_string(bytes_) +
                          " bytes, for which there is no memory");
      }
    });
    return buffer_.data();
  }
  bool is_set() const { return version_.load(std::memory_order_acquire) > 0; }
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  void written() {
    version_.fetch_add(1, std::memory_order_acq_rel);
    epoch.fetch_add(1, std::memory_order_acq_rel);
  }

  RwLock lock;
  // Advances with every write to any variable: a run that finds it unchanged need not compare versions.
  static inline std::atomic<uint64_t> epoch{0};

 private:
  const int64_t bytes_;
  std::once_flag made_;
  Buffer buffer_;
  std::atomic<uint64_t> version_{0};
};

using VariablePtr = std::shared_ptr<Variable>;

}  // namespace hornbeam
