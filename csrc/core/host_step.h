// A host step: an op of which a device has no kernel. Its inputs are copied out, the host's kernel computes, its
// results are copied in. All it works with on the host is one block of memory, its room.
#pragma once
#include <vector>

#include "core/float_mode.h"
#include "cpu/kernel.h"

namespace hornbeam {

class HostStep {
 public:
  struct Part {
    void *here, *there;  // in the room, and on the device
    int64_t bytes;
  };

  // `there` is the call with the device's memory in it. Without a room it only measures.
  HostStep(const Kernel&, const KernelCall& there, char* room);
  HostStep(const HostStep&) = delete;

  int64_t bytes() const { return taken_; }  // of the room, at least one
  const std::vector<Part>& inputs() const { return inputs_; }
  const std::vector<Part>& outputs() const { return outputs_; }

  // Between the copies, by any thread. Numbers count as zero as they did in the thread that made the step.
  void run();

 private:
  char* take(int64_t bytes);

  const Kernel& kernel_;
  KernelCall call_;
  std::vector<TensorRef> refs_;
  std::vector<const void*> packed_;
  RunInfo run_info_;
  std::vector<Part> inputs_, outputs_;
  const uint64_t* run_number_ = nullptr;  // in the room
  char *room_, *packing_ = nullptr;
  int64_t taken_ = 0;
  FloatMode mode_;
};

}  // namespace hornbeam
