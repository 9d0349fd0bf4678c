// Ending a long run early. The core knows no Python: whoever starts a run says how to find out whether it is to end,
// and the run asks now and then, between its steps and between the tasks that its own thread does.
#pragma once
#include <cstdint>

namespace hornbeam {

// Ends a run. It passes through kernels, which own nothing: their files have unwind tables for it.
struct Interrupted {};

// While one lives, this thread's runs may be interrupted.
class Interruptible {
 public:
  explicit Interruptible(bool (*ask)());  // called every 50 ms, from interruption points alone
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  // This thread's; null if its runs go on to their end.
  static Interruptible* current();

  // Whether the run is to end, which stays so. Nearly always a look at a coarse clock.
  bool is_asked();

  // Whether is_asked() was true before: what has been left undone since then must not be used.
  bool was_asked() const { return asked_; }

 private:
  bool (*const ask_)();
  bool asked_ = false;
  Interruptible* const outer_;
  int64_t next_;  // when to ask again, in nanoseconds
};

// While one lives, this thread's run goes on: it is writing variables, or another has to clean up first.
class Uninterruptible {
 public:
  Uninterruptible();
  ~Uninterruptible();
  Uninterruptible(const Uninterruptible&) = delete;
  Uninterruptible& operator=(const Uninterruptible&) = delete;

 private:
  Interruptible* const held_;
};

// Throws Interrupted where this thread's run is to end.
inline void interruption_point() {
  if (Interruptible* run = Interruptible::current())
    if (run->is_asked()) throw Interrupted();
}

// Throws Interrupted where something in this thread's run has been left undone; looks at no clock.
inline void leave_interrupted() {
  if (Interruptible* run = Interruptible::current())
    if (run->was_asked()) throw Interrupted();
}

}  // namespace hornbeam
