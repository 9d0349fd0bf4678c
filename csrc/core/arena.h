// Offsets for values whose lifetimes are known: a free list over one range that grows as needed.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "core/buffer.h"

namespace hornbeam {

// HORNBEAM_ARENA=poison: memory that holds no value is filled with NaN bits, so that reading it shows.
inline bool arena_poisoned() {
  const char* wanted = std::getenv("HORNBEAM_ARENA");
  return wanted && std::string(wanted) == "poison";
}

class ArenaPlanner {
 public:
  explicit ArenaPlanner(bool reuse) : reuse_(reuse) {}

  // Whether one of the free ranges is that large: then allocate() does not grow the arena.
  bool has_room(int64_t bytes) const {
    bytes = align_up(bytes > 0 ? bytes : 1);
    for (const auto& range : free_)
      if (range.second >= bytes) return true;
    return false;
  }

  // Best fit among the free ranges; grows the arena when none fits.
  int64_t allocate(int64_t bytes) {
    bytes = align_up(bytes > 0 ? bytes : 1);
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it)
      if (it->second >= bytes && (best == free_.end() || it->second < best->second)) best = it;
    if (best != free_.end()) return take(best, bytes);
    if (!free_.empty()) {  // extend the last range when it touches the end
      auto last = std::prev(free_.end());
      if (last->first + last->second == size_) {
        size_ = last->first + bytes;
        last->second = bytes;
        return take(last, bytes);
      }
    }
    int64_t offset = size_;
    size_ += bytes;
    return offset;
  }

  void release(int64_t offset, int64_t bytes) {
    if (!reuse_) return;
    bytes = align_up(bytes > 0 ? bytes : 1);
    auto next = free_.lower_bound(offset);
    if (next != free_.end() && offset + bytes == next->first) {
      bytes += next->second;
      next = free_.erase(next);
    }
    if (next != free_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == offset) {
        before->second += bytes;
        return;
      }
    }
    free_[offset] = bytes;
  }

  int64_t size() const { return size_; }

 private:
  int64_t take(std::map<int64_t, int64_t>::iterator it, int64_t bytes) {
    int64_t offset = it->first, left = it->second - bytes;
    free_.erase(it);
    if (left > 0) free_[offset + bytes] = left;
    return offset;
  }

  bool reuse_;
  int64_t size_ = 0;
  std::map<int64_t, int64_t> free_;  // offset -> bytes
};

}  // namespace hornbeam
