// A GPU: its memory, and one stream in which all work of the process is done in the order in which it was submitted.
#pragma once
#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>

#include "cpu/kernel.h"
#include "cuda/lane.h"
#include "cuda/staging.h"

namespace hornbeam {

// The functions are those of core/device.h; they throw GpuError.
class Gpu {
 public:
  Gpu(int ordinal, std::string name, std::string description)
      : name(std::move(name)), description(std::move(description)), ordinal_(ordinal) {}
  Gpu(const Gpu&) = delete;

  const std::string name, description;

  void* allocate(int64_t bytes);  // null where there is no room
  void free(void*) noexcept;
  void copy_in(void* to, const void* from, int64_t bytes);
  void copy_out(void* to, const void* from, int64_t bytes);
  void copy(void* to, const void* from, int64_t bytes);
  void fill(void* to, int byte, int64_t bytes);
  void run(const Kernel&, const KernelCall&);
  void pack(const Kernel&, const KernelCall&, void* to);

 private:
  // Whoever submits holds this: the device started, and current in this thread.
  class Submitting;
  void start();
  cudaError_t try_allocate(void** memory, int64_t bytes);
  void finish(Lane&);  // throws what went wrong in a launch

  const int ordinal_;
  pid_t process_ = 0;  // that uses it; the pointers of its memory are dead in a forked child
  std::mutex mutex_;
  Lane compute_;
  std::unique_ptr<Staging> staging_;
};

}  // namespace hornbeam
