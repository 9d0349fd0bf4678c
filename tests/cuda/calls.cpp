// The simulated runtime's calls: memory, streams, captures, host functions, threads, forks, faults.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "cuda/gpu.h"
#include "resources.h"

using namespace hornbeam;

namespace {

void fill(Lane& lane, float* y, int64_t n, float value) {
  each(lane, "fill", n, [=] GPU_LAMBDA(int64_t i) { y[i] = value; });
}
std::vector<float> read(const float* device, size_t count, Stream& stream) {
  const PinnedArray<float> host(count);
  cudaMemcpyAsync(host.data(), device, count * sizeof(float), cudaMemcpyDeviceToHost, stream);
  stream.wait();
  return std::vector<float>(host.data(), host.data() + count);
}

// ---- the device ----
void device() {
  int count = 0, current = -1, version = 0, value = 0;
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess && count == 1);
  CHECK(cudaSetDevice(0) == cudaSuccess);
  CHECK(cudaGetDevice(&current) == cudaSuccess && current == 0);
  CHECK(cudaDriverGetVersion(&version) == cudaSuccess && version == CUDART_VERSION);
  cudaDeviceProp properties;
  CHECK(cudaGetDeviceProperties(&properties, 0) == cudaSuccess);
  CHECK(std::strcmp(properties.name, "simulated") == 0);
  CHECK(properties.warpSize == 32);
  CHECK(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 0) == cudaSuccess);
  CHECK(value == properties.major);
  CHECK(cudaSetDevice(1) == cudaErrorInvalidDevice);
  CHECK(cudaGetDeviceProperties(&properties, 1) == cudaErrorInvalidDevice);
}
// A device is chosen for a thread; launches go to its streams alone.
void stream_of_another_device() {
  int count = 0;
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess && count == 2);
  Stream first;
  CHECK(cudaSetDevice(1) == cudaSuccess);
  const DeviceArray<float> y(100, first);
  each(first, "fill", 100, [data = y.data()] GPU_LAMBDA(int64_t i) { data[i] = 1; });
  CHECK(first.error == cudaErrorInvalidResourceHandle);
  first.error = cudaSuccess;
  int current = -1;
  std::thread([&] { CHECK(cudaGetDevice(&current) == cudaSuccess && current == 0); }).join();
  CHECK(cudaSetDevice(2) == cudaErrorInvalidDevice);
}
void errors() {
  CHECK(cudaSetDevice(7) == cudaErrorInvalidDevice);
  std::thread([] { CHECK(cudaPeekAtLastError() == cudaSuccess); }).join();  // each thread has its own
  CHECK(cudaPeekAtLastError() == cudaErrorInvalidDevice);
  CHECK(cudaGetLastError() == cudaErrorInvalidDevice);
  CHECK(cudaGetLastError() == cudaSuccess);
  CHECK(std::strcmp(cudaGetErrorName(cudaErrorMemoryAllocation), "cudaErrorMemoryAllocation") == 0);
  CHECK(std::strcmp(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory") == 0);
}

// ---- memory; HORNBEAM_SIM_MEMORY is 8 MiB in these ----
constexpr size_t kMiB = size_t{1} << 20;

void out_of_memory() {
  Stream stream;
  std::vector<void*> blocks;
  void* p = nullptr;
  cudaError_t error;
  while ((error = cudaMallocAsync(&p, kMiB, stream)) == cudaSuccess) blocks.push_back(p);
  CHECK(error == cudaErrorMemoryAllocation);
  CHECK(p == nullptr);
  CHECK(blocks.size() == 7);  // and their guards
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  size_t free = 0, total = 0;
  CHECK(cudaMemGetInfo(&free, &total) == cudaSuccess);
  CHECK(total == 8 * kMiB && free == kMiB);
  for (void* block : blocks) cudaFreeAsync(block, stream);
  CHECK(cudaMallocAsync(&p, 7 * kMiB, stream) == cudaSuccess);  // of what is freed in the stream, all together
  CHECK(cudaFreeAsync(p, stream) == cudaSuccess);
  CHECK(cudaMallocAsync(&p, 9 * kMiB, stream) == cudaErrorMemoryAllocation);
  CHECK(cudaMallocAsync(&p, ~size_t{0}, stream) == cudaErrorMemoryAllocation);
}
void memory_is_used_again() {
  Stream stream;
  for (size_t round = 0; round < 100; ++round) {
    const size_t count = round * 7919 % 500000 + 1;
    const DeviceArray<float> y(count, stream), z(100, stream);
    CHECK(y.data() && z.data());
    fill(stream, z.data(), 100, static_cast<float>(round));
    CHECK(std::isnan(read(y.data(), count, stream)[count - 1]));
    fill(stream, y.data(), static_cast<int64_t>(count), 1);
    CHECK(read(z.data(), 100, stream)[99] == static_cast<float>(round));
  }
}
void nothing_is_nan() {
  Stream stream;
  for (const size_t count : {size_t{10}, size_t{1000000}}) {
    for (int again = 0; again < 2; ++again) {
      const DeviceArray<float> y(count, stream);
      for (const float value : read(y.data(), count, stream)) CHECK(std::isnan(value));
      fill(stream, y.data(), static_cast<int64_t>(count), 1);
    }
  }
  const PinnedArray<float> host(10);
  CHECK(std::isnan(host[9]));
}
// A graph holds the address of memory that was freed: what it reads there is nothing.
void freed_memory_is_nan() {
  Stream stream;
  const DeviceArray<float> y(8, stream);
  float* to = y.data();
  std::optional<DeviceArray<float>> x;
  x.emplace(8, stream);
  const float* from = x->data();
  fill(stream, x->data(), 8, 1);
  const Graph graph(stream, [&] { each(stream, "copy", 8, [=] GPU_LAMBDA(int64_t i) { to[i] = from[i]; }); });
  graph.launch(stream);
  CHECK(read(to, 8, stream)[7] == 1);
  x.reset();
  graph.launch(stream);
  CHECK(std::isnan(read(to, 8, stream)[7]));
}
void pool() {
  cudaMemPool_t pool = nullptr;
  CHECK(cudaDeviceGetDefaultMemPool(&pool, 0) == cudaSuccess && pool);
  uint64_t threshold = ~uint64_t{0};
  CHECK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold) == cudaSuccess);
  CHECK(cudaMemPoolTrimTo(pool, 0) == cudaSuccess);
}
void copies_and_fills() {
  Stream stream;
  const DeviceArray<float> a(100, stream), b(100, stream);
  CHECK(cudaMemsetAsync(a.data(), 0, 100 * sizeof(float), stream) == cudaSuccess);
  CHECK(cudaMemcpyAsync(b.data() + 1, a.data(), 50 * sizeof(float), cudaMemcpyDeviceToDevice, stream) == cudaSuccess);
  const std::vector<float> values = read(b.data(), 100, stream);
  for (size_t i = 0; i < 100; ++i) CHECK(i > 0 && i < 51 ? values[i] == 0 : std::isnan(values[i]));
  CHECK(cudaMemcpyAsync(b.data(), a.data(), 4, cudaMemcpyDefault, stream) == cudaErrorInvalidMemcpyDirection);
}
void mapped_memory() {
  Stream stream;
  const PinnedArray<float> mapped(4, cudaHostAllocMapped), ordinary(4);
  void* p = nullptr;
  CHECK(cudaHostGetDevicePointer(&p, ordinary.data(), 0) == cudaErrorInvalidValue);
  CHECK(cudaHostGetDevicePointer(&p, mapped.data(), 0) == cudaSuccess);
  mapped[0] = 5;
  auto* y = static_cast<float*>(p);
  each(stream, "increase", 1, [=] GPU_LAMBDA(int64_t i) { y[i + 1] = y[i] + 1; });
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(mapped[1] == 6);
}

