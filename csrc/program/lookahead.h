// A batch that goes to a device's own memory while the one before it computes there.
#pragma once
#include <vector>

#include "core/buffer.h"
#include "core/device.h"
#include "program/feed.h"

namespace hornbeam {

// What a run brings to another device than the host, or takes from there: in one block of its memory, whose parts never
// move, and in one of the host's from which it is copied in one go. Or both are one block, which is mapped.
struct Exchange {
  char *there = nullptr, *here = nullptr;
  std::vector<int64_t> at;  // of each part
  int64_t bytes = 0;

  void add(int64_t size) {
    at.push_back(bytes);
    bytes += align_up(size > 0 ? size : 1);
  }
  void allocate(Device& device) {
    owned_there_ = Buffer(bytes, device);
    owned_here_ = Buffer(bytes, device.pinned());
    there = owned_there_.data();
    here = owned_here_.data();
  }
  void allocate_mapped(Memory& mapped) {
    owned_here_ = Buffer(bytes, mapped);
    there = here = owned_here_.data();
  }
  bool is_mapped() const { return there == here; }

 private:
  Buffer owned_there_, owned_here_;
};

// Feeds of a run, with room of their own to wait in. A run that computes on a device has those of the next one sent;
// that one finds them there. Then the room is free for others, since a run waits for its end.
class EarlyFeeds {
 public:
  EarlyFeeds() = default;
  ~EarlyFeeds() { set({}); }
  EarlyFeeds(const EarlyFeeds&) = delete;
  EarlyFeeds& operator=(const EarlyFeeds&) = delete;

  const std::vector<Feed>& feeds() const { return feeds_; }
  // What `feeds` points to stays until the next call of this.
  void set(std::vector<Feed> feeds);

 private:
  friend class Plan;
  std::vector<Feed> feeds_;
  Exchange room_;
  Device* device_ = nullptr;  // of the room
  uint64_t plan_ = 0;         // whose layout it has
  bool is_sent_ = false;      // and not used since
};

}  // namespace hornbeam
