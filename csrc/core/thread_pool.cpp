#include "core/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include "core/error.h"
#include "core/float_mode.h"
#include "core/interrupt.h"

namespace hornbeam {
namespace {

inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A job is handed out through one word: | epoch 16 | count 24 | next 24 |. Whether a task is left, and
// which, is decided by that word alone; fn, ctx and mode are read after a task was won, and stay as they
// are until it is done.
constexpr int kBits = 24;
constexpr uint64_t kMask = (uint64_t{1} << kBits) - 1;
constexpr int64_t kMaxTasks = kMask;
// A few tens of microseconds: longer than the gap between two kernels of one plan.
constexpr int kSpins = 2000;
constexpr int kMaxThreads = 1024;
// Jobs that are done with the workers there are, where the system let no further one be made, until it is asked again.
constexpr int kJobsBetweenAttempts = 1000;

struct Pool {
  std::atomic<uint64_t> ticket{0};
  std::atomic<int64_t> done{0};
  std::atomic<bool> busy{false};
  std::atomic<int> parked{0};
  std::atomic<bool> interrupted{false};  // the job
  void (*fn)(void*, int64_t) = nullptr;
  void* ctx = nullptr;
  FloatMode mode = 0;  // of the job's thread
  std::mutex mutex;
  std::condition_variable wake;
  int started = 0;            // workers running; guarded by `busy`
  int attempt_in = 0;         // jobs until further workers are asked for; guarded by `busy`
  std::atomic<int> limit{0};  // threads in a job, caller included; 0: not decided yet
};

// Never destroyed: workers may outlive static destructors. Not on the heap: kernels come here and cannot throw.
Pool* pool() noexcept {
  alignas(Pool) static char memory[sizeof(Pool)];
  static Pool* p = new (memory) Pool;
  return p;
}

thread_local bool is_worker = false;

bool left(uint64_t t) { return (t & kMask) < ((t >> kBits) & kMask); }

bool run_one(Pool& p) {
  uint64_t t = p.ticket.load(std::memory_order_acquire);
  while (left(t)) {
    if (p.ticket.compare_exchange_weak(t, t + 1, std::memory_order_acq_rel)) {
      if (float_mode() != p.mode) set_float_mode(p.mode);
      p.fn(p.ctx, static_cast<int64_t>(t & kMask));
      p.done.fetch_add(1, std::memory_order_release);
      return true;
    }
  }
  return false;
}

// Takes back the tasks that nobody has begun.
void drop_rest(Pool& p) {
  uint64_t t = p.ticket.load(std::memory_order_acquire);
  while (left(t)) {
    const uint64_t rest = ((t >> kBits) & kMask) - (t & kMask);
    if (!p.ticket.compare_exchange_weak(t, t + rest, std::memory_order_acq_rel)) continue;
    p.done.fetch_add(static_cast<int64_t>(rest), std::memory_order_release);
    return;
  }
}

void* worker(void* argument) noexcept {
  const int index = static_cast<int>(reinterpret_cast<intptr_t>(argument));
  Pool& p = *pool();
  is_worker = true;
  for (int idle = 0;;) {
    if (index < p.limit.load(std::memory_order_relaxed) && run_one(p)) {
      idle = 0;
      continue;
    }
    if (++idle < kSpins) {
      pause_cpu();
      continue;
    }
    std::unique_lock<std::mutex> lock(p.mutex);
    p.parked.fetch_add(1);
    p.wake.wait(lock, [&] { return index < p.limit.load(std::memory_order_relaxed) && left(p.ticket.load()); });
    p.parked.fetch_sub(1);
    idle = 0;
  }
}

// CPUs granted by a cgroup quota, or a large number.
int cgroup_cpus() {
  int found = 1 << 20;
  if (FILE* f = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    char quota[32];
    long period = 0;
    if (std::fscanf(f, "%31s %ld", quota, &period) == 2 && std::strcmp(quota, "max") != 0 && period > 0)
      found = std::max(1, static_cast<int>((std::atol(quota) + period - 1) / period));
    std::fclose(f);
  }
  return found;
}

int default_threads() {
  if (const char* env = std::getenv("HORNBEAM_NUM_THREADS")) {
    char* end = nullptr;
    const long n = std::strtol(env, &end, 10);
    if (*end || n < 1 || n > kMaxThreads)
      throw ValueError("HORNBEAM_NUM_THREADS must be an integer from 1 to " + std::to_string(kMaxThreads) + ", got '" +
                       std::string(env) + "'");
    return static_cast<int>(n);
  }
  int n = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
#endif
  return std::clamp(std::min(n, cgroup_cpus()), 1, kMaxThreads);
}

void after_fork_in_child() noexcept {
  // The workers did not survive; nor can the old mutex be trusted.
  int limit = pool()->limit.load();
  Pool* p = new (pool()) Pool;
  p->limit = limit;
}

// As many as the system lets be made: with fewer, or none, the job takes longer and its bits are the same.
void start_workers(Pool& p, int threads) noexcept {
  static const bool survives_fork = pthread_atfork(nullptr, nullptr, after_fork_in_child) == 0;
  if (!survives_fork) return;
  if (p.attempt_in > 0) {
    --p.attempt_in;
    return;
  }
  pthread_attr_t detached;
  if (pthread_attr_init(&detached)) return;
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  for (pthread_t thread; p.started < threads - 1; ++p.started)
    if (pthread_create(&thread, &detached, worker, reinterpret_cast<void*>(intptr_t{p.started} + 1))) {
      p.attempt_in = kJobsBetweenAttempts;
      break;
    }
  pthread_attr_destroy(&detached);
}

}  // namespace

int num_threads() {
  Pool& p = *pool();
  int n = p.limit.load(std::memory_order_relaxed);
  if (!n) p.limit = n = default_threads();
  return n;
}

void set_num_threads(int n) {
  if (n < 1 || n > kMaxThreads)
    throw ValueError("the number of threads must be from 1 to " + std::to_string(kMaxThreads) + ", got " +
                     std::to_string(n));
  pool()->limit = n;
}

// Of a task: whether its job was interrupted.
static bool interrupted() {
  if (is_worker) return pool()->interrupted.load(std::memory_order_relaxed);
  Interruptible* const run = Interruptible::current();
  return run && run->is_asked();
}

void parallel(int64_t count, void (*fn)(void*, int64_t), void* ctx) {
  Pool& p = *pool();
  const int threads = p.limit.load(std::memory_order_relaxed);
  if (count <= 1 || threads <= 1 || count > kMaxTasks || p.busy.exchange(true, std::memory_order_acquire)) {
    for (int64_t i = 0; i < count; ++i) {
      if (i > 0) interruption_point();
      fn(ctx, i);
    }
    leave_interrupted();
    return;
  }
  if (p.started < threads - 1) start_workers(p, threads);
  p.fn = fn;
  p.ctx = ctx;
  p.mode = float_mode();
  p.interrupted.store(false, std::memory_order_relaxed);
  p.done.store(0, std::memory_order_relaxed);
  uint64_t epoch = (p.ticket.load(std::memory_order_relaxed) >> (2 * kBits)) + 1;
  p.ticket.store(epoch << (2 * kBits) | static_cast<uint64_t>(count) << kBits, std::memory_order_seq_cst);
  if (p.parked.load(std::memory_order_seq_cst) > 0) {
    {
      std::lock_guard<std::mutex> lock(p.mutex);
    }
    p.wake.notify_all();
  }
  Interruptible* const run = Interruptible::current();
  const auto look_up = [&] {
    if (!run || !run->is_asked()) return;
    p.interrupted.store(true, std::memory_order_relaxed);
    drop_rest(p);
  };
  while (run_one(p)) look_up();
  for (int spins = 0; p.done.load(std::memory_order_acquire) < count;) {
    // The last tasks run elsewhere. Yield when a worker was descheduled in the middle of one.
    if (++spins < kSpins) {
      pause_cpu();
    } else {
      sched_yield();
      look_up();
    }
  }
  p.busy.store(false, std::memory_order_release);
  leave_interrupted();
}

const TaskRunner pool_tasks = {parallel, interrupted};

}  // namespace hornbeam
