// What the parts of the simulated runtime share: its lock, its errors, its end.
#pragma once
#include <cuda_runtime_api.h>

#include <mutex>

namespace hornbeam::sim {

// A mistake of the program: says what it is, and ends the process where it stands.
[[noreturn]] __attribute__((format(printf, 1, 2))) void die(const char* format, ...);

std::recursive_mutex& everything();  // locked by each call, and so while work runs

// Keeps an error for cudaGetLastError of this thread.
cudaError_t remember(cudaError_t error);
// Why no call is possible: this is a forked child.
cudaError_t refusal();
extern bool in_host_function;
int current_device();        // of this thread
bool is_device(int number);  // one of those that there are

// What the runtime's calls have in common.
template <class Body>
cudaError_t call(Body body) {
  if (const cudaError_t refused = refusal()) return remember(refused);
  const std::lock_guard<std::recursive_mutex> lock(everything());
  if (in_host_function) return remember(cudaErrorNotPermitted);
  return remember(body());
}

}  // namespace hornbeam::sim
