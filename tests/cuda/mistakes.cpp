// A program with feeds, a graph and results on two streams, and mistakes that can be planted in it:
//   simulator_mistakes MISTAKE
// ends with 0 if its results are right and 1 if they are wrong, unless the simulated device ends it.
#include <cstdio>
#include <cstring>
#include <iterator>
#include <vector>

#include "cuda/gpu.h"

using namespace hornbeam;

namespace {

struct Run { uint64_t number; };
constexpr int64_t kCount = 1000;
constexpr size_t kBytes = kCount * sizeof(float);

// ---- kernels ----
__global__ void add_run(float* y, const float* x, const Run* run, int64_t n) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i < n) y[i] = x[i] + static_cast<float>(run->number);
}
__global__ void add_constant(float* y, const float* x, uint64_t number, int64_t n) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i < n) y[i] = x[i] + static_cast<float>(number);
}
// The sum of a row per block.
template <bool kHasBarrier>
__global__ void sum_rows(float* y, const float* x, int64_t n) {
  GPU_SHARED(float, part);
  const int t = static_cast<int>(threadIdx.x), count = static_cast<int>(blockDim.x);
  float sum = 0;
  for (int64_t i = t; i < n; i += count) sum += x[blockIdx.x * n + i];
  part[t] = sum;
  for (int half = count / 2; half > 0; half /= 2) {
    if (kHasBarrier) __syncthreads();
    if (t < half) part[t] += part[t + half];
  }
  if (t == 0) y[blockIdx.x] = part[0];
}

// ---- the program ----
enum Mistake {
  none,
  no_wait,
  no_record,
  refilled_pinned_memory,
  overwritten_feeds,
  early_read,
  baked_run_number,
  allocation_in_capture,
  host_read,
  host_pointer,
  missing_barrier,
  pageable_copy,
  use_after_free,
  write_behind_allocation,
};
constexpr const char* kNames[] = {
    "none",
    "no_wait",
    "no_record",
    "refilled_pinned_memory",
    "overwritten_feeds",
    "early_read",
    "baked_run_number",
    "allocation_in_capture",
    "host_read",
    "host_pointer",
    "missing_barrier",
    "pageable_copy",
    "use_after_free",
    "write_behind_allocation",
};

template <class T>
T* on_device(size_t count, cudaStream_t stream) {
  void* p = nullptr;
  cudaMallocAsync(&p, count * sizeof(T), stream);
  return static_cast<T*>(p);
}
template <class T>
T* pinned(size_t count) {
  void* p = nullptr;
  cudaMallocHost(&p, count * sizeof(T));
  return static_cast<T*>(p);
}

struct Program {
  Mistake mistake;
  Lane compute;
  cudaStream_t copies;
  cudaEvent_t arrived, done;
  float *in, *out, *pinned_in, *pinned_out;
  Run *run, *pinned_run;
  std::vector<float> pageable = std::vector<float>(kCount, 1.f);

  explicit Program(Mistake m) : mistake(m) {
    cudaStreamCreateWithFlags(&compute.stream, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&copies, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&arrived, cudaEventDisableTiming);
    cudaEventCreateWithFlags(&done, cudaEventDisableTiming);
    in = on_device<float>(kCount, compute.stream);
    out = on_device<float>(kCount, compute.stream);
    run = on_device<Run>(1, compute.stream);
    pinned_in = pinned<float>(kCount);
    pinned_out = pinned<float>(kCount);
    pinned_run = pinned<Run>(1);
    // The pool is ordered by streams: what `copies` uses has to be there.
    cudaStreamSynchronize(compute.stream);
  }

  // The feeds of a run, while the one before it computes.
  void bring(uint64_t number) {
    if (mistake != refilled_pinned_memory) cudaEventSynchronize(arrived);
    for (int64_t i = 0; i < kCount; ++i) pinned_in[i] = static_cast<float>(i + static_cast<int64_t>(number));
    pinned_run->number = number;
    if (mistake != overwritten_feeds) cudaStreamWaitEvent(copies, done, 0);
    const float* from = mistake == pageable_copy ? pageable.data() : pinned_in;
    cudaMemcpyAsync(in, from, kBytes, cudaMemcpyHostToDevice, copies);
    cudaMemcpyAsync(run, pinned_run, sizeof(Run), cudaMemcpyHostToDevice, copies);
    if (mistake != no_record) cudaEventRecord(arrived, copies);
  }

