// A fork waits for the threads that are inside the core. Its child has the forking thread alone: what others were in
// the middle of (a variable half written, a mutex held, a plan half made) would stay so in it for ever.
#pragma once

namespace hornbeam {

// While one of these is entered, its thread is inside the core. A thread may enter several times.
class InsideCore {
 public:
  InsideCore() = default;
  ~InsideCore() { leave(); }
  InsideCore(const InsideCore&) = delete;
  InsideCore& operator=(const InsideCore&) = delete;

  // False while another thread forks: then wait_for_fork(), without the GIL, which that thread needs. Throws
  // RuntimeError in a child whose fork could not wait any longer for somebody inside.
  bool try_enter();
  void leave();

 private:
  bool entered_ = false;
};

void wait_for_fork();

// Around a fork, in the thread that makes it. before_fork() lets nobody in any more and waits until nobody else is
// inside, up to 10 seconds (or HORNBEAM_FORK_PATIENCE); hold no GIL. They nest: fork() calls them too, once
// register_fork_handlers() was called.
void before_fork();
void after_fork_in_parent();
void after_fork_in_child();
void register_fork_handlers();

}  // namespace hornbeam
