// The simulated device's memory. It has no access but while work of a stream runs, and is NaN where it holds no value;
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

  void* allocate(size_t bytes);  // null: no room
  void release(void* p);         // while it is open
  size_t limit() const { return limit_; }
  size_t used() const { return used_; }

  // Work may touch it between these. Either may be called again.
  void open();
  void close();

  bool owns(const void* p) const {
    return reinterpret_cast<uintptr_t>(p) - reinterpret_cast<uintptr_t>(base_) < limit_;
  }
  bool is_allocated(const void* p) const;                  // does an allocation begin here?
  bool holds(const void* p, size_t bytes) const;           // is all of it inside one allocation?
  void check_guard(const void* p, const char* who) const;  // of the allocation that p is in, while it is open
  // What lies at an address, in words.
  void describe(const void* p, char* text, size_t size) const;

 private:
  using Ranges = std::map<size_t, size_t>;  // offset -> bytes
  struct Allocation {
    size_t bytes;
    unsigned char mark;  // of its guard: what lies behind one is not what lies behind another
  };
  using Allocations = std::map<size_t, Allocation>;

  Allocations::const_iterator allocation_at(const void* p) const;  // or the end
  void protect(size_t from, size_t to, bool access);
  void give_pages_back(size_t from, size_t to);
  void take_pages_again(size_t from, size_t to);

  char* base_;
  size_t limit_, used_ = 0;
  size_t top_ = 0;  // offset behind all that was ever in use
  bool open_ = false;
  ArenaPlanner places_{true};
  Allocations allocations_;
  unsigned char next_mark_ = 0;
  Ranges without_pages_;  // large ranges that were freed: the system has their pages, nothing can touch them
};
DeviceMemory& device_memory();

// Host memory that copies can be made from and to without waiting.
class PinnedMemory {
 public:
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
};
PinnedMemory& pinned_memory();

}  // namespace hornbeam::sim
