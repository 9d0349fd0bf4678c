// Owned memory, aligned for the widest vectors.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/memory.h"

namespace hornbeam {

constexpr int64_t kAlign = 64;
inline int64_t align_up(int64_t n) { return (n + kAlign - 1) / kAlign * kAlign; }

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(int64_t bytes);  // of the host
  Buffer(int64_t bytes, Memory&);  // uninitialised; throws OutOfMemory
  ~Buffer();
  Buffer(Buffer&& o) noexcept : data_(o.data_), size_(o.size_), memory_(o.memory_) {
    o.data_ = nullptr;
    o.size_ = 0;
  }
  Buffer& operator=(Buffer&& o) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  char* data() const { return data_; }
  int64_t size() const { return size_; }
  // Makes room for `bytes`; contents are lost when it grows.
  void reserve(int64_t bytes) {
    if (bytes > size_) *this = Buffer(bytes);
  }
  void reserve(int64_t bytes, Memory& memory) {
    if (bytes > size_) *this = Buffer(bytes, memory);
  }

 private:
  char* data_ = nullptr;
  int64_t size_ = 0;
  Memory* memory_ = nullptr;  // of data_, if there is any
};

// Heap allocations made by this thread through the core, for the test that a warm run makes none.
uint64_t thread_allocations();

}  // namespace hornbeam