// ---- streams and events ----
void asking_is_waiting() {
  Stream stream;
  const Event event;
  CHECK(cudaEventQuery(event) == cudaSuccess);  // it was never recorded
  const DeviceArray<float> y(8, stream);
  for (int i = 0; i < 20; ++i) fill(stream, y.data(), 8, 1);
  CHECK(cudaEventRecord(event, stream) == cudaSuccess);
  for (int i = 0; i < 20; ++i) fill(stream, y.data(), 8, 2);
  cudaError_t answer;
  while ((answer = cudaEventQuery(event)) == cudaErrorNotReady) {}
  CHECK(answer == cudaSuccess);
  while ((answer = cudaStreamQuery(stream)) == cudaErrorNotReady) {}
  CHECK(answer == cudaSuccess);
  CHECK(read(y.data(), 8, stream)[7] == 2);
}
void last_work_of_a_stream_is_done() {
  Stream stream;
  const DeviceArray<float> y(8, stream);
  {
    Stream other;
    fill(other, y.data(), 8, 3);
  }
  CHECK(read(y.data(), 8, stream)[0] == 3);
}
// An event that is recorded again does not change what waits for it already.
void event_is_recorded_again() {
  Stream first, second, third;
  const Event event;
  const DeviceArray<float> x(8, first), y(8, first);
  first.wait();
  float *from = x.data(), *to = y.data();
  fill(first, from, 8, 4);
  CHECK(cudaEventRecord(event, first) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(second, event, 0) == cudaSuccess);
  CHECK(cudaEventRecord(event, third) == cudaSuccess);
  CHECK(cudaEventSynchronize(event) == cudaSuccess);  // at once: nothing else is in that stream
  each(second, "copy", 8, [=] GPU_LAMBDA(int64_t i) { to[i] = from[i]; });
  CHECK(read(to, 8, second)[0] == 4);
}

