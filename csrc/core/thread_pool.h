// The process's worker threads. They spin briefly for the next job, then park; a fork starts the
// child with none and they come back on first use.
#pragma once
#include <cstdint>

#include "cpu/kernel.h"

namespace hornbeam {

// Threads that take part in a job, the caller included. The default honours HORNBEAM_NUM_THREADS, the
// process's affinity mask and its cgroup CPU quota; it is decided by the first call, which binding a plan makes. Throws
// ValueError where that variable is not a number of threads.
int num_threads();
void set_num_threads(int n);  // throws ValueError for n < 1, and for thousands

// Runs fn(ctx, 0 … count-1), in the caller's float mode. When another job has the pool, the caller does all of it
// alone. Tasks start no jobs of their own. Throws Interrupted, where the caller is Interruptible, once no task runs any
// more; nothing else.
void parallel(int64_t count, void (*fn)(void*, int64_t), void* ctx);

// `parallel` in the form kernels take it.
extern const TaskRunner pool_tasks;

}  // namespace hornbeam
