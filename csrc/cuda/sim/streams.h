// Streams are queues of work; a graph is a list of it. What is in a queue runs when the schedule lets it, or when
// something waits for it.
#pragma once
#include <cuda_runtime_api.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace hornbeam::sim {

struct Stream;

// An event as it was recorded once.
struct Mark {
  Stream* stream;
  bool is_reached = false;
};

struct Work {
  enum class Kind { on_device, host_function, record, wait };

  Kind kind;
  std::string name;
  std::function<void()> run;
  std::vector<const void*> pointers;  // to memory that a kernel may write
  std::shared_ptr<Mark> mark;         // to record or to wait for
};
using WorkList = std::vector<std::shared_ptr<const Work>>;

struct Capture {
  WorkList work;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  bool is_broken = false;  // by a call that a capture does not allow
};

struct Stream {
  unsigned number;  // of creation
  int device;
  std::deque<std::shared_ptr<const Work>> queue;
  std::unique_ptr<Capture> capture;
};
Stream& stream_of(cudaStream_t handle);

// Into the stream's queue, or into what it captures.
void put(Stream& stream, Work work);
// Into its queue: a graph.
void put(Stream& stream, const WorkList& work);

void run_all(Stream& stream);
void run_all_streams();

// What may not be called while this thread captures breaks the capture.
bool breaks_capture();

// The name of the work that runs now, or null.
const char* running_work();

}  // namespace hornbeam::sim
