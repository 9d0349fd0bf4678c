// The threads of a block as fibers of the thread that runs the work. They change hands at barriers and shuffles only,
// and a warp runs as far ahead of the others as CUDA allows: so a missing barrier shows.
#undef _FORTIFY_SOURCE  // its longjmp refuses other stacks
#include "cuda/sim/fibers.h"

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "cuda/sim/memory.h"
#include "cuda/sim/runtime.h"
#include "cuda/sim/sim.h"
#include "cuda/sim/streams.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace hornbeam::sim {

uint3 block_idx;
dim3 block_dim, grid_dim;

namespace {

constexpr unsigned kWarp = 32;
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kStackBytes = 256 << 10;
#else
constexpr size_t kStackBytes = 64 << 10;
#endif

// ---- where a fiber, or the scheduler, goes on ----
struct Context {
  jmp_buf at;
  ucontext_t start;  // of a fiber that never ran
  bool is_new = false;
  const void* stack = nullptr;
  size_t stack_bytes = 0;
  void* sanitizer = nullptr;  // what AddressSanitizer keeps of it
};

Context scheduler;

// setjmp and longjmp, since swapcontext would ask the system twice.
void change(Context& from, Context& to) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(&from.sanitizer, to.stack, to.stack_bytes);
#endif
  if (_setjmp(from.at) == 0) {
    if (!to.is_new) _longjmp(to.at, 1);
    to.is_new = false;
    setcontext(&to.start);
  }
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(from.sanitizer, nullptr, nullptr);
#endif
}

// ---- fibers ----
enum class State : uint8_t { running, at_block_barrier, at_warp_barrier, done };

struct Fiber {
  Context context;
  State state;
  unsigned mask;  // of the warp operation that it waits in
  uint3 index;
  uint64_t given = 0, shown = 0;  // what it brought to its warp operation, and what the others see of the last
};

struct Block {
  std::vector<std::unique_ptr<Fiber>> fibers;  // the first `threads` are of the running kernel
  unsigned threads = 0, current = 0;
  const std::function<void()>* body = nullptr;
  std::vector<unsigned> warps;  // in the order in which they run
  char* shared = nullptr;       // ends where its pages end
  char* shared_pages = nullptr;
};
Block& block() {
  static auto* the = new Block;
  return *the;
}

[[noreturn]] void fail(const char* what) {
  die("%s: %s (block %u,%u,%u thread %u)", running_work(), what, block_idx.x, block_idx.y, block_idx.z,
      block().current);
}

void run_threads() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(nullptr, &scheduler.stack, &scheduler.stack_bytes);
#endif
  for (;;) {
    (*block().body)();
    Fiber& self = *block().fibers[block().current];
    self.state = State::done;
    change(self.context, scheduler);  // and back for a thread of the next block
  }
}

std::unique_ptr<Fiber> make_fiber() {
  auto fiber = std::make_unique<Fiber>();
  char* stack = map_guarded(kStackBytes);
  if (!stack) die("no room for the stacks of a block's threads");
  Context& context = fiber->context;
  context.stack = stack;
  context.stack_bytes = kStackBytes;
  context.is_new = true;
  getcontext(&context.start);
  context.start.uc_stack.ss_sp = stack;
  // Not all of them end at the same place of a page: those would share few lines of the processor's cache.
  context.start.uc_stack.ss_size = kStackBytes - block().fibers.size() * 7 % 64 * 64;
  context.start.uc_link = nullptr;
  makecontext(&context.start, run_threads, 0);
  return fiber;
}

void leave(State state, unsigned mask = 0) {
  Fiber& self = *block().fibers[block().current];
  self.state = state;
  self.mask = mask;
  change(self.context, scheduler);
}

// ---- warps ----
struct Warp {
  unsigned first, size;
  Fiber& operator[](unsigned lane) const { return *block().fibers[first + lane]; }
  unsigned all() const { return size == kWarp ? ~0u : (1u << size) - 1; }
};

// Lets go on the lanes of one warp operation that have all come to it. False if no lane waits.
bool release_lanes(const Warp& warp) {
  bool is_waiting = false;
  for (unsigned l = 0; l < warp.size; ++l) {
    if (warp[l].state != State::at_warp_barrier) continue;
    is_waiting = true;
    const unsigned mask = warp[l].mask & warp.all();
    if (!(mask >> l & 1)) fail("a lane is not in the mask of its own warp operation");
    unsigned here = 0;
    for (unsigned k = 0; k < warp.size; ++k)
      here |= unsigned{warp[k].state == State::at_warp_barrier && (warp[k].mask & warp.all()) == mask} << k;
    if ((here & mask) != mask) continue;
    for (unsigned k = 0; k < warp.size; ++k) {
      if (!(mask >> k & 1)) continue;
      warp[k].state = State::running;
      warp[k].shown = warp[k].given;  // stays until each of them has come to its next barrier
    }
    return true;
  }
  if (is_waiting) fail("a lane in the mask of a warp operation never comes to it");
  return false;
}

