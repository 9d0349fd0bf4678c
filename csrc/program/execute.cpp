// Running a Plan: point the kernels at this run's memory, take the variables' locks, go through the steps.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>

#include "core/arena.h"
#include "core/error.h"
#include "core/float_mode.h"
#include "core/interrupt.h"
#include "program/execution.h"

namespace hornbeam {

namespace {

// Memory of past runs that a plan keeps for the next ones: as many as ran at once, up to these.
constexpr int64_t kMaxIdle = 64;
constexpr int64_t kMaxIdleBytes = int64_t{1} << 30;

// Steps from one look at the clock to the next, for whether the run is to end. Long kernels look at it themselves.
constexpr size_t kStepsPerLook = 8;

// A recording of more calls takes longer to make than it saves: that of a scan over very many steps.
constexpr int64_t kMaxRecorded = 20000;

// At its end, waits for what is in flight on the device: it uses the host's memory, whatever becomes of the run.
struct Waiting {
  Device& device;
  bool is_due;
  ~Waiting() {
    if (!is_due) return;
    try {
      device.wait();
    } catch (const RuntimeError&) {  // that ended the run, or will end the next one
    }
  }
};

uint64_t next_serial() {
  static std::atomic<uint64_t> made{0};
  return ++made;
}

bool nan_checking() {
  static const bool on = [] {
    const char* e = std::getenv("HORNBEAM_CHECK");
    return e && std::string(e) == "nan";
  }();
  return on;
}

}  // namespace

Plan::Plan(Program& program, const std::vector<Shape>& feed_shapes, const FeedInts& feed_ints, const Target& target)
    : program_(program),
      serial_(next_serial()),
      feed_shapes_(feed_shapes),
      feed_ints_(feed_ints),
      target_(target),
      device_(target.device),
      is_on_host_(target.device.is_host()) {
  bind_plan(*this);
  is_recordable_ = device_.can_record() && !nan_checking() && !arena_poisoned() && calls_of_a_run() <= kMaxRecorded;
  idle_.reserve(kMaxIdle);  // so that giving an execution back allocates nothing
  if (!is_on_host_) device_.add(*this);
}

Plan::~Plan() {
  if (!is_on_host_) device_.remove(*this);
}

// The memory of past runs; and what is kept of weights where no run has it, which the next one makes again.
void Plan::free_idle() {
  std::vector<std::unique_ptr<Execution>> idle;
  std::shared_ptr<Prologue> kept;
  std::lock_guard<std::mutex> lock(mutex_);
  while (!idle_.empty()) {
    idle.push_back(std::move(idle_.back()));
    idle_.pop_back();
  }
  for (const auto& e : idle) e->prologue.reset();
  if (current_.use_count() == 1) kept = std::move(current_);
}

char* Plan::address(const Execution& e, const Place& p) const {
  switch (p.kind) {
    case Place::arena: return e.arena + p.offset;
    case Place::feed: return const_cast<char*>(e.feeds[p.offset]);
    case Place::variable: return program_.variables[p.offset]->data(device_);
    case Place::constant: return program_.constants[p.offset]->on(device_);
    case Place::folded: return folded_[p.offset].data();
    case Place::prologue: return e.prologue->kept[p.offset].data();
    case Place::output: return e.outputs[p.offset];
    case Place::nowhere: break;
  }
  return nullptr;
}

std::unique_ptr<Plan::Execution> Plan::acquire() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      auto e = std::move(idle_.back());
      idle_.pop_back();
      return e;
    }
  }
  Buffer arena, host_room;
  try {
    arena = Buffer(arena_bytes_, device_);
    host_room = Buffer(bytes_on_host_, device_.pinned());
  } catch (const std::bad_alloc&) {
    out_of_memory("the values of a run take ", arena_bytes_ + bytes_on_host_, steps_);
  }
  if (arena_poisoned() && arena_bytes_) device_.fill(arena.data(), 0xff, arena_bytes_);
  auto e = make_execution(arena.data(), host_room.data());
  e->owned = std::move(arena);
  e->owned_host_room = std::move(host_room);
  if (is_on_host_) return e;
  try {
    give_device_memory(*e);
  } catch (const std::bad_alloc&) {
    out_of_memory("what a run is fed and its results take ", e->fed.bytes + e->results.bytes, steps_);
  }
  return e;
}