  // Null if it cannot be recorded.
  cudaGraphExec_t record(uint64_t number) {
    cudaStreamBeginCapture(compute.stream, cudaStreamCaptureModeThreadLocal);
    if (mistake == allocation_in_capture) on_device<float>(16, compute.stream);
    const int64_t count = mistake == write_behind_allocation ? kCount + 1 : kCount;
    if (mistake == baked_run_number)
      launch(compute, "add_constant", add_constant, dim3(8), dim3(128), 0, out, in, number, count);
    else
      launch(compute, "add_run", add_run, dim3(8), dim3(128), 0, out, in, mistake == host_pointer ? pinned_run : run,
             count);
    cudaGraph_t graph;
    if (cudaStreamEndCapture(compute.stream, &graph) != cudaSuccess) return nullptr;
    cudaGraphExec_t exec;
    cudaGraphInstantiate(&exec, graph, 0);
    cudaGraphDestroy(graph);
    return exec;
  }

  bool is_right() {
    constexpr uint64_t kRuns = 4;
    bool ok = true;
    cudaGraphExec_t exec = nullptr;
    bring(0);
    for (uint64_t number = 0; number < kRuns; ++number) {
      if (mistake != no_wait) cudaStreamWaitEvent(compute.stream, arrived, 0);
      if (mistake == host_read) ok = ok && in[0] == 0;
      if (!exec) exec = record(number);
      if (!exec) return false;
      cudaGraphLaunch(exec, compute.stream);
      cudaEventRecord(done, compute.stream);
      if (mistake == use_after_free && number == 2) {
        cudaFreeAsync(in, compute.stream);
        cudaGraphLaunch(exec, compute.stream);
      }
      cudaMemcpyAsync(pinned_out, out, kBytes, cudaMemcpyDeviceToHost, compute.stream);
      if (number + 1 < kRuns) bring(number + 1);
      if (mistake != early_read) cudaStreamSynchronize(compute.stream);
      for (int64_t i = 0; i < kCount; ++i)
        ok = ok && pinned_out[i] == static_cast<float>(i + 2 * static_cast<int64_t>(number));
    }
    return ok && compute.error == cudaSuccess;
  }

  bool sums_are_right() {
    constexpr int64_t kRow = kCount / 2;
    for (int64_t i = 0; i < kCount; ++i) pinned_in[i] = static_cast<float>(i % 7);
    cudaMemcpyAsync(in, pinned_in, kBytes, cudaMemcpyHostToDevice, compute.stream);
    const auto kernel = mistake == missing_barrier ? sum_rows<false> : sum_rows<true>;
    launch(compute, "sum_rows", kernel, dim3(2), dim3(128), 128 * sizeof(float), out, in, kRow);
    cudaMemcpyAsync(pinned_out, out, 2 * sizeof(float), cudaMemcpyDeviceToHost, compute.stream);
    cudaStreamSynchronize(compute.stream);
    float want[2] = {0, 0};
    for (int64_t i = 0; i < kCount; ++i) want[i / kRow] += pinned_in[i];
    return pinned_out[0] == want[0] && pinned_out[1] == want[1];
  }
};

}  // namespace

int main(int argc, char** argv) {
  for (size_t m = 0; m < std::size(kNames); ++m) {
    if (argc != 2 || std::strcmp(argv[1], kNames[m]) != 0) continue;
    const auto mistake = static_cast<Mistake>(m);
    const bool is_right = Program(mistake).is_right() && Program(mistake).sums_are_right();
    return is_right ? 0 : 1;
  }
  std::fprintf(stderr, "one of these mistakes:");
  for (const char* name : kNames) std::fprintf(stderr, " %s", name);
  std::fprintf(stderr, "\n");
  return 2;
}
