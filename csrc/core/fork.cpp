#include "core/fork.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "core/error.h"

namespace hornbeam {
namespace {

constexpr std::chrono::microseconds kPause{50};

// | forks under way 32 | threads inside 32 |: one word, so that entering costs one atomic operation.
constexpr uint64_t kFork = uint64_t{1} << 32;
std::atomic<uint64_t> gate{0};
std::atomic<bool> unusable{false};  // in a child: its fork did not wait long enough

thread_local int entries = 0;       // of this thread
thread_local int preparations = 0;  // before_fork() less after_fork_*()
thread_local bool gave_up = false;

std::chrono::duration<double> patience() {
  const char* seconds = std::getenv("HORNBEAM_FORK_PATIENCE");
  return std::chrono::duration<double>(seconds ? std::atof(seconds) : 10);
}

uint32_t threads_inside() { return static_cast<uint32_t>(gate.load(std::memory_order_acquire)); }

}  // namespace

bool InsideCore::try_enter() {
  if (unusable.load(std::memory_order_relaxed))
    throw RuntimeError(
        "this process was forked while another thread was inside Hornbeam, and the fork could not wait any longer: "
        "what that thread was writing is lost here. Fork between training steps, start workers by 'spawn' or "
        "'forkserver', or let forks wait longer than the usual 10 seconds by HORNBEAM_FORK_PATIENCE=seconds");
  if (entries == 0 && gate.fetch_add(1, std::memory_order_acq_rel) >= kFork) {
    gate.fetch_sub(1, std::memory_order_release);
    return false;
  }
  ++entries;
  return entered_ = true;
}

void InsideCore::leave() {
  if (!entered_) return;
  entered_ = false;
  if (--entries == 0) gate.fetch_sub(1, std::memory_order_release);
}

void wait_for_fork() {
  while (gate.load(std::memory_order_acquire) >= kFork) std::this_thread::sleep_for(kPause);
}

void before_fork() {
  if (preparations++ > 0) return;
  gate.fetch_add(kFork, std::memory_order_acq_rel);
  const uint32_t own = entries > 0;
  const auto begin = std::chrono::steady_clock::now();
  const auto limit = patience();
  gave_up = false;
  while (threads_inside() > own && !gave_up) {
    std::this_thread::sleep_for(kPause);
    gave_up = std::chrono::steady_clock::now() - begin > limit;
  }
}

void after_fork_in_parent() {
  if (--preparations == 0) gate.fetch_sub(kFork, std::memory_order_release);
}

void after_fork_in_child() {
  preparations = 0;
  gate = entries > 0;
  if (gave_up) unusable = true;
}

void register_fork_handlers() {
  static const int registered = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  (void)registered;
}

}  // namespace hornbeam