void Plan::give_device_memory(Execution& e) {
  for (int v : program_.feeds) e.fed.add(bytes_of(types_[v]));
  for (int v : program_.outputs) e.results.add(bytes_of(types_[v]));
  if (program_.has_random()) e.fed.add(sizeof e.info.run);
  if (maps(e.fed.bytes + e.results.bytes)) {
    Memory& mapped = *device_.mapped();
    e.fed.allocate_mapped(mapped);
    e.results.allocate_mapped(mapped);
    e.end.make(mapped);
  } else {
    e.fed.allocate(device_);
    e.results.allocate(device_);
  }
  if (program_.has_random()) e.info.device_run = reinterpret_cast<const uint64_t*>(e.fed.there + e.fed.at.back());
  for (size_t f = 0; f < e.feeds.size(); ++f) e.feeds[f] = e.fed.there + e.fed.at[f];
  for (size_t i = 0; i < e.outputs.size(); ++i) e.outputs[i] = e.results.there + e.results.at[i];
  patch_feeds(e, 0, e.feed_patches.size());
  patch_outputs(e);
}

// Whether so many bytes are not worth copies. What the executor itself copies or calls on the host among the steps
// knows the device's memory alone.
bool Plan::maps(int64_t bytes) const {
  constexpr int64_t kMost = int64_t{64} << 10;
  const auto has_bodies = [](const Step& step) { return !step.bodies.empty(); };
  return bytes <= kMost && !nan_checking() && device_.mapped() && !bytes_on_host_ && copies_.empty() &&
         std::none_of(steps_.begin(), steps_.end(), has_bodies);
}

// Names the step that takes most: its inputs, results and workspace are all there at once.
void Plan::out_of_memory(const char* what, int64_t bytes, const std::vector<Step>& steps) const {
  int64_t most = 0;
  const Step* largest = nullptr;
  for (const Step& step : steps) {
    int64_t own = step.workspace + step.pack_bytes;
    for (auto* list : {&step.in, &step.out})
      for (const TensorRef& t : *list)
        if (t.present) own += t.bytes();
    if (own <= most) continue;
    most = own;
    largest = &step;
  }
  std::string text = what + std::to_string(bytes) + " bytes, for which there is no memory";
  if (largest) {
    const OpInstance& op = program_.ops[largest->op];
    text += "; most is for " + (op.label.empty() ? "" : op.label + ": ") + "[" + op.def->name +
            "] with a result of shape " + shape_str(largest->out[0].shape);
  }
  throw OutOfMemory(text + ". Smaller batches take less.");
}

