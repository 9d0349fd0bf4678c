// The simulated devices' memory. Its pages are mapped twice: at the addresses that the host knows nothing can be
// touched, work of a stream uses other addresses of the same pages (`inside`). It is NaN where it holds no value, and
// behind each allocation lies a guard that nothing may write.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>

#include "core/arena.h"

namespace hornbeam::sim {

constexpr int kMostThreads = 1024;          // of a block
constexpr int kMostSharedBytes = 64 << 10;  // of a block: what the oldest GPUs have
constexpr int kNothing = 0xff;              // bytes of memory that holds no value: NaN in each type
constexpr size_t kPage = 4096;
inline size_t page_up(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

// Pages between two that nobody can touch; null where the process can have no more.
char* map_guarded(size_t bytes);
void unmap_guarded(char* pages, size_t bytes);

class DeviceMemory {
 public:
  DeviceMemory();

  void* allocate(size_t bytes, int device);  // null: no room
  void release(void* p);
  size_t limit() const { return limit_; }  // of all devices together
  size_t used() const { return used_; }

  bool owns(const void* p) const { return offset(outside_, p) < limit_; }
  bool is_allocated(const void* p) const;                                      // does an allocation begin here?
  bool is_in_allocation(const void* p) const;                                  // or in its guard
  bool holds(const void* p, size_t bytes) const;                               // is all of it inside one allocation?
  int device_of(const void* p) const;                                          // whose allocation it is in
  void* inside(const void* p) const { return inside_ + offset(outside_, p); }  // where work finds it
  void check_guard(const void* p, const char* who) const;                      // of the allocation that p is in

  // What lies at an address of either mapping, in words; false if it is of neither.
  bool describe(const void* p, char* text, size_t size) const;

 private:
  using Ranges = std::map<size_t, size_t>;  // offset -> bytes
  struct Allocation {
    size_t bytes;
    unsigned char mark;  // of its guard: what lies behind one is not what lies behind another
    int device;
  };
  using Allocations = std::map<size_t, Allocation>;

  static size_t offset(const char* base, const void* p) {
    return reinterpret_cast<uintptr_t>(p) - reinterpret_cast<uintptr_t>(base);
  }
  Allocations::const_iterator allocation_at(size_t offset) const;  // or the end
  void protect(size_t from, size_t to, bool access);
  void give_pages_back(size_t from, size_t to);
  void take_pages(size_t from, size_t to);

  char *outside_, *inside_;
  int file_;  // of the pages
  size_t limit_, used_ = 0;
  ArenaPlanner places_{true};
  Allocations allocations_;
  unsigned char next_mark_ = 0;
  Ranges without_pages_;  // ranges that work cannot touch: never in use, or large and freed
};
DeviceMemory& device_memory();

// Host memory that copies can be made from and to without waiting.
class PinnedMemory {
 public:
  PinnedMemory();                             // as much as the device has
  void* allocate(size_t bytes, bool mapped);  // null: no room
  bool release(void* p);                      // false: it is not pinned memory
  bool holds(const void* p, size_t bytes) const;
  bool is_mapped(const void* p) const;  // may kernels use it?

 private:
  struct Block {
    size_t bytes, room;
    char* pages;
    bool mapped;
  };
  using Blocks = std::map<const char*, Block>;

  Blocks::const_iterator block_at(const void* p) const;  // or the end
  Blocks blocks_;
  size_t limit_, used_ = 0;
};
PinnedMemory& pinned_memory();

}  // namespace hornbeam::sim
