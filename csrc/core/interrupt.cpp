#include "core/interrupt.h"

#include <time.h>

namespace hornbeam {

namespace {

constexpr int64_t kInterval = 50'000'000;

thread_local Interruptible* current_run = nullptr;

int64_t now() {
#ifdef CLOCK_MONOTONIC_COARSE
  constexpr clockid_t clock = CLOCK_MONOTONIC_COARSE;  // a few milliseconds late, at a fifth of the cost
#else
  constexpr clockid_t clock = CLOCK_MONOTONIC;
#endif
  timespec t;
  clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

Interruptible::Interruptible(bool (*ask)()) : ask_(ask), outer_(current_run), next_(now() + kInterval) {
  current_run = this;
}

Interruptible::~Interruptible() { current_run = outer_; }

Interruptible* Interruptible::current() { return current_run; }

bool Interruptible::is_asked() {
  if (asked_ || now() < next_) return asked_;
  asked_ = ask_();
  next_ = now() + kInterval;
  return asked_;
}

Uninterruptible::Uninterruptible() : held_(current_run) { current_run = nullptr; }

Uninterruptible::~Uninterruptible() { current_run = held_; }

}  // namespace hornbeam
