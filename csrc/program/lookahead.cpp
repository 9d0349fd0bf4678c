#include "program/lookahead.h"

#include <utility>

#include "core/error.h"
#include "core/interrupt.h"
#include "program/execution.h"

namespace hornbeam {

void EarlyFeeds::set(std::vector<Feed> feeds) {
  feeds_ = std::move(feeds);
  if (!std::exchange(is_sent_, false)) return;
  try {  // no run has waited for the copy
    device_->join();
    device_->wait();
  } catch (const RuntimeError&) {  // a forked child has no device, and fills nothing
  }
}

bool Plan::is_sent(const EarlyFeeds* early) const { return early && early->is_sent_ && early->plan_ == serial_; }

// To where the steps read them: from the room where they wait, from where they lie on the device, or from the block in
// which they are staged. The run's number is staged, too.
void Plan::send_feeds(Execution& e, const std::vector<Feed>& feeds, EarlyFeeds* now) {
  const bool is_early = is_sent(now);
  if (is_early) {
    now->is_sent_ = false;
    device_.join();
  }
  int64_t begin = 0, end = 0;  // what is staged and not sent yet
  const auto send = [&] {
    if (begin < end && !e.fed.is_mapped()) device_.send(e.fed.there + begin, e.fed.here + begin, end - begin);
  };
  for (size_t i = 0; i < e.fed.at.size(); ++i) {
    const int64_t at = e.fed.at[i], next = i + 1 < e.fed.at.size() ? e.fed.at[i + 1] : e.fed.bytes;
    const bool is_there = i < feeds.size() && (is_early || lies_there(i, feeds[i]));
    if (is_there) {
      send();
      begin = next;
      const char* from = is_early ? now->room_.there + at : feeds[i].data;
      if (const int64_t bytes = bytes_of(types_[program_.feeds[i]]))
        e.fed.is_mapped() ? device_.fetch(e.fed.here + at, from, bytes) : device_.copy(e.fed.there + at, from, bytes);
    }
    end = next;
  }
  send();
}

// False where they are for another plan, were sent already, are read in the host's memory anyway, or there is no room.
bool Plan::make_room(const Execution& e, EarlyFeeds& early) {
  if (early.is_sent_ || e.fed.is_mapped()) return false;
  for (size_t f = 0; f < feed_shapes_.size(); ++f)
    if (early.feeds_.size() != feed_shapes_.size() || early.feeds_[f].fed_shape() != feed_shapes_[f]) return false;
  if (early.plan_ == serial_) return true;
  try {
    Exchange room;
    room.at = e.fed.at;
    room.bytes = e.fed.bytes;
    room.allocate(device_);
    device_.wait();  // for the memory to be there, which copies beside other work would not
    early.room_ = std::move(room);
  } catch (const std::bad_alloc&) {
    return false;
  }
  early.device_ = &device_;
  early.plan_ = serial_;
  return true;
}

// What is wrong with them the run says that takes them.
void Plan::send_early(EarlyFeeds& early) noexcept {
  const Uninterruptible going_on;
  try {
    for (size_t f = 0; f < early.feeds_.size(); ++f)
      stage(early.feeds_[f], types_[program_.feeds[f]].dtype, early.room_.here + early.room_.at[f]);
    early.is_sent_ = true;
    if (early.room_.bytes) device_.send_beside(early.room_.there, early.room_.here, early.room_.bytes);
  } catch (const std::exception&) {
    early.is_sent_ = false;
  }
}

}  // namespace hornbeam