std::unique_ptr<Plan::Execution> Plan::make_execution(char* arena, char* host_room) {
  auto e = std::make_unique<Execution>();
  e->arena = arena;
  e->host_room = host_room;
  e->staging.resize(program_.feeds.size());
  e->feeds.resize(program_.feeds.size());
  e->outputs.resize(program_.outputs.size());
  e->refs.reserve(steps_.size());
  e->packed.resize(steps_.size());
  e->bodies.resize(steps_.size());
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    e->refs.push_back(step.in);
    auto& refs = e->refs.back();
    refs.insert(refs.end(), step.out.begin(), step.out.end());
    auto attach = [&](TensorRef& ref, int v) {
      if (v < 0) {
        ref.present = false;
        return;
      }
      const Place& p = places_[v];
      if (p.kind == Place::feed) e->feed_patches.push_back({&ref, static_cast<int>(p.offset)});
      else if (p.kind == Place::output) e->output_patches.push_back({&ref, static_cast<int>(p.offset)});
      else if (p.kind == Place::prologue) e->kept_patches.push_back({&ref, static_cast<int>(p.offset)});
      else ref.data = address(*e, p);
    };
    for (size_t k = 0; k < step.in.size(); ++k) attach(refs[k], step.in_value[k]);
    for (size_t k = 0; k < step.out.size(); ++k) attach(refs[step.in.size() + k], step.out_value[k]);
    KernelCall call = program_.ops[step.op].call(refs.data(), refs.data() + step.in.size());
    call.workspace = e->arena + step.workspace_offset;
    call.run_info = &e->info;
    call.tf32 = target_.tf32;
    if (step.kernel->pack_input >= 0 && !step.bytes_on_host) {
      e->packed[s].resize(step.in.size());
      const void** pointer = &e->packed[s][step.kernel->pack_input];
      if (step.pack_slot >= 0) e->pack_patches.push_back({pointer, step.pack_slot});
      else if (step.pack_bytes) *pointer = e->arena + step.pack_offset;
      call.packed = e->packed[s].data();
    }
    for (auto& body : step.bodies) e->bodies[s].push_back(body->make_execution(call.workspace, host_room));
    e->calls.push_back(call);
  }
  for (int v : written_) program_.variables[v]->data(device_);  // made now: while it writes, a run must not fail
  const int constants = program_.options.first_constant_feed;
  const auto rest = std::stable_partition(e->feed_patches.begin(), e->feed_patches.end(),
                                          [&](const auto& p) { return constants < 0 || p.index < constants; });
  e->varying_patches = static_cast<size_t>(rest - e->feed_patches.begin());
  return e;
}

void Plan::release(std::unique_ptr<Execution> e) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  const int64_t kept = static_cast<int64_t>(idle_.size());
  if (kept == 0 || (kept < kMaxIdle && (kept + 1) * arena_bytes_ <= kMaxIdleBytes)) idle_.push_back(std::move(e));
}

uint64_t Plan::version_sum() const {
  uint64_t sum = 0;
  for (auto& [v, exclusive] : locks_)
    if (!exclusive) sum += program_.variables[v]->version();
  return sum;
}

std::shared_ptr<Plan::Prologue> Plan::current_prologue(uint64_t versions) {
  std::lock_guard<std::mutex> lock(mutex_);
  return current_ && current_->versions == versions ? current_ : nullptr;
}

// Whether a run of it would find all that is kept, in bodies, too.
bool Plan::has_prologue(const Execution& e) {
  const bool is_known = e.prologue && e.epoch == Variable::epoch.load(std::memory_order_acquire);
  if (!kept_sizes_.empty() && !is_known && !current_prologue(version_sum())) return false;
  for (size_t s = 0; s < steps_.size(); ++s)
    for (size_t b = 0; b < steps_[s].bodies.size(); ++b)
      if (!steps_[s].bodies[b]->has_prologue(*e.bodies[s][b])) return false;
  return true;
}

