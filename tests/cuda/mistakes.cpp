// A program with feeds, a graph and results on two streams, and mistakes that can be planted in it:
//   simulator_mistakes MISTAKE
// ends with 0 if its results are right and 1 if they are wrong, unless the simulated device ends it.
#include <cstdio>
#include <cstring>
#include <iterator>
#include <optional>
#include <vector>

#include "cuda/gpu.h"
#include "cuda/mapped/flag.cu"
#include "resources.h"

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
  no_join,
  one_room,
  flag_before_results,
  no_look,
  unmapped_results,
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
    "no_join",
    "one_room",
    "flag_before_results",
    "no_look",
    "unmapped_results",
};

struct Program {
  Mistake mistake;
  Stream compute, copies;
  Event arrived, done;
  DeviceArray<float> in{kCount, compute}, out{kCount, compute};
  DeviceArray<Run> run{1, compute};
  PinnedArray<float> pinned_in{kCount}, pinned_out{kCount};
  PinnedArray<Run> pinned_run{1};
  std::vector<float> pageable = std::vector<float>(kCount, 1.f);

  explicit Program(Mistake m) : mistake(m) { compute.wait(); }

  // The feeds of a run, while the one before it computes.
  void bring(uint64_t number) {
    if (mistake != refilled_pinned_memory) cudaEventSynchronize(arrived);
    for (size_t i = 0; i < kCount; ++i) pinned_in[i] = static_cast<float>(i + number);
    pinned_run[0].number = number;
    if (mistake != overwritten_feeds) cudaStreamWaitEvent(copies, done, 0);
    const float* from = mistake == pageable_copy ? pageable.data() : pinned_in.data();
    cudaMemcpyAsync(in.data(), from, kBytes, cudaMemcpyHostToDevice, copies);
    cudaMemcpyAsync(run.data(), pinned_run.data(), sizeof(Run), cudaMemcpyHostToDevice, copies);
    if (mistake != no_record) cudaEventRecord(arrived, copies);
  }

  void compute_run(uint64_t number) {
    if (mistake == allocation_in_capture) DeviceArray<float>(16, compute);
    const int64_t count = mistake == write_behind_allocation ? kCount + 1 : kCount;
    if (mistake == baked_run_number)
      launch(compute, "add_constant", add_constant, dim3(8), dim3(128), 0, out.data(), in.data(), number, count);
    else
      launch(compute, "add_run", add_run, dim3(8), dim3(128), 0, out.data(), in.data(),
             (mistake == host_pointer ? pinned_run.data() : run.data()), count);
  }

  bool is_right() {
    constexpr uint64_t kRuns = 4;
    bool is_right = true;
    std::optional<Graph> graph;
    bring(0);
    for (uint64_t number = 0; number < kRuns; ++number) {
      if (mistake != no_wait) cudaStreamWaitEvent(compute, arrived, 0);
      if (mistake == host_read) is_right = is_right && in.data()[0] == 0;
      if (!graph) graph.emplace(compute, [&] { compute_run(number); });
      if (!*graph) return false;
      graph->launch(compute);
      cudaEventRecord(done, compute);
      if (mistake == use_after_free && number == 2) {
        cudaFreeAsync(in.data(), compute);
        graph->launch(compute);
      }
      cudaMemcpyAsync(pinned_out.data(), out.data(), kBytes, cudaMemcpyDeviceToHost, compute);
      if (number + 1 < kRuns) bring(number + 1);
      if (mistake != early_read) compute.wait();
      for (int64_t i = 0; i < kCount; ++i) {
        const auto at = static_cast<size_t>(i);
        is_right = is_right && pinned_out[at] == static_cast<float>(i + 2 * static_cast<int64_t>(number));
      }
    }
    return is_right;
  }

