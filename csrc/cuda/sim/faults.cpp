#include "cuda/sim/faults.h"

#include <signal.h>

#include "cuda/sim/fibers.h"
#include "cuda/sim/memory.h"
#include "cuda/sim/runtime.h"
#include "cuda/sim/streams.h"

namespace hornbeam::sim {

namespace {

struct sigaction before;

void on_fault(int signal, siginfo_t* info, void* context) {
  const char* work = running_work();
  if (const char* guard = guard_of_block(info->si_addr)) die("%s: a thread went beyond its %s", work, guard);
  char place[160];
  if (device_memory().describe(info->si_addr, place, sizeof place)) {
    if (!work) die("host code touched %s", place);
    die("%s touched %s%s", work, place,
        device_memory().owns(info->si_addr) ? ", by an address that is not in its arguments" : "");
  }
  if (before.sa_flags & SA_SIGINFO) return before.sa_sigaction(signal, info, context);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) return before.sa_handler(signal);
  ::signal(signal, SIG_DFL);  // the instruction faults again
}

}  // namespace

void watch_for_faults() {
  struct sigaction action = {};
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  action.sa_sigaction = on_fault;
  sigaction(SIGSEGV, &action, &before);
}

}  // namespace hornbeam::sim