// The kept results for these versions: the current ones, or made anew. Called with the variables locked.
std::shared_ptr<Plan::Prologue> Plan::prologue(uint64_t versions) {
  if (auto p = current_prologue(versions)) return p;
  std::lock_guard<std::mutex> making(making_);
  if (auto p = current_prologue(versions)) return p;
  std::shared_ptr<Prologue> p;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (current_.use_count() == 1) p = std::move(current_);
  }
  if (!p) {
    p = std::make_shared<Prologue>();
    p->serial = next_serial();
  }
  p->versions = versions;
  p->kept.resize(kept_sizes_.size());
  Execution scratch;  // only to resolve addresses
  scratch.prologue = p;
  Buffer workspace, host_room;
  try {
    for (size_t i = 0; i < kept_sizes_.size(); ++i) p->kept[i].reserve(kept_sizes_[i] + 1, device_);
    workspace = Buffer(prologue_workspace_, device_);
    host_room = Buffer(bytes_on_host_, device_.pinned());
  } catch (const std::bad_alloc&) {
    out_of_memory("weights as they are kept for runs take ", prologue_bytes_ + prologue_workspace_,
                  prologue_steps_.empty() ? steps_ : prologue_steps_);
  }
  const Waiting waiting{device_, host_room.size() > 0};
  auto fill = [&](const Step& step, std::vector<TensorRef>& in, std::vector<TensorRef>& out) {
    in = step.in;
    out = step.out;
    for (size_t k = 0; k < in.size(); ++k)
      if (step.in_value[k] >= 0 && program_.steady(step.in_value[k]))
        in[k].data = address(scratch, places_[step.in_value[k]]);
    for (size_t k = 0; k < out.size(); ++k)
      if (step.out_value[k] >= 0 && places_[step.out_value[k]].kind == Place::prologue)
        out[k].data = address(scratch, places_[step.out_value[k]]);
    KernelCall call = program_.ops[step.op].call(in.data(), out.data());
    call.workspace = workspace.data();
    call.tf32 = target_.tf32;
    return call;
  };
  std::vector<TensorRef> in, out;
  for (const Step& step : prologue_steps_) {
    interruption_point();
    KernelCall call = fill(step, in, out);
    std::vector<const void*> packed(in.size());
    if (step.pack_slot >= 0) {
      device_.pack(*step.kernel, call, p->kept[step.pack_slot].data());
      packed[step.kernel->pack_input] = p->kept[step.pack_slot].data();
      call.packed = packed.data();
    }
    run_step(step, call, host_room.data());
    leave_interrupted();
  }
  for (const Step& step : steps_) {
    if (step.pack_slot < 0) continue;
    interruption_point();
    device_.pack(*step.kernel, fill(step, in, out), p->kept[step.pack_slot].data());
    leave_interrupted();
  }
  std::lock_guard<std::mutex> lock(mutex_);
  current_ = p;
  return p;
}

