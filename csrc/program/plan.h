// A Program bound to input shapes: concrete shapes, one arena, chosen kernels, packed weights.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "program/locks.h"
#include "program/lookahead.h"
#include "program/program.h"
#include "program/run_counter.h"

namespace hornbeam {

inline int64_t bytes_of(const TypeInfo& t) { return t.shape.count() * item_size(t.dtype); }

// Where a value's bytes are. Views share the place of what they view.
struct Place {
  enum Kind { nowhere, arena, feed, variable, constant, folded, prologue, output } kind = nowhere;
  int64_t offset = 0;  // arena offset, or which feed, variable, constant, folded value, prologue value or output
};

struct Step {
  int op;  // index in Program::ops
  const Kernel* kernel;
  std::vector<TensorRef> in, out;
  std::vector<int> in_value, out_value;  // -1 where absent
  int64_t workspace = 0;                 // bytes
  int64_t workspace_offset = 0;
  int64_t pack_bytes = 0;
  int64_t pack_offset = -1;                         // arena offset where the packing is made each run, or
  int pack_slot = -1;                               // the prologue packing that is kept
  bool pack_once = false;                           // made in the arena once for all steps of a scan
  int64_t bytes_on_host = 0;                        // of a host step (core/device.h); else 0
  std::vector<std::shared_ptr<class Plan>> bodies;  // of a control op
  std::vector<int64_t> scratch;                     // its own places in the workspace, after the bodies' arena
  std::vector<std::pair<int64_t, int64_t>> freed;   // ranges to poison afterwards, when that is asked for
};

struct Copy {  // at the end of a run: a second output, a feed passed through, an update that could not be in place
  Place from, to;
  int64_t bytes;
};

// Whether a run takes its variables' locks, or the caller holds them.
enum class Locking { take, held };

// Of a run on another device than the host.
struct RunOptions {
  EarlyFeeds* now = nullptr;   // that may have been sent
  EarlyFeeds* next = nullptr;  // to send
  bool keeps_results = false;  // `outputs` are memory of the device
};

class Plan;
void bind_plan(Plan&);  // bind.cpp

// control.cpp: binds the bodies of a control op for inputs of these types, and says what comes out.
std::vector<std::shared_ptr<Plan>> bind_bodies(const Target&, const OpInstance&, const std::vector<TypeInfo>& in,
                                               std::vector<TypeInfo>& out);
int control_input(const OpInstance&, int feed);   // which input of it is that feed of its bodies, -1 if it varies
const Kernel* control_kernel(const OpInstance&);  // only to have a name in the plan
// Lays out the workspace of a step with bodies: sets `workspace` and `scratch`.
void lay_out_control(const OpInstance&, Step&);

class Plan : private KeepsMemory {
 public:
  Plan(Program& program, const std::vector<Shape>& feed_shapes, const FeedInts& feed_ints, const Target& target);
  ~Plan();

  const std::vector<Shape>& feed_shapes() const { return feed_shapes_; }
  const FeedInts& feed_ints() const { return feed_ints_; }
  const Target& target() const { return target_; }
  int64_t arena_bytes() const { return arena_bytes_; }
  int64_t peak_bytes() const { return arena_bytes_ + prologue_bytes_; }
  DType output_dtype(int i) const { return types_[program_.outputs[i]].dtype; }
  const Shape& output_shape(int i) const { return types_[program_.outputs[i]].shape; }
  int64_t last_nanoseconds() const { return last_ns_.load(std::memory_order_relaxed); }
  int64_t last_allocations() const { return last_allocations_.load(std::memory_order_relaxed); }
  std::string describe() const;

  // Runs once. `outputs` are buffers of output_shape/output_dtype. `at_once`, for who holds the GIL: false, having done
  // nothing, where a variable is locked by somebody else, or the prologue has to be made, which somebody may do who
  // waits for the GIL.
  bool run(const std::vector<Feed>& feeds, const std::vector<void*>& outputs, RunCounter&, Locking, bool at_once,
           const RunOptions& = {});

