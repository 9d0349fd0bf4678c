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

bool Plan::is_sent(const Lookahead& lookahead) const {
  return lookahead.now && lookahead.now->is_sent_ && lookahead.now->plan_ == serial_;
}

// From where they wait to where the steps read them.
void Plan::take_early(Execution& e, EarlyFeeds& early) {
  early.is_sent_ = false;
  device_.join();
  if (const int64_t bytes = e.bytes_of_feeds()) device_.copy(e.fed.there.data(), early.room_.there.data(), bytes);
}

// False where they are for another plan, were sent already, or there is no room.
bool Plan::make_room(const Execution& e, EarlyFeeds& early) {
  if (early.is_sent_) return false;
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
      stage(early.feeds_[f], types_[program_.feeds[f]].dtype, early.room_.here.data() + early.room_.at[f]);
    early.is_sent_ = true;
    if (early.room_.bytes) device_.send_beside(early.room_.there.data(), early.room_.here.data(), early.room_.bytes);
  } catch (const std::exception&) {
    early.is_sent_ = false;
  }
}

}  // namespace hornbeam