void Plan::point(Execution& e, const std::vector<Feed>& feeds, const std::vector<void*>& outputs) {
  for (size_t f = 0; f < feeds.size(); ++f) {
    DType want = types_[program_.feeds[f]].dtype;
    if (feeds[f].direct(want)) {
      e.feeds[f] = feeds[f].data;
    } else {
      const int64_t bytes = feeds[f].fed_shape().count() * item_size(want) + 1;
      try {
        e.staging[f].reserve(bytes);
      } catch (const std::bad_alloc&) {
        throw OutOfMemory("input '" + program_.feed_names[f] + "' of shape " + shape_str(feeds[f].fed_shape()) +
                          " as " + dtype_name(want) + " takes " + std::to_string(bytes) +
                          " bytes, for which there is no memory. Smaller batches take less.");
      }
      stage(feeds[f], want, e.staging[f].data());
      e.feeds[f] = e.staging[f].data();
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) e.outputs[i] = static_cast<char*>(outputs[i]);
  patch_feeds(e, 0, e.feed_patches.size());
  patch_outputs(e);
}

// Ends a recording, whatever becomes of the run.
class Plan::Recorder {
 public:
  explicit Recorder(Device& device) : device_(device) { device.begin_recording(); }
  ~Recorder() {
    if (is_over_) return;
    try {
      device_.end_recording();
    } catch (const RuntimeError&) {}
  }
  std::unique_ptr<Recording> end() {
    is_over_ = true;
    return device_.end_recording();
  }

 private:
  Device& device_;
  bool is_over_ = false;
};

// Whether it is on the device as the program wants it.
bool Plan::lies_there(size_t feed, const Feed& f) const {
  return f.device == &device_ && f.dtype == types_[program_.feeds[feed]].dtype && f.is_compact();
}

void Plan::stage_feeds(Execution& e, const std::vector<Feed>& feeds) {
  for (size_t f = 0; f < feeds.size(); ++f)
    if (!lies_there(f, feeds[f])) stage(feeds[f], types_[program_.feeds[f]].dtype, e.fed.here + e.fed.at[f]);
}

// Calls that do the same in the same memory as in the run before are recorded, and played from then on: only contents
// change, of what is fed, of variables and of what is kept of them.
template <class F> void Plan::run_or_play(Execution& e, std::unique_ptr<Recording>& recording, const F& calls) {
  const bool is_same = refresh_prologues(e) && e.has_run;
  e.has_run = true;
  if (!is_same) {
    e.steps_recorded.reset();
    e.all_recorded.reset();
  }
  const bool is_outdated = recording && recording->is_outdated();
  if (is_outdated) recording.reset();  // what is new is called by itself first, as in a first run
  else if (is_recordable_ && is_same && !recording) record(e, recording, calls);
  if (!recording) return calls();
  if (!written_.empty()) {
    interruption_point();
    e.has_written = true;
  }
  device_.play(*recording);
}

// Where the device does not take a call into a recording, it never tries again.
template <class F> void Plan::record(Execution& e, std::unique_ptr<Recording>& recording, const F& calls) {
  try {
    Recorder recorder(device_);
    calls();
    recording = recorder.end();
  } catch (const RuntimeError&) {
    is_recordable_ = false;
  }
  e.has_written = false;
}

void Plan::run_on_device(Execution& e, const std::vector<Feed>& feeds, const std::vector<void*>& outputs,
                         const RunOptions& options) {
  Waiting waiting{device_, true};
  const bool sends_next = options.next && make_room(e, *options.next);
  if (e.info.device_run) std::memcpy(e.fed.here + e.fed.at.back(), &e.info.run, sizeof e.info.run);
  const bool is_mapped = e.end.bytes;
  const auto fetch = [&] {
    if (e.results.bytes && !is_mapped) device_.fetch(e.results.here, e.results.there, e.results.bytes);
  };
  const auto each_result = [&](auto copy, const char* from) {
    for (size_t i = 0; i < outputs.size(); ++i)
      if (const int64_t bytes = bytes_of(types_[program_.outputs[i]])) copy(outputs[i], from + e.results.at[i], bytes);
  };
  const bool is_signalled = is_mapped && is_from_host_to_host(feeds, options);
  if (is_signalled) {
    ++e.end.number();
    run_or_play(e, e.all_recorded, [&] {
      run_steps(e);
      device_.signal(&e.end.number(), &e.end.flag());
    });
  } else if (is_from_host_to_host(feeds, options)) {
    run_or_play(e, e.all_recorded, [&] {
      if (e.fed.bytes) device_.send(e.fed.there, e.fed.here, e.fed.bytes);
      run_steps(e);
      fetch();
    });
  } else {
    send_feeds(e, feeds, options.now);
    run_or_play(e, e.steps_recorded, [&] { run_steps(e); });
    if (!options.keeps_results) fetch();
    else
      each_result([&](void* to, const char* from,
                      int64_t bytes) { is_mapped ? device_.send(to, from, bytes) : device_.copy(to, from, bytes); },
                  e.results.there);
  }
  if (sends_next) send_early(*options.next);
  is_signalled ? device_.wait_for(&e.end.flag(), e.end.number()) : device_.wait();
  waiting.is_due = false;
  if (!options.keeps_results)
    each_result([](void* to, const char* from, int64_t bytes) { std::memcpy(to, from, static_cast<size_t>(bytes)); },
                e.results.here);
}

// Whether all it is fed is staged, and its results are fetched: then these copies are the same in each run, too.
bool Plan::is_from_host_to_host(const std::vector<Feed>& feeds, const RunOptions& options) const {
  if (options.keeps_results || is_sent(options.now)) return false;
  for (size_t f = 0; f < feeds.size(); ++f)
    if (lies_there(f, feeds[f])) return false;
  return true;
}

// True where each is in the memory that it was in before. Bodies have their own.
bool Plan::refresh_prologues(Execution& e) {
  refresh_prologue(e);
  const uint64_t serial = e.prologue ? e.prologue->serial : 0;
  bool is_same = serial == e.last_prologue;
  e.last_prologue = serial;
  for (size_t s = 0; s < steps_.size(); ++s)
    for (size_t b = 0; b < steps_[s].bodies.size(); ++b)
      if (!steps_[s].bodies[b]->refresh_prologues(*e.bodies[s][b])) is_same = false;
  return is_same;
}

// How many calls a recording of it would have; more than any recording may have where a run decides what is called.
int64_t Plan::calls_of_a_run() const {
  int64_t calls = static_cast<int64_t>(copies_.size());
  for (const Step& step : steps_) {
    if (step.bodies.size() > 1) return kMaxRecorded + 1;
    calls += step.bodies.empty() ? 1 : scan_length(step) * step.bodies[0]->calls_of_a_run();
    if (calls > kMaxRecorded) break;
  }
  return calls;
}

void Plan::patch_feeds(Execution& e, size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) e.feed_patches[i].ref->data = const_cast<char*>(e.feeds[e.feed_patches[i].index]);
}

