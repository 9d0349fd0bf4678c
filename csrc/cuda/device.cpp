#include "cuda/device.h"

#include <unistd.h>

#include <algorithm>

#include "cuda/error.h"
#include "cuda/mapped/flag.h"

namespace hornbeam {

namespace {

// Between two looks at memory that somebody else will write.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

class Gpu::Submitting {
 public:
  explicit Submitting(Gpu& gpu) : lane(gpu.is_recording() ? gpu.recorder_ : gpu.compute_), lock_(gpu.mutex_) {
    gpu.use();
  }
  // Throws what went wrong in a launch.
  void finish() const {
    const cudaError_t e = lane.error;
    lane.error = cudaSuccess;
    check(lane.failed, e);
  }

  Lane& lane;

 private:
  std::lock_guard<std::mutex> lock_;
};

void Gpu::use() {
  check_process();
  if (!process_) start();
  check("cudaSetDevice", cudaSetDevice(ordinal_));
}

void Gpu::start() {
  check("cudaSetDevice", cudaSetDevice(ordinal_));
  for (cudaStream_t* stream : {&compute_.stream, &beside_, &recorder_.stream})
    check("cudaStreamCreate", cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking));
  check("cudaEventCreate", cudaEventCreateWithFlags(&joined_, cudaEventDisableTiming));
  compute_.library = recorder_.library = &library_;
  formulas_.start(ordinal_);
  compute_.formulas = recorder_.formulas = &formulas_;
  // Memory that was freed stays with the process: what the next run takes is there at once.
  cudaMemPool_t pool;
  check("cudaDeviceGetDefaultMemPool", cudaDeviceGetDefaultMemPool(&pool, ordinal_));
  uint64_t all = ~uint64_t{0};
  check("cudaMemPoolSetAttribute", cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all));
  staging_ = std::make_unique<Staging>(compute_.stream);
  process_ = getpid();
}

void Gpu::check_process() const {
  if (const pid_t user = process_; user && user != getpid())
    throw GpuError("it was in use before this process was forked, and cannot be used in it");
}

bool Gpu::is_recording() const { return recording_thread_.load() == std::this_thread::get_id(); }

// ---- memory ------------------------------------------------------------------------------------------

cudaError_t Gpu::try_allocate(void** memory, int64_t bytes) {
  return cudaMallocAsync(memory, static_cast<size_t>(bytes), compute_.stream);
}

