// A GPU: its memory, and one stream in which all work of the process is done in the order in which it was submitted,
// but for what is sent beside it.
#pragma once
#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "cpu/kernel.h"
#include "cuda/compiled/formulas.h"
#include "cuda/graph.h"
#include "cuda/lane.h"
#include "cuda/library/library.h"
#include "cuda/staging.h"

namespace hornbeam {

// The functions are those of core/device.h; they throw GpuError.
class Gpu {
 public:
  Gpu(int ordinal, std::string name, std::string description)
      : name(std::move(name)), description(std::move(description)), ordinal_(ordinal) {}
  Gpu(const Gpu&) = delete;

  const std::string name, description;

  void check_process() const;

  void* allocate(int64_t bytes);  // null where there is no room
  void free(void*) noexcept;
  void copy_in(void* to, const void* from, int64_t bytes);
  void copy_out(void* to, const void* from, int64_t bytes);
  void copy(void* to, const void* from, int64_t bytes);
  void fill(void* to, int byte, int64_t bytes);
  void run(const Kernel&, const KernelCall&);
  void pack(const Kernel&, const KernelCall&, void* to);

  void* allocate_pinned(int64_t bytes);  // null where there is no room
  void* allocate_mapped(int64_t bytes);  // null where there is no room
  void free_pinned(void*) noexcept;
  void send(void* to, const void* from, int64_t bytes);
  void fetch(void* to, const void* from, int64_t bytes);
  void wait();
  void signal(const uint64_t* number, uint64_t* flag);
  void wait_for(const uint64_t* flag, uint64_t number);
  void send_beside(void* to, const void* from, int64_t bytes);
  void join();
  void synchronize();
  void call_host(const HostCall&);

  void begin_recording();
  std::unique_ptr<Graph> end_recording();
  void play(const Graph&);
  void free(Graph*) noexcept;

 private:
  // Whoever submits holds this: the device started and current in this thread, and the lane that its work goes into.
  class Submitting;
  void start();
  void use();                 // throws in a forked child
  bool is_recording() const;  // this thread
  void enqueue_copy(void* to, const void* from, int64_t bytes, cudaMemcpyKind);
  cudaError_t try_allocate(void** memory, int64_t bytes);
  void* allocate_on_host(int64_t bytes, unsigned flags);

  const int ordinal_;
  std::atomic<pid_t> process_ = 0;  // that uses it; the pointers of its memory are dead in a forked child
  std::mutex mutex_;
  Lane compute_;
  std::unique_ptr<Staging> staging_;
  Library library_;                // of both lanes: recordings are played among the work of the first
  Formulas formulas_;              // likewise
  cudaStream_t beside_ = nullptr;  // copies to the device that wait for no work
  cudaEvent_t joined_ = nullptr;   // of it

  // A recording has a stream of its own: what other threads submit meanwhile is not part of it. One at a time.
  std::mutex recording_;
  Lane recorder_;
  std::unique_ptr<Graph> graph_;  // that is being recorded
  std::atomic<std::thread::id> recording_thread_{};
};

}  // namespace hornbeam
