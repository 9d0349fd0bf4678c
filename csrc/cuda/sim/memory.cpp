#include "cuda/sim/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cuda/sim/runtime.h"

namespace hornbeam::sim {

char* map_guarded(size_t bytes) {
  const size_t inner = page_up(bytes);
  void* all = mmap(nullptr, inner + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED) return nullptr;
  char* pages = static_cast<char*>(all) + kPage;
  if (mprotect(pages, inner, PROT_READ | PROT_WRITE) == 0) return pages;
  munmap(all, inner + 2 * kPage);
  return nullptr;
}
void unmap_guarded(char* pages, size_t bytes) { munmap(pages - kPage, page_up(bytes) + 2 * kPage); }

// ---- the device's ----
namespace {

constexpr size_t kAlign = 256;              // as CUDA aligns
constexpr size_t kGuard = 256;              // bytes behind an allocation that nothing may write
constexpr size_t kLarge = size_t{1} << 20;  // ranges whose pages go back to the system when they are freed

// Far from heaps, stacks, libraries and the shadow of AddressSanitizer. Two neighbouring int32 of a kernel's arguments
// hardly look like an address here: one is around 11,117, the other negative for the first 2 GiB.
constexpr uintptr_t kBase = 0x2b6d80000000;

size_t room_for(size_t bytes) { return (bytes + kGuard + kAlign - 1) / kAlign * kAlign; }

// Guards are NaN of each type too, with the mark in the lowest byte of each word.
unsigned char guard_byte(size_t offset, unsigned char mark) { return offset % 4 == 0 ? mark : kNothing; }

size_t limit_from_environment() {
  const char* wanted = std::getenv("HORNBEAM_SIM_MEMORY");
  const size_t bytes = wanted ? std::strtoull(wanted, nullptr, 10) : size_t{2} << 30;
  return page_up(std::max<size_t>(bytes, 1));
}

}  // namespace

DeviceMemory::DeviceMemory() : limit_(limit_from_environment()) {
  const auto map = [this](uintptr_t where, int flags) {
    void* at = mmap(reinterpret_cast<void*>(where), limit_, PROT_NONE, MAP_SHARED | MAP_NORESERVE | flags, file_, 0);
    if (at == MAP_FAILED) die("this process has no room for %zu bytes of addresses", limit_);
    return static_cast<char*>(at);
  };
  file_ = memfd_create("hornbeam-sim", MFD_CLOEXEC);
  if (file_ < 0 || ftruncate(file_, static_cast<off_t>(limit_)) != 0) die("this system has no memory files");
  outside_ = map(kBase, MAP_FIXED_NOREPLACE);
  inside_ = map(0, 0);
  without_pages_[0] = limit_;
  places_.release(0, static_cast<int64_t>(limit_));  // all of it is free
}

DeviceMemory& device_memory() {
  static auto* memory = new DeviceMemory;
  return *memory;
}

void* DeviceMemory::allocate(size_t bytes, int device) {
  if (bytes > limit_) return nullptr;
  const size_t room = room_for(bytes);
  if (!places_.has_room(static_cast<int64_t>(room))) return nullptr;
  const auto at = static_cast<size_t>(places_.allocate(static_cast<int64_t>(room)));
  const unsigned char mark = next_mark_++;
  allocations_[at] = {bytes, mark, device};
  used_ += bytes;
  take_pages(at, at + room);  // what is not new holds nothing since it was released
  for (size_t i = bytes; i < room; ++i) inside_[at + i] = static_cast<char>(guard_byte(at + i, mark));
  return outside_ + at;
}

void DeviceMemory::release(void* p) {
  check_guard(p, "work of a stream");
  const auto it = allocations_.find(offset(outside_, p));
  const size_t at = it->first, room = room_for(it->second.bytes);
  used_ -= it->second.bytes;
  allocations_.erase(it);
  const size_t from = page_up(at), to = (at + room) / kPage * kPage;
  if (room < kLarge) {
    std::memset(inside_ + at, kNothing, room);
  } else {
    std::memset(inside_ + at, kNothing, from - at);
    std::memset(inside_ + to, kNothing, at + room - to);
    give_pages_back(from, to);
  }
  places_.release(static_cast<int64_t>(at), static_cast<int64_t>(room));
}

void DeviceMemory::give_pages_back(size_t from, size_t to) {
  protect(from, to, false);
  fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from), static_cast<off_t>(to - from));
  without_pages_[from] = to - from;
}

