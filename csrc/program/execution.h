// One run's memory, with every kernel call pointing into it; kept for the next run. Private to the executor.
#pragma once
#include <memory>
#include <vector>

#include "core/buffer.h"
#include "core/device.h"
#include "program/plan.h"

namespace hornbeam {

// Results that depend on unchanged variables and constants only, with the versions they were made from.
struct Plan::Prologue {
  uint64_t versions = 0;
  uint64_t serial = 0;  // another for each one made; one that is made again for other versions keeps it, and its memory
  std::vector<Buffer> kept;
};

// In mapped memory: the number of a run, and that of the last one that is done, as the device writes it.
struct RunEnd : Exchange {
  void make(Memory& mapped) {
    add(sizeof(uint64_t));
    add(sizeof(uint64_t));
    allocate_mapped(mapped);
    number() = flag() = 0;
  }
  uint64_t& number() { return *reinterpret_cast<uint64_t*>(here + at[0]); }
  uint64_t& flag() { return *reinterpret_cast<uint64_t*>(here + at[1]); }
};

struct Plan::Execution {
  Buffer owned;                 // the arena of a plan that is run by itself
  char* arena = nullptr;        // that, or what the step around a body gives it
  char* host_room = nullptr;    // for host steps
  std::vector<Buffer> staging;  // one per feed, on the host
  // Of a plan that is run by itself on such a device; the run's number is the last part of what is fed.
  Exchange fed, results;
  RunEnd end;  // where these are mapped
  Buffer owned_host_room;
  std::vector<const char*> feeds;
  std::vector<char*> outputs;
  std::vector<std::vector<TensorRef>> refs;  // per step: inputs, then outputs
  std::vector<KernelCall> calls;
  std::vector<std::vector<const void*>> packed;
  struct Patch {
    TensorRef* ref;
    int index;
  };
  std::vector<Patch> feed_patches, output_patches, kept_patches;
  size_t varying_patches = 0;  // of a scan's body: the feeds that change at each step come first among feed_patches
  struct PackPatch {
    const void** pointer;
    int slot;
  };
  std::vector<PackPatch> pack_patches;
  std::shared_ptr<Prologue> prologue;
  std::unique_ptr<Recording> steps_recorded, all_recorded;  // the steps alone; with the copies before and behind them
  uint64_t last_prologue = 0;                               // the serial of that of the run before
  bool has_run = false;
  uint64_t epoch = ~uint64_t{0};          // of the variables when `prologue` was right
  uint64_t brought_epoch = ~uint64_t{0};  // when they were on the device
  RunInfo info;
  bool has_written = false;                                     // whether this run has begun to write variables
  std::vector<std::vector<std::unique_ptr<Execution>>> bodies;  // per step
};

}  // namespace hornbeam