// ---- graphs ----
void capture_runs_nothing() {
  Stream stream;
  const DeviceArray<float> y(8, stream);
  fill(stream, y.data(), 8, 1);
  const Graph graph(stream, [&] {
    cudaStreamCaptureStatus status;
    CHECK(cudaStreamIsCapturing(stream, &status) == cudaSuccess && status == cudaStreamCaptureStatusActive);
    CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaErrorIllegalState);
    fill(stream, y.data(), 8, 2);
  });
  CHECK(graph && graph.nodes() == 1);
  cudaStreamCaptureStatus status;
  CHECK(cudaStreamIsCapturing(stream, &status) == cudaSuccess && status == cudaStreamCaptureStatusNone);
  cudaGraph_t none = nullptr;
  CHECK(cudaStreamEndCapture(stream, &none) == cudaErrorIllegalState);
  CHECK(read(y.data(), 8, stream)[0] == 1);
}
void graph_runs_again() {
  Stream stream, recorder;
  const DeviceArray<float> y(8, stream);
  float* data = y.data();
  fill(stream, data, 8, 1);
  {
    const Graph graph(recorder, [&] {
      each(recorder, "double", 8, [=] GPU_LAMBDA(int64_t i) { data[i] *= 2; });
      each(recorder, "increase", 8, [=] GPU_LAMBDA(int64_t i) { data[i] += 1; });
    });
    CHECK(graph.nodes() == 2);
    for (int i = 0; i < 3; ++i) graph.launch(stream);
  }  // what was launched runs
  CHECK(read(data, 8, stream)[7] == 15);
}
// Each of these ends the capture without a graph.
void capture_forbids() {
  Stream stream, other;
  const Event event;
  const DeviceArray<float> y(8, other);
  void* p = nullptr;
  other.wait();
  const std::function<cudaError_t()> calls[] = {
      [&] { return cudaStreamSynchronize(stream); },
      [&] { return cudaStreamSynchronize(other); },
      [&] { return cudaStreamQuery(other); },
      [&] { return cudaMallocAsync(&p, 64, stream); },
      [&] { return cudaFreeAsync(y.data(), other); },
      [&] { return cudaMallocHost(&p, 64); },
      [&] { return cudaEventRecord(event, stream); },
      [&] { return cudaStreamWaitEvent(stream, event, 0); },
      [&] { return cudaEventSynchronize(event); },
      [&] { return cudaEventQuery(event); },
      [&] { return cudaDeviceSynchronize(); },
      [&] {
        cudaError_t of_another_thread = cudaSuccess;
        std::thread([&] { of_another_thread = cudaDeviceSynchronize(); }).join();
        return of_another_thread;
      },
  };
  for (const auto& call : calls) {
    const Graph graph(stream, [&] {
      CHECK(call() == cudaErrorStreamCaptureUnsupported);
      cudaStreamCaptureStatus status;
      CHECK(cudaStreamIsCapturing(stream, &status) == cudaSuccess && status == cudaStreamCaptureStatusInvalidated);
    });
    CHECK(!graph);
    CHECK(cudaGetLastError() == cudaErrorStreamCaptureInvalidated);
  }
}
// A capture of one thread does not keep another from waiting.
void other_threads_may_wait() {
  Stream stream;
  const Graph graph(stream, [] {
    std::thread([] {
      Stream another;
      const DeviceArray<float> y(8, another);
      fill(another, y.data(), 8, 2);
      CHECK(read(y.data(), 8, another)[0] == 2);
    }).join();
  });
  CHECK(graph);
}