// The pages that [from, to) is on come into use.
void DeviceMemory::take_pages(size_t from, size_t to) {
  from = from / kPage * kPage, to = page_up(to);
  auto it = without_pages_.upper_bound(from);
  if (it != without_pages_.begin() && std::prev(it)->first + std::prev(it)->second > from) --it;
  while (it != without_pages_.end() && it->first < to) {
    const size_t first = it->first, end = first + it->second, low = std::max(first, from), high = std::min(end, to);
    it = without_pages_.erase(it);
    if (first < low) without_pages_[first] = low - first;
    if (high < end) without_pages_[high] = end - high;
    protect(low, high, true);
    std::memset(inside_ + low, kNothing, high - low);
  }
}

void DeviceMemory::protect(size_t from, size_t to, bool access) {
  if (from < to && mprotect(inside_ + from, to - from, access ? PROT_READ | PROT_WRITE : PROT_NONE) != 0)
    die("the system cannot protect more pieces of memory (vm.max_map_count)");
}

DeviceMemory::Allocations::const_iterator DeviceMemory::allocation_at(size_t offset) const {
  const auto after = allocations_.upper_bound(offset);
  if (after == allocations_.begin()) return allocations_.end();
  const auto it = std::prev(after);
  return offset < it->first + room_for(it->second.bytes) ? it : allocations_.end();
}
bool DeviceMemory::is_in_allocation(const void* p) const {
  return owns(p) && allocation_at(offset(outside_, p)) != allocations_.end();
}
bool DeviceMemory::is_allocated(const void* p) const { return allocations_.count(offset(outside_, p)) != 0; }
bool DeviceMemory::holds(const void* p, size_t bytes) const {
  const auto it = allocation_at(offset(outside_, p));
  return it != allocations_.end() && offset(outside_, p) + bytes <= it->first + it->second.bytes;
}

int DeviceMemory::device_of(const void* p) const { return allocation_at(offset(outside_, p))->second.device; }

void DeviceMemory::check_guard(const void* p, const char* who) const {
  const auto it = allocation_at(offset(outside_, p));
  if (it == allocations_.end()) return;
  const size_t bytes = it->second.bytes;
  const unsigned char mark = it->second.mark;
  for (size_t i = bytes; i < room_for(bytes); ++i)
    if (static_cast<unsigned char>(inside_[it->first + i]) != guard_byte(it->first + i, mark))
      die("%s wrote %zu bytes behind an allocation of %zu bytes", who, i - bytes, bytes);
}

bool DeviceMemory::describe(const void* p, char* text, size_t size) const {
  const size_t at = std::min(offset(outside_, p), offset(inside_, p));
  if (at >= limit_) return false;
  const auto it = allocation_at(at);
  if (it != allocations_.end())
    std::snprintf(text, size, "byte %zu of an allocation of %zu bytes of the device's memory", at - it->first,
                  it->second.bytes);
  else std::snprintf(text, size, "the device's memory where nothing is allocated, offset %zu", at);
  return true;
}

// ---- the host's ----
PinnedMemory::PinnedMemory() : limit_(limit_from_environment()) {}

PinnedMemory& pinned_memory() {
  static auto* memory = new PinnedMemory;
  return *memory;
}

// A block ends where its pages end, so that what writes behind it faults.
void* PinnedMemory::allocate(size_t bytes, bool mapped) {
  if (bytes > limit_ - used_) return nullptr;
  const size_t room = (std::max<size_t>(bytes, 1) + kAlign - 1) / kAlign * kAlign;
  char* pages = map_guarded(room);
  if (!pages) return nullptr;
  madvise(pages, page_up(room), MADV_DONTFORK);  // a driver's is not there in a child, either
  used_ += bytes;
  char* begin = pages + page_up(room) - room;
  std::memset(begin, kNothing, room);
  blocks_[begin] = {bytes, room, pages, mapped};
  return begin;
}
bool PinnedMemory::release(void* p) {
  const auto it = blocks_.find(static_cast<const char*>(p));
  if (it == blocks_.end()) return false;
  used_ -= it->second.bytes;
  unmap_guarded(it->second.pages, it->second.room);
  blocks_.erase(it);
  return true;
}
PinnedMemory::Blocks::const_iterator PinnedMemory::block_at(const void* p) const {
  const auto after = blocks_.upper_bound(static_cast<const char*>(p));
  if (after == blocks_.begin()) return blocks_.end();
  const auto it = std::prev(after);
  return static_cast<const char*>(p) < it->first + it->second.room ? it : blocks_.end();
}
bool PinnedMemory::holds(const void* p, size_t bytes) const {
  const auto it = block_at(p);
  return it != blocks_.end() && static_cast<const char*>(p) + bytes <= it->first + it->second.bytes;
}
bool PinnedMemory::is_mapped(const void* p) const {
  const auto it = block_at(p);
  return it != blocks_.end() && it->second.mapped;
}

}  // namespace hornbeam::sim