// Runs until each lane is done or at the block's barrier.
void run_warp(const Warp& warp) {
  unsigned order[kWarp];
  std::iota(order, order + warp.size, 0u);
  do {
    if (is_random()) std::shuffle(order, order + warp.size, dice());
    for (unsigned i = 0; i < warp.size; ++i) {
      if (warp[order[i]].state != State::running) continue;
      block().current = warp.first + order[i];
      change(scheduler, warp[order[i]].context);
    }
  } while (release_lanes(warp));
}

void run_block() {
  Block& b = block();
  for (unsigned t = 0; t < b.threads; ++t) b.fibers[t]->state = State::running;
  for (;;) {
    if (is_random()) std::shuffle(b.warps.begin(), b.warps.end(), dice());
    for (const unsigned w : b.warps) run_warp({w * kWarp, std::min(kWarp, b.threads - w * kWarp)});
    unsigned waiting = 0;
    for (unsigned t = 0; t < b.threads; ++t) waiting += b.fibers[t]->state == State::at_block_barrier;
    if (!waiting) return;
    if (waiting != b.threads) fail("__syncthreads() is not reached by every thread");
    for (unsigned t = 0; t < b.threads; ++t) b.fibers[t]->state = State::running;
  }
}

void prepare(dim3 threads, size_t shared_bytes) {
  Block& b = block();
  b.threads = threads.x * threads.y * threads.z;
  while (b.fibers.size() < b.threads) b.fibers.push_back(make_fiber());
  for (unsigned t = 0; t < b.threads; ++t)
    b.fibers[t]->index = {t % threads.x, t / threads.x % threads.y, t / threads.x / threads.y};
  b.warps.resize((b.threads + kWarp - 1) / kWarp);
  std::iota(b.warps.begin(), b.warps.end(), 0u);
  if (!b.shared_pages) b.shared_pages = map_guarded(kMostSharedBytes);
  if (!b.shared_pages) die("no room for a block's shared memory");
  b.shared = b.shared_pages + kMostSharedBytes - (shared_bytes + 15) / 16 * 16;
}

}  // namespace

cudaError_t check_configuration(dim3 grid, dim3 threads, size_t shared_bytes) {
  const uint64_t count = uint64_t{threads.x} * threads.y * threads.z;
  const bool is_possible = count > 0 && count <= kMostThreads && threads.z <= 64 && grid.x && grid.y && grid.z &&
                           grid.x <= 0x7fffffff && grid.y <= 0xffff && grid.z <= 0xffff &&
                           shared_bytes <= kMostSharedBytes;
  return remember(is_possible ? cudaSuccess : cudaErrorInvalidConfiguration);
}

void run_blocks(dim3 grid, dim3 threads, size_t shared_bytes, const std::function<void()>& thread) {
  grid_dim = grid;
  block_dim = threads;
  block().body = &thread;
  prepare(threads, shared_bytes);
  const Permutation order(int64_t{grid.x} * grid.y * grid.z);
  int64_t b = order.first();
  for (int64_t k = 0, count = int64_t{grid.x} * grid.y * grid.z; k < count; ++k, b = order.after(b)) {
    block_idx = {static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                 static_cast<unsigned>(b / grid.x / grid.y)};
    std::memset(block().shared, kNothing, shared_bytes);
    run_block();
  }
}

const char* guard_of_block(const void* p) {
  const char* at = static_cast<const char*>(p);
  const Block& b = block();
  if (b.shared_pages && at >= b.shared_pages + kMostSharedBytes && at < b.shared_pages + kMostSharedBytes + kPage)
    return "shared memory";
  for (const auto& fiber : b.fibers) {
    const char* stack = static_cast<const char*>(fiber->context.stack);
    if (at < stack && at >= stack - kPage) return "stack";
  }
  return nullptr;
}

const uint3& thread_idx() { return block().fibers[block().current]->index; }
unsigned lane() { return block().current % kWarp; }
void* shared_memory() { return block().shared; }
void block_barrier() { leave(State::at_block_barrier); }
void warp_barrier(unsigned mask) { leave(State::at_warp_barrier, mask); }

void exchange(unsigned mask, const void* mine, void* theirs, size_t bytes, int source) {
  const Block& b = block();
  const unsigned me = b.current, from = me / kWarp * kWarp + static_cast<unsigned>(source);
  std::memcpy(&b.fibers[me]->given, mine, bytes);
  warp_barrier(mask);
  const bool is_there = source >= 0 && source < static_cast<int>(kWarp) && from < b.threads;
  std::memcpy(theirs, &b.fibers[is_there ? from : me]->shown, bytes);
}

unsigned ballot(unsigned mask, bool vote) {
  const Block& b = block();
  const unsigned me = b.current, first = me / kWarp * kWarp;
  b.fibers[me]->given = vote;
  warp_barrier(mask);
  unsigned votes = 0;
  for (unsigned l = 0; l < kWarp && first + l < b.threads; ++l)
    if (mask >> l & 1) votes |= unsigned{b.fibers[first + l]->shown != 0} << l;
  return votes;
}

}  // namespace hornbeam::sim