void* Gpu::allocate(int64_t bytes) {
  const Submitting submitting(*this);
  void* memory = nullptr;
  cudaError_t e = try_allocate(&memory, bytes);
  if (e == cudaErrorMemoryAllocation) {  // what was freed is there in other pieces than are wanted now
    cudaGetLastError();
    cudaMemPool_t pool;
    check("cudaStreamSynchronize", cudaStreamSynchronize(compute_.stream));
    check("cudaDeviceGetDefaultMemPool", cudaDeviceGetDefaultMemPool(&pool, ordinal_));
    check("cudaMemPoolTrimTo", cudaMemPoolTrimTo(pool, 0));
    e = try_allocate(&memory, bytes);
  }
  if (e == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  check("cudaMallocAsync", e);
  return memory;
}

void Gpu::free(void* p) noexcept {
  if (process_ != getpid()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (cudaSetDevice(ordinal_) != cudaSuccess || cudaFreeAsync(p, compute_.stream) != cudaSuccess) cudaGetLastError();
}

void* Gpu::allocate_on_host(int64_t bytes, unsigned flags) {
  const Submitting submitting(*this);
  void* memory = nullptr;
  const cudaError_t e = cudaHostAlloc(&memory, static_cast<size_t>(bytes), flags);
  if (e == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  check("cudaHostAlloc", e);
  return memory;
}
void* Gpu::allocate_pinned(int64_t bytes) { return allocate_on_host(bytes, cudaHostAllocDefault); }
void* Gpu::allocate_mapped(int64_t bytes) { return allocate_on_host(bytes, cudaHostAllocMapped); }

void Gpu::free_pinned(void* p) noexcept {
  if (process_ != getpid()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (cudaSetDevice(ordinal_) != cudaSuccess || cudaFreeHost(p) != cudaSuccess) cudaGetLastError();
}

// ---- work --------------------------------------------------------------------------------------------

void Gpu::copy_in(void* to, const void* from, int64_t bytes) {
  const Submitting submitting(*this);
  staging_->copy_in(to, from, bytes);
}

void Gpu::copy_out(void* to, const void* from, int64_t bytes) {
  const Submitting submitting(*this);
  staging_->copy_out(to, from, bytes);
}

void Gpu::enqueue_copy(void* to, const void* from, int64_t bytes, cudaMemcpyKind kind) {
  const Submitting submitting(*this);
  check("cudaMemcpyAsync", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), kind, submitting.lane.stream));
}

void Gpu::copy(void* to, const void* from, int64_t bytes) { enqueue_copy(to, from, bytes, cudaMemcpyDeviceToDevice); }
void Gpu::send(void* to, const void* from, int64_t bytes) { enqueue_copy(to, from, bytes, cudaMemcpyHostToDevice); }
void Gpu::fetch(void* to, const void* from, int64_t bytes) { enqueue_copy(to, from, bytes, cudaMemcpyDeviceToHost); }

void Gpu::send_beside(void* to, const void* from, int64_t bytes) {
  const Submitting submitting(*this);
  check("cudaMemcpyAsync", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, beside_));
}

void Gpu::join() {
  const Submitting submitting(*this);
  check("cudaEventRecord", cudaEventRecord(joined_, beside_));
  check("cudaStreamWaitEvent", cudaStreamWaitEvent(compute_.stream, joined_, 0));
}

void Gpu::synchronize() {
  { const Submitting submitting(*this); }
  const std::lock_guard<std::mutex> lock(recording_);  // which it would end
  check("cudaDeviceSynchronize", cudaDeviceSynchronize());
}

void Gpu::fill(void* to, int byte, int64_t bytes) {
  const Submitting submitting(*this);
  check("cudaMemsetAsync", cudaMemsetAsync(to, byte, static_cast<size_t>(bytes), submitting.lane.stream));
}

void Gpu::wait() {
  cudaStream_t stream;
  {
    const Submitting submitting(*this);
    stream = submitting.lane.stream;
  }
  check("cudaStreamSynchronize", cudaStreamSynchronize(stream));  // others may submit meanwhile
}

void Gpu::signal(const uint64_t* number, uint64_t* flag) {
  const Submitting submitting(*this);
  raise_flag(submitting.lane, number, flag);
  submitting.finish();
}

// Looks at the flag for about a millisecond, asking the driver now and then whether something went wrong.
void Gpu::wait_for(const uint64_t* flag, uint64_t number) {
  cudaStream_t stream;
  {
    const Submitting submitting(*this);
    stream = submitting.lane.stream;
  }
  constexpr int kFewest = 64, kMost = 16384;  // looks before the driver is asked
  for (int looks = kFewest; looks <= kMost; looks *= 2) {
    for (int i = 0; i < looks; ++i) {
      if (__atomic_load_n(flag, __ATOMIC_ACQUIRE) == number) return;
      relax();
    }
    const cudaError_t e = cudaStreamQuery(stream);
    if (e == cudaSuccess) return;
    if (e != cudaErrorNotReady) check("cudaStreamQuery", e);
    cudaGetLastError();  // or the next launch would find it
  }
  check("cudaStreamSynchronize", cudaStreamSynchronize(stream));
}

void Gpu::run(const Kernel& kernel, const KernelCall& call) {
  const Submitting submitting(*this);
  KernelCall here = call;
  here.lane = &submitting.lane;
  kernel.run(here);
  submitting.finish();
}

void Gpu::pack(const Kernel& kernel, const KernelCall& call, void* to) {
  const Submitting submitting(*this);
  KernelCall here = call;
  here.lane = &submitting.lane;
  kernel.pack(here, to);
  submitting.finish();
}

void Gpu::call_host(const HostCall& call) {
  const Submitting submitting(*this);
  if (is_recording()) {
    check("cudaLaunchHostFunc", cudaLaunchHostFunc(submitting.lane.stream, call.f, call.data));
    graph_->host_calls.push_back(call);
    return;
  }
  auto once = std::make_unique<HostCall>(call);
  check("cudaLaunchHostFunc", cudaLaunchHostFunc(
                                  submitting.lane.stream,
                                  [](void* data) {
                                    const std::unique_ptr<HostCall> call(static_cast<HostCall*>(data));
                                    call->f(call->data);
                                    call->end(call->data);
                                  },
                                  once.get()));
  once.release();
}

// ---- recordings --------------------------------------------------------------------------------------

void Gpu::begin_recording() {
  recording_.lock();
  try {
    const Submitting submitting(*this);
    graph_ = std::make_unique<Graph>();
    recorder_.awaited = &graph_->awaited;
    check("cudaStreamBeginCapture", cudaStreamBeginCapture(recorder_.stream, cudaStreamCaptureModeThreadLocal));
  } catch (...) {
    recording_.unlock();
    throw;
  }
  recording_thread_ = std::this_thread::get_id();
}

std::unique_ptr<Graph> Gpu::end_recording() {
  struct Over {
    Gpu& gpu;
    ~Over() {
      gpu.recording_thread_ = std::thread::id();
      gpu.recording_.unlock();
    }
  } over{*this};
  const Submitting submitting(*this);
  recorder_.awaited = nullptr;
  std::unique_ptr<Graph> made = std::move(graph_);
  auto& awaited = made->awaited;  // a scan's body names its formulas at each step
  std::sort(awaited.begin(), awaited.end());
  awaited.erase(std::unique(awaited.begin(), awaited.end()), awaited.end());
  cudaGraph_t graph = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(recorder_.stream, &graph);
  if (ended != cudaSuccess) cudaGetLastError();
  check("cudaStreamEndCapture", ended);
  const cudaError_t e = cudaGraphInstantiate(&made->executable, graph, 0);
  cudaGraphDestroy(graph);
  check("cudaGraphInstantiate", e);
  check("cudaGraphUpload", cudaGraphUpload(made->executable, compute_.stream));
  return made;
}

void Gpu::play(const Graph& graph) {
  const Submitting submitting(*this);
  check("cudaGraphLaunch", cudaGraphLaunch(graph.executable, compute_.stream));
}

void Gpu::free(Graph* graph) noexcept {
  if (process_ == getpid()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    // It may be playing, where a run has failed.
    if (cudaSetDevice(ordinal_) != cudaSuccess || cudaStreamSynchronize(compute_.stream) != cudaSuccess)
      cudaGetLastError();
    delete graph;
  }
}

}  // namespace hornbeam