// ---- host functions ----
struct HostStep {
  const float* in;
  float* out;
  cudaError_t inner;
};
void host_function() {
  Stream stream;
  const DeviceArray<float> x(1, stream), y(1, stream);
  const PinnedArray<float> in(1), out(1);
  HostStep step = {in.data(), out.data(), cudaSuccess};
  fill(stream, x.data(), 1, 3);
  cudaMemcpyAsync(in.data(), x.data(), sizeof(float), cudaMemcpyDeviceToHost, stream);
  const cudaHostFn_t square = [](void* data) {
    auto& s = *static_cast<HostStep*>(data);
    *s.out = *s.in * *s.in;
    s.inner = cudaSetDevice(0);
  };
  CHECK(cudaLaunchHostFunc(stream, square, &step) == cudaSuccess);
  cudaMemcpyAsync(y.data(), out.data(), sizeof(float), cudaMemcpyHostToDevice, stream);
  CHECK(read(y.data(), 1, stream)[0] == 9);
  CHECK(step.inner == cudaErrorNotPermitted);
}

// ---- threads and processes ----
void many_threads() {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      Stream stream, copies;
      const Event ready;
      for (int round = 0; round < 50; ++round) {
        const DeviceArray<float> y(1000, stream);
        float* data = y.data();
        fill(stream, data, 1000, static_cast<float>(t));
        each(stream, "add", 1000, [=] GPU_LAMBDA(int64_t i) { data[i] += static_cast<float>(i + round); });
        cudaEventRecord(ready, stream);
        cudaStreamWaitEvent(copies, ready, 0);
        const std::vector<float> values = read(data, 1000, copies);
        for (int i = 0; i < 1000; ++i) CHECK(values[static_cast<size_t>(i)] == static_cast<float>(t + i + round));
      }
    });
  for (std::thread& thread : threads) thread.join();
}
template <class F>
int status_of_child(F child) {
  const pid_t pid = fork();
  if (pid == 0) {
    child();
    _exit(all_hold ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}
void child_has_no_device() {
  Stream stream;
  CHECK(status_of_child([&] {
          int count = 0;
          void* p = nullptr;
          cudaStream_t another = nullptr;
          CHECK(cudaGetDeviceCount(&count) == cudaErrorInitializationError);
          CHECK(cudaMallocAsync(&p, 64, stream) == cudaErrorInitializationError);
          CHECK(cudaStreamCreateWithFlags(&another, cudaStreamNonBlocking) == cudaErrorInitializationError);
          CHECK(cudaStreamSynchronize(stream) == cudaErrorInitializationError);
          CHECK(cudaGetLastError() == cudaErrorInitializationError);
        }) == 0);
  const DeviceArray<float> y(8, stream);
  CHECK(std::isnan(read(y.data(), 8, stream)[0]));
}
void child_of_a_process_that_did_not_use_it() {
  CHECK(status_of_child([] {
          Stream stream;
          const DeviceArray<float> y(8, stream);
          CHECK(std::isnan(read(y.data(), 8, stream)[0]));
        }) == 0);
}

// ---- what ends the process ----
void fault_elsewhere() {
  static bool is_expected = false;
  signal(SIGSEGV, [](int) { _exit(is_expected && all_hold ? 0 : 1); });
  const Stream stream;  // the simulator's handler comes before the one above
  is_expected = true;
  *reinterpret_cast<volatile int*>(64) = 1;
}
void fault_without_handler() {
  const Stream stream;
  *reinterpret_cast<volatile int*>(64) = 1;
}
void write_behind_pinned() {
  const PinnedArray<float> host(64);
  host[64] = 1;
}
void double_free() {
  Stream stream;
  void* p = nullptr;
  cudaMallocAsync(&p, 64, stream);
  cudaFreeAsync(p, stream);
  cudaFreeAsync(p, stream);
  cudaStreamSynchronize(stream);
}
void copy_beyond() {
  Stream stream;
  const DeviceArray<float> y(100, stream);
  read(y.data() + 1, 100, stream);
}
void copies_overlap() {
  Stream stream;
  const DeviceArray<float> y(100, stream);
  cudaMemcpyAsync(y.data() + 1, y.data(), 8, cudaMemcpyDeviceToDevice, stream);
}
void memory_of_another_device() {
  const Stream first;
  CHECK(cudaSetDevice(1) == cudaSuccess);
  Stream second;
  const DeviceArray<float> theirs(100, first);
  each(second, "double", 100, [data = theirs.data()] GPU_LAMBDA(int64_t i) { data[i] *= 2; });
}
void default_stream() { cudaStreamSynchronize(nullptr); }
void freed_pages() {
  Stream stream;
  constexpr int64_t kCount = 1000000;
  void* p = nullptr;
  CHECK(cudaMallocAsync(&p, kCount * sizeof(float), stream) == cudaSuccess);
  auto* data = static_cast<float*>(p);
  const Graph graph(stream, [&] { each(stream, "double", kCount, [=] GPU_LAMBDA(int64_t i) { data[i] *= 2; }); });
  graph.launch(stream);
  cudaFreeAsync(data, stream);
  graph.launch(stream);
  stream.wait();
}

constexpr Case kCases[] = {
    {"device", device},
    {"stream_of_another_device", stream_of_another_device},
    {"errors", errors},
    {"out_of_memory", out_of_memory},
    {"memory_is_used_again", memory_is_used_again},
    {"nothing_is_nan", nothing_is_nan},
    {"freed_memory_is_nan", freed_memory_is_nan},
    {"pool", pool},
    {"copies_and_fills", copies_and_fills},
    {"mapped_memory", mapped_memory},
    {"asking_is_waiting", asking_is_waiting},
    {"last_work_of_a_stream_is_done", last_work_of_a_stream_is_done},
    {"event_is_recorded_again", event_is_recorded_again},
    {"capture_runs_nothing", capture_runs_nothing},
    {"graph_runs_again", graph_runs_again},
    {"capture_forbids", capture_forbids},
    {"other_threads_may_wait", other_threads_may_wait},
    {"host_function", host_function},
    {"many_threads", many_threads},
    {"child_has_no_device", child_has_no_device},
    {"child_of_a_process_that_did_not_use_it", child_of_a_process_that_did_not_use_it},
    {"fault_elsewhere", fault_elsewhere},
    {"fault_without_handler", fault_without_handler},
    {"write_behind_pinned", write_behind_pinned},
    {"double_free", double_free},
    {"copy_beyond", copy_beyond},
    {"copies_overlap", copies_overlap},
    {"memory_of_another_device", memory_of_another_device},
    {"default_stream", default_stream},
    {"freed_pages", freed_pages},
};

}  // namespace

int main(int argc, char** argv) { return run_case(kCases, argc, argv); }