  // With feeds that wait in rooms of their own, to which copies go at once.
  bool early_feeds_are_right() {
    struct Room {
      explicit Room(const Stream& stream) : there(kCount, stream) {}
      PinnedArray<float> here{kCount};
      DeviceArray<float> there;
    } rooms[2] = {Room(compute), Room(compute)};
    pinned_run[0].number = 0;
    cudaMemcpyAsync(run.data(), pinned_run.data(), sizeof(Run), cudaMemcpyHostToDevice, compute);
    compute.wait();
    const auto room_of = [&](uint64_t number) -> Room& { return rooms[mistake == one_room ? 0 : number % 2]; };
    const auto send = [&](uint64_t number) {
      const Room& room = room_of(number);
      for (size_t i = 0; i < kCount; ++i) room.here[i] = static_cast<float>(i + number);
      cudaMemcpyAsync(room.there.data(), room.here.data(), kBytes, cudaMemcpyHostToDevice, copies);
    };
    constexpr uint64_t kRuns = 5;
    bool is_right = true;
    send(0);
    for (uint64_t number = 0; number < kRuns; ++number) {
      cudaEventRecord(arrived, copies);
      if (mistake != no_join) cudaStreamWaitEvent(compute, arrived, 0);
      cudaMemcpyAsync(in.data(), room_of(number).there.data(), kBytes, cudaMemcpyDeviceToDevice, compute);
      compute_run(0);
      cudaMemcpyAsync(pinned_out.data(), out.data(), kBytes, cudaMemcpyDeviceToHost, compute);
      if (number + 1 < kRuns) send(number + 1);
      compute.wait();
      for (size_t i = 0; i < kCount; ++i) is_right = is_right && pinned_out[i] == static_cast<float>(i + number);
    }
    copies.wait();
    return is_right;
  }

  // With results in memory that the host sees, and a flag there that says when to read them.
  bool flagged_results_are_right() {
    PinnedArray<uint64_t> end(2, cudaHostAllocMapped);  // the run's number, the flag
    PinnedArray<float> results(kCount, mistake == unmapped_results ? cudaHostAllocDefault : cudaHostAllocMapped);
    pinned_run[0].number = 0;
    cudaMemcpyAsync(run.data(), pinned_run.data(), sizeof(Run), cudaMemcpyHostToDevice, compute);
    bool is_right = true;
    end[1] = 0;
    for (uint64_t number = 1; number <= 3; ++number) {
      for (size_t i = 0; i < kCount; ++i) pinned_in[i] = static_cast<float>(i + number);
      cudaMemcpyAsync(in.data(), pinned_in.data(), kBytes, cudaMemcpyHostToDevice, compute);
      end[0] = number;
      if (mistake == flag_before_results) raise_flag(compute, &end[0], &end[1]);
      launch(compute, "add_run", add_run, dim3(8), dim3(128), 0, results.data(), in.data(), run.data(), kCount);
      if (mistake != flag_before_results) raise_flag(compute, &end[0], &end[1]);
      while (mistake != no_look && end[1] != number && cudaStreamQuery(compute) == cudaErrorNotReady) {}
      for (size_t i = 0; i < kCount; ++i) is_right = is_right && results[i] == static_cast<float>(i + number);
    }
    compute.wait();
    return is_right;
  }

  bool sums_are_right() {
    constexpr int64_t kRow = kCount / 2;
    for (size_t i = 0; i < kCount; ++i) pinned_in[i] = static_cast<float>(i % 7);
    cudaMemcpyAsync(in.data(), pinned_in.data(), kBytes, cudaMemcpyHostToDevice, compute);
    const auto kernel = mistake == missing_barrier ? sum_rows<false> : sum_rows<true>;
    launch(compute, "sum_rows", kernel, dim3(2), dim3(128), 128 * sizeof(float), out.data(), in.data(), kRow);
    cudaMemcpyAsync(pinned_out.data(), out.data(), 2 * sizeof(float), cudaMemcpyDeviceToHost, compute);
    compute.wait();
    float want[2] = {0, 0};
    for (size_t i = 0; i < kCount; ++i) want[i / kRow] += pinned_in[i];
    return pinned_out[0] == want[0] && pinned_out[1] == want[1];
  }
};

}  // namespace

int main(int argc, char** argv) {
  for (size_t m = 0; m < std::size(kNames); ++m) {
    if (argc != 2 || std::strcmp(argv[1], kNames[m]) != 0) continue;
    const auto mistake = static_cast<Mistake>(m);
    const bool is_right = Program(mistake).is_right() && Program(mistake).sums_are_right() &&
                          Program(mistake).early_feeds_are_right() && Program(mistake).flagged_results_are_right();
    return is_right && all_hold ? 0 : 1;
  }
  std::fprintf(stderr, "one of these mistakes:");
  for (const char* name : kNames) std::fprintf(stderr, " %s", name);
  std::fprintf(stderr, "\n");
  return 2;
}
