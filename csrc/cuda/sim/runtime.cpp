#include "cuda/sim/runtime.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "cuda/sim/faults.h"
#include "cuda/sim/memory.h"

namespace hornbeam::sim {

void die(const char* format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  const int length = std::vsnprintf(text, sizeof text - 1, format, args);
  va_end(args);
  const size_t end = length < 0 ? 0 : std::min(static_cast<size_t>(length), sizeof text - 2);
  text[end] = '\n';
  // By the system's own call: this may be a signal handler.
  static_cast<void>(!write(STDERR_FILENO, "simulated device: ", 18));
  static_cast<void>(!write(STDERR_FILENO, text, end + 1));
  std::abort();
}

std::recursive_mutex& everything() {
  static auto* mutex = new std::recursive_mutex;
  return *mutex;
}

namespace {
thread_local cudaError_t last_error = cudaSuccess;
bool is_forked = false;
}  // namespace

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

// As with a GPU, a process that was forked after the first call has no device.
cudaError_t refusal() {
  static const bool is_begun = [] {
    pthread_atfork(nullptr, nullptr, [] { is_forked = true; });
    device_memory();
    watch_for_faults();
    return true;
  }();
  return is_begun && is_forked ? cudaErrorInitializationError : cudaSuccess;
}

bool in_host_function = false;

}  // namespace hornbeam::sim

using namespace hornbeam::sim;

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() { return last_error; }

namespace {
struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};
constexpr ErrorText kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInitializationError, "cudaErrorInitializationError",
     "the device was in use before this process was forked"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "no launch can have this grid, block or memory"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "no such device"},
    {cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection", "a copy in a direction that is not simulated"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle",
     "a stream of another device than the current one"},
    {cudaErrorNotReady, "cudaErrorNotReady", "work is not done yet"},
    {cudaErrorNotPermitted, "cudaErrorNotPermitted", "a call inside a host function"},
    {cudaErrorIllegalState, "cudaErrorIllegalState", "the stream is captured already, or is not captured"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "not permitted while a stream is captured"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "the capture met a call that is not permitted in it"},
};
const ErrorText& text_of(cudaError_t error) {
  for (const ErrorText& e : kErrors)
    if (e.error == error) return e;
  static constexpr ErrorText kUnknown = {cudaErrorUnknown, "cudaErrorUnknown", "an error that is not simulated"};
  return kUnknown;
}
}  // namespace

const char* cudaGetErrorName(cudaError_t error) { return text_of(error).name; }
const char* cudaGetErrorString(cudaError_t error) { return text_of(error).text; }