 private:
  friend class Binder;
  class Borrowed;
  class Recorder;
  struct Execution;
  struct Prologue;

  void free_idle() override;
  std::unique_ptr<Execution> acquire();
  std::unique_ptr<Execution> make_execution(char* arena, char* host_room);
  void give_device_memory(Execution&);
  bool maps(int64_t bytes) const;
  void run_step(const Step&, const KernelCall&, char* host_room);
  void release(std::unique_ptr<Execution>) noexcept;
  std::shared_ptr<Prologue> current_prologue(uint64_t versions);
  std::shared_ptr<Prologue> prologue(uint64_t versions);
  bool has_prologue(const Execution&);
  uint64_t version_sum() const;
  char* address(const Execution&, const Place&) const;
  void point(Execution&, const std::vector<Feed>&, const std::vector<void*>& outputs);
  void patch_feeds(Execution&, size_t from, size_t to);
  void patch_outputs(Execution&);
  void run_steps(Execution&);
  void refresh_prologue(Execution&);
  // On another device than the host.
  void stage_feeds(Execution&, const std::vector<Feed>&);
  void run_on_device(Execution&, const std::vector<Feed>&, const std::vector<void*>& outputs, const RunOptions&);
  void send_feeds(Execution&, const std::vector<Feed>&, EarlyFeeds*);
  bool lies_there(size_t feed, const Feed&) const;
  bool is_from_host_to_host(const std::vector<Feed>&, const RunOptions&) const;
  template <class F> void run_or_play(Execution&, std::unique_ptr<Recording>&, const F& calls);
  template <class F> void record(Execution&, std::unique_ptr<Recording>&, const F& calls);
  bool refresh_prologues(Execution&);
  int64_t calls_of_a_run() const;
  std::string describe_runs() const;
  // lookahead.cpp
  bool is_sent(const EarlyFeeds*) const;
  bool make_room(const Execution&, EarlyFeeds&);
  void send_early(EarlyFeeds&) noexcept;
  [[noreturn]] void out_of_memory(const char* what, int64_t bytes, const std::vector<Step>&) const;
  // control.cpp
  void run_control(Execution&, size_t step);
  int64_t scan_length(const Step&) const;
  void run_scan(Execution&, size_t step);
  void run_cond(Execution&, size_t step);
  bool carried_in_place(int state) const;
  void check_nan(const Step&, const KernelCall&) const;

  Program& program_;
  const uint64_t serial_;  // another for each plan
  std::vector<Shape> feed_shapes_;
  FeedInts feed_ints_;
  const Target& target_;
  Device& device_;
  const bool is_on_host_;        // its device is the host
  std::vector<TypeInfo> types_;  // per value
  std::vector<Place> places_;    // per value
  std::vector<Step> steps_, prologue_steps_;
  std::atomic<bool> is_recordable_{false};
  std::vector<Buffer> folded_;       // values known at bind
  std::vector<int64_t> kept_sizes_;  // bytes of each kept prologue value and packing
  std::vector<Copy> copies_;         // outputs first, then variables: writes come last
  LockOrder locks_;
  std::vector<int> written_;  // variables
  size_t first_write_ = 0;    // the step from which on variables are written in place, and runs go on to their end
  int64_t arena_bytes_ = 0, prologue_bytes_ = 0, prologue_workspace_ = 0;
  int64_t bytes_on_host_ = 0;  // what the largest host step takes, those of the prologue and of bodies among them
  std::atomic<int64_t> last_ns_{0}, last_allocations_{0};

  std::mutex making_;         // of the prologue
  mutable std::mutex mutex_;  // of what follows; held for moments
  std::vector<std::unique_ptr<Execution>> idle_;
  std::shared_ptr<Prologue> current_;
};

}  // namespace hornbeam
