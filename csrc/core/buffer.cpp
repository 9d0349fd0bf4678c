#include "core/buffer.h"

#include <cstdlib>
#include <new>
#include <string>

#include "core/error.h"

namespace hornbeam {

static thread_local uint64_t allocations = 0;
uint64_t thread_allocations() { return allocations; }

Buffer::Buffer(int64_t bytes) {
  if (bytes <= 0) return;
  ++allocations;
  if (posix_memalign(reinterpret_cast<void**>(&data_), kAlign, static_cast<size_t>(align_up(bytes)))) {
    data_ = nullptr;
    throw OutOfMemory("there is no memory for " + std::to_string(bytes) + " bytes");
  }
  size_ = bytes;
}

Buffer::~Buffer() { std::free(data_); }

Buffer& Buffer::operator=(Buffer&& o) noexcept {
  if (this != &o) {
    std::free(data_);
    data_ = o.data_;
    size_ = o.size_;
    o.data_ = nullptr;
    o.size_ = 0;
  }
  return *this;
}

}  // namespace hornbeam

// Counting replacements. The module's version script keeps them local, so only the core's own
// allocations come here. Sanitizers bring replacements of their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* operator new(std::size_t n) {
  ++hornbeam::allocations;
  if (void* p = std::malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
#endif