void Plan::patch_outputs(Execution& e) {
  for (auto& p : e.output_patches) p.ref->data = e.outputs[p.index];
}

inline void Plan::run_step(const Step& step, const KernelCall& call, char* host_room) {
  if (is_on_host_) step.kernel->run(call);
  else if (step.bytes_on_host) device_.run_on_host(*step.kernel, call, host_room);
  else device_.run(*step.kernel, call);
}

void Plan::refresh_prologue(Execution& e) {
  if (kept_sizes_.empty()) return;
  const uint64_t epoch = Variable::epoch.load(std::memory_order_acquire);
  if (e.epoch == epoch && e.prologue) return;
  const uint64_t versions = version_sum();
  if (!e.prologue || e.prologue->versions != versions) {
    e.prologue.reset();
    e.prologue = prologue(versions);
    for (auto& p : e.kept_patches) p.ref->data = e.prologue->kept[p.index].data();
    for (auto& p : e.pack_patches) *p.pointer = e.prologue->kept[p.slot].data();
  }
  e.epoch = epoch;
}

void Plan::run_steps(Execution& e) {
  refresh_prologue(e);
  const bool check = nan_checking();
  // Asked for once: the body of a scan has steps of some ten nanoseconds.
  Interruptible* run = Interruptible::current();
  std::optional<Uninterruptible> writing;
  auto begin_to_write = [&] {
    interruption_point();
    writing.emplace();
    run = nullptr;
    e.has_written = true;
  };
  for (size_t s = 0; s < steps_.size(); ++s) {
    if (s == first_write_) begin_to_write();
    if (run && s % kStepsPerLook == 0 && run->is_asked()) throw Interrupted();
    const Step& step = steps_[s];
    const KernelCall& call = e.calls[s];
    if (step.pack_bytes && step.pack_slot < 0 && !step.pack_once)
      device_.pack(*step.kernel, call, e.arena + step.pack_offset);
    if (!step.bodies.empty()) run_control(e, s);
    else run_step(step, call, e.host_room);
    if (run && run->was_asked()) throw Interrupted();  // the only task of a kernel may have left things undone
    if (check) check_nan(step, call);
    for (auto& [offset, bytes] : step.freed) device_.fill(e.arena + offset, 0xff, bytes);
  }
  if (!written_.empty() && !e.has_written) begin_to_write();
  for (auto& copy : copies_) {
    char *to = address(e, copy.to), *from = address(e, copy.from);
    if (copy.bytes && to != from) device_.copy(to, from, copy.bytes);  // a state of a scan may stay where it is
  }
}

