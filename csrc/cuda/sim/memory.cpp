#include "cuda/sim/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cuda/sim/faults.h"
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

// Far from heaps, stacks, libraries and the shadow of AddressSanitizer, so that numbers hardly look like its addresses.
constexpr uintptr_t kBase = uintptr_t{1} << 45;

size_t room_for(size_t bytes) { return (bytes + kGuard + kAlign - 1) / kAlign * kAlign; }

// Guards are NaN of each type too, with the mark in the lowest byte of each word.
unsigned char guard_byte(size_t offset, unsigned char mark) { return offset % 4 == 0 ? mark : kNothing; }

size_t limit_from_environment() {
  const char* wanted = std::getenv("HORNBEAM_SIM_MEMORY");
  const size_t bytes = wanted ? std::strtoull(wanted, nullptr, 10) : size_t{16} << 30;
  return page_up(std::max<size_t>(bytes, 1));
}

}  // namespace

DeviceMemory::DeviceMemory() : limit_(limit_from_environment()) {
  void* all = mmap(reinterpret_cast<void*>(kBase), limit_, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (all != reinterpret_cast<void*>(kBase)) die("this process has no room for %zu bytes of addresses", limit_);
  base_ = static_cast<char*>(all);
  watch_for_faults();
}

DeviceMemory& device_memory() {
  static auto* memory = new DeviceMemory;
  return *memory;
}

void* DeviceMemory::allocate(size_t bytes) {
  if (bytes > limit_) return nullptr;
  const size_t room = room_for(bytes);
  const auto at = static_cast<size_t>(places_.allocate(static_cast<int64_t>(room)));
  if (at + room > limit_) {
    places_.release(static_cast<int64_t>(at), static_cast<int64_t>(room));
    return nullptr;
  }
  top_ = std::max(top_, page_up(at + room));
  const unsigned char mark = next_mark_++;
  allocations_[at] = {bytes, mark};
  used_ += bytes;
  take_pages_again(at, at + room);
  protect(at, at + room, true);
  std::memset(base_ + at, kNothing, room);
  for (size_t i = bytes; i < room; ++i) base_[at + i] = static_cast<char>(guard_byte(at + i, mark));
  if (!open_) protect(at, at + room, false);
  return base_ + at;
}

void DeviceMemory::release(void* p) {
  check_guard(p, "a kernel");
  const auto it = allocation_at(p);
  const size_t at = it->first, room = room_for(it->second.bytes);
  used_ -= it->second.bytes;
  allocations_.erase(it);
  std::memset(base_ + at, kNothing, room);
  if (room >= kLarge) give_pages_back(page_up(at), (at + room) / kPage * kPage);
  places_.release(static_cast<int64_t>(at), static_cast<int64_t>(room));
}

void DeviceMemory::give_pages_back(size_t from, size_t to) {
  protect(from, to, false);
  madvise(base_ + from, to - from, MADV_DONTNEED);
  without_pages_[from] = to - from;
}

// The pages that [from, to) is on are in use again. Those that were given back held zeros.
void DeviceMemory::take_pages_again(size_t from, size_t to) {
  from = from / kPage * kPage, to = page_up(to);
  auto it = without_pages_.upper_bound(from);
  if (it != without_pages_.begin() && std::prev(it)->first + std::prev(it)->second > from) --it;
  while (it != without_pages_.end() && it->first < to) {
    const size_t first = it->first, end = first + it->second, low = std::max(first, from), high = std::min(end, to);
    it = without_pages_.erase(it);
    if (first < low) without_pages_[first] = low - first;
    if (high < end) without_pages_[high] = end - high;
    protect(low, high, true);
    std::memset(base_ + low, kNothing, high - low);
    if (!open_) protect(low, high, false);
  }
}

void DeviceMemory::protect(size_t from, size_t to, bool access) {
  from = from / kPage * kPage, to = page_up(to);
  if (from < to && mprotect(base_ + from, to - from, access ? PROT_READ | PROT_WRITE : PROT_NONE) != 0)
    die("the system has no room to protect more pieces of memory (vm.max_map_count)");
}
void DeviceMemory::open() {
  if (open_) return;
  open_ = true;
  size_t from = 0;
  for (const auto& [at, bytes] : without_pages_) {
    protect(from, at, true);
    from = at + bytes;
  }
  protect(from, top_, true);
}
void DeviceMemory::close() {
  if (!open_) return;
  open_ = false;
  protect(0, top_, false);
}

DeviceMemory::Allocations::const_iterator DeviceMemory::allocation_at(const void* p) const {
  const auto at = static_cast<size_t>(static_cast<const char*>(p) - base_);
  auto it = allocations_.upper_bound(at);
  if (it == allocations_.begin()) return allocations_.end();
  --it;
  return at < it->first + room_for(it->second.bytes) ? it : allocations_.end();
}
bool DeviceMemory::is_allocated(const void* p) const {
  return owns(p) && allocations_.count(static_cast<size_t>(static_cast<const char*>(p) - base_));
}
bool DeviceMemory::holds(const void* p, size_t bytes) const {
  if (!owns(p)) return false;
  const auto it = allocation_at(p);
  const auto at = static_cast<size_t>(static_cast<const char*>(p) - base_);
  return it != allocations_.end() && at + bytes <= it->first + it->second.bytes;
}

void DeviceMemory::check_guard(const void* p, const char* who) const {
  const auto it = allocation_at(p);
  if (it == allocations_.end()) return;
  const auto& [bytes, mark] = it->second;
  for (size_t i = bytes; i < room_for(bytes); ++i)
    if (static_cast<unsigned char>(base_[it->first + i]) != guard_byte(it->first + i, mark))
      die("%s wrote %zu bytes behind an allocation of %zu bytes", who, i - bytes, bytes);
}

void DeviceMemory::describe(const void* p, char* text, size_t size) const {
  const auto it = allocation_at(p);
  const auto at = static_cast<size_t>(static_cast<const char*>(p) - base_);
  if (it != allocations_.end())
    std::snprintf(text, size, "byte %zu of an allocation of %zu bytes of the device's memory", at - it->first,
                  it->second.bytes);
  else std::snprintf(text, size, "the device's memory where nothing is allocated (offset %zu)", at);
}

// ---- the host's ----
PinnedMemory& pinned_memory() {
  static auto* memory = new PinnedMemory;
  return *memory;
}

// A block ends where its pages end, so that what writes behind it faults.
void* PinnedMemory::allocate(size_t bytes, bool mapped) {
  const size_t room = (std::max<size_t>(bytes, 1) + kAlign - 1) / kAlign * kAlign;
  char* pages = map_guarded(room);
  if (!pages) return nullptr;
  char* begin = pages + page_up(room) - room;
  std::memset(begin, kNothing, room);
  blocks_[begin] = {bytes, room, pages, mapped};
  return begin;
}
bool PinnedMemory::release(void* p) {
  const auto it = blocks_.find(static_cast<const char*>(p));
  if (it == blocks_.end()) return false;
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
