#include "core/buffer.h"

#include <cstdlib>
#include <string>

#include "core/device.h"
#include "core/error.h"

namespace hornbeam {

static thread_local uint64_t allocations = 0;
uint64_t thread_allocations() { return allocations; }

Buffer::Buffer(int64_t bytes) : Buffer(bytes, host()) {}

Buffer::Buffer(int64_t bytes, Memory& memory) : memory_(&memory) {
  if (bytes <= 0) return;
  ++allocations;
  data_ = static_cast<char*>(memory.allocate(bytes));
  if (!data_) {
    memory.free_idle();
    data_ = static_cast<char*>(memory.allocate(bytes));
  }
  if (!data_) throw OutOfMemory("there is no memory for " + std::to_string(bytes) + " bytes" + memory.where);
  size_ = bytes;
}

Buffer::~Buffer() {
  if (data_) memory_->free(data_);
}

Buffer& Buffer::operator=(Buffer&& o) noexcept {
  if (this != &o) {
    if (data_) memory_->free(data_);
    data_ = o.data_;
    size_ = o.size_;
    memory_ = o.memory_;
    o.data_ = nullptr;
    o.size_ = 0;
  }
  return *this;
}

}  // namespace hornbeam

// What the core allocates with new comes here: the linker leads its calls to a wrapper (--wrap in CMakeLists.txt). It
// is not a replacement of operator new, since a string that libstdc++ allocated may be freed here, and the other way
// round.
#ifndef __APPLE__
extern "C" void* __real__Znwm(std::size_t n);
extern "C" void* __wrap__Znwm(std::size_t n) {
  ++hornbeam::allocations;
  return __real__Znwm(n);
}
#endif