// An execution, which goes back whatever becomes of the run.
class Plan::Borrowed {
 public:
  explicit Borrowed(Plan& plan) : plan_(plan), execution_(plan.acquire()) {}
  ~Borrowed() { plan_.release(std::move(execution_)); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Execution& operator*() const { return *execution_; }

 private:
  Plan& plan_;
  std::unique_ptr<Execution> execution_;
};

bool Plan::run(const std::vector<Feed>& feeds, const std::vector<void*>& outputs, RunCounter& counter, Locking locking,
               bool at_once, const RunOptions& options) {
  auto start = std::chrono::steady_clock::now();
  uint64_t allocations = thread_allocations();
  if (!is_on_host_) device_.check_process();
  VariableLocks locks(program_.variables, locks_);
  if (at_once && locking == Locking::take && !locks.take(true)) return false;
  const Borrowed borrowed(*this);
  Execution& e = *borrowed;
  if (at_once && !has_prologue(e)) return false;
  e.has_written = false;
  if (is_on_host_) point(e, feeds, outputs);
  else if (!is_sent(options.now)) stage_feeds(e, feeds);
  if (!at_once && locking == Locking::take) locks.take(false);
  e.info.run = counter.begin(program_.has_random());
  if (const uint64_t epoch = Variable::epoch.load(std::memory_order_acquire); e.brought_epoch != epoch) {
    for (auto& [v, exclusive] : locks_) program_.variables[v]->bring_to(device_);
    e.brought_epoch = epoch;
  }
  const FlushDenormals flush(!written_.empty());  // as TensorFlow does
  struct Written {                                // in part, where the run fails then
    Plan& plan;
    const Execution& e;
    ~Written() {
      if (!e.has_written) return;
      for (int v : plan.written_) plan.program_.variables[v]->written(plan.device_);
    }
  } written{*this, e};
  if (is_on_host_) run_steps(e);
  else run_on_device(e, feeds, outputs, options);
  last_ns_.store(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count(),
                 std::memory_order_relaxed);
  last_allocations_.store(static_cast<int64_t>(thread_allocations() - allocations), std::memory_order_relaxed);
  return true;
}

void Plan::check_nan(const Step& step, const KernelCall& call) const {
  auto bad = [&](TensorRef t) {
    if (!t.present || !t.data || !is_float(t.dtype)) return false;
    const int64_t n = t.shape.count(), bytes = t.bytes();
    Buffer copy;
    if (!is_on_host_ && bytes) {
      copy.reserve(bytes);
      device_.copy_out(copy.data(), t.data, bytes);
      t.data = copy.data();
    }
    if (t.dtype == DType::float32) {
      for (int64_t i = 0; i < n; ++i)
        if (std::isnan(t.as<float>()[i])) return true;
    } else if (t.dtype == DType::float64) {
      for (int64_t i = 0; i < n; ++i)
        if (std::isnan(t.as<double>()[i])) return true;
    }
    return false;
  };
  for (int k = 0; k < call.n_in; ++k)
    if (bad(call.in[k])) return;  // it began earlier
  for (int k = 0; k < call.n_out; ++k)
    if (bad(call.out[k])) {
      const OpInstance& op = program_.ops[step.op];
      throw RuntimeError("HORNBEAM_CHECK=nan: " + (op.label.empty() ? "" : "layer '" + op.label + "', ") + "op '" +
                         op.def->name + "' made NaN from inputs without NaN");
    }
}

// Of its past runs' memory.
std::string Plan::describe_runs() const {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto any = [&](auto holds) {
    return std::any_of(idle_.begin(), idle_.end(), [&](auto& e) { return holds(*e); });
  };
  std::string text;
  if (any([](const Execution& e) { return e.end.bytes > 0; })) text += ", mapped";
  if (any([](const Execution& e) { return e.steps_recorded || e.all_recorded; })) text += ", recorded";
  return text;
}

std::string Plan::describe() const {
  std::ostringstream os;
  static const char* const kinds[] = {"nowhere",  "arena",  "feed",     "variable",
                                      "constant", "folded", "prologue", "output"};
  auto list = [&](const std::vector<Step>& steps, const char* mark) {
    for (auto& step : steps) {
      const OpInstance& op = program_.ops[step.op];
      os << mark << op.def->name << " [" << step.kernel->name << "]" << (step.bytes_on_host ? " on the host" : "");
      for (size_t k = 0; k < step.out.size(); ++k)
        if (step.out_value[k] >= 0) {
          const Place& p = places_[step.out_value[k]];
          os << ' ' << shape_str(step.out[k].shape) << '@' << kinds[p.kind] << '+' << p.offset;
        }
      os << (step.pack_slot >= 0 ? " packed once"
             : step.pack_once    ? " packed before the first step"
             : step.pack_bytes   ? " packed each run"
                                 : "")
         << '\n';
      for (auto& body : step.bodies) os << indented(body->describe());
    }
  };
  os << "plan for " << target_.name() << ", arena " << arena_bytes_ << " bytes" << describe_runs() << '\n';
  list(prologue_steps_, "prologue ");
  list(steps_, "");
  return os.str();
}

}  // namespace hornbeam
