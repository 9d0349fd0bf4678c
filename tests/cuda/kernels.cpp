// csrc/cuda/gpu.h and block.h: each element once, sums and maxima of blocks, shuffles, votes, and what ends a process.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "cuda/block.h"
#include "cuda/gpu.h"
#include "resources.h"

using namespace hornbeam;

namespace {

// What a kernel that writes `count` results from `x` leaves.
template <class T, class Launch>
std::vector<T> results(const std::vector<T>& x, size_t count, Launch launch_kernel) {
  Stream lane;
  const DeviceArray<T> in(x.size(), lane), out(count, lane);
  const PinnedArray<T> from(x.size()), to(count);
  std::copy(x.begin(), x.end(), from.data());
  cudaMemcpyAsync(in.data(), from.data(), x.size() * sizeof(T), cudaMemcpyHostToDevice, lane);
  launch_kernel(lane, in.data(), out.data());
  cudaMemcpyAsync(to.data(), out.data(), count * sizeof(T), cudaMemcpyDeviceToHost, lane);
  lane.wait();
  return std::vector<T>(to.data(), to.data() + count);
}

// ---- each ----
void each_element_once() {
  for (const int64_t n : {0, 1, 2, 31, 1000, 70001}) {
    const std::vector<int> zeros(static_cast<size_t>(n) + 1, 0);
    const auto counts = results(zeros, zeros.size(), [n](Lane& lane, const int* x, int* y) {
      each(lane, "copy", n + 1, [=] GPU_LAMBDA(int64_t i) { y[i] = x[i]; });
      each(lane, "count", n, [=] GPU_LAMBDA(int64_t i) { y[i] += static_cast<int>(i % 100) + 1; });
    });
    for (int64_t i = 0; i < n; ++i) CHECK(counts[static_cast<size_t>(i)] == i % 100 + 1);
    CHECK(counts[static_cast<size_t>(n)] == 0);
  }
}

// ---- launch ----
__global__ void write_place(int* y) {
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  y[block * blockDim.x * blockDim.y * blockDim.z + thread] = static_cast<int>(blockIdx.z * 1000 + threadIdx.y * 10);
}
void three_dimensions() {
  const auto y = results(std::vector<int>{0}, 24 * 24, [](Lane& lane, const int*, int* y) {
    launch(lane, "write_place", write_place, dim3(2, 3, 4), dim3(4, 3, 2), 0, y);
  });
  for (int i = 0; i < 24 * 24; ++i) CHECK(y[static_cast<size_t>(i)] == i / 24 / 6 * 1000 + i % 24 / 4 % 3 * 10);
}
void empty_grid() {
  const auto y = results(std::vector<int>{7}, 1, [](Lane& lane, const int* x, int* y) {
    each(lane, "copy", 1, [=] GPU_LAMBDA(int64_t i) { y[i] = x[i]; });
    for (const dim3 grid : {dim3(0), dim3(1, 0), dim3(1, 1, 0)})
      launch(lane, "write_place", write_place, grid, dim3(1), 0, y);
  });
  CHECK(y[0] == 7);
}
void impossible_block() {
  Stream lane;
  launch(lane, "write_place", write_place, dim3(1), dim3(2048), 0, static_cast<int*>(nullptr));
  CHECK(lane.error == cudaErrorInvalidConfiguration);
  CHECK(std::strcmp(lane.failed, "write_place") == 0);
  CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
  CHECK(cudaGetLastError() == cudaSuccess);
}

struct Large {
  double weights[300];
  const double* x;
};
__global__ void weigh(double* y, GPU_PARAM Large large) { y[threadIdx.x] = large.x[threadIdx.x] * large.weights[299]; }
void large_argument() {
  const auto y = results(std::vector<double>{1, 2, 3}, 3, [](Lane& lane, const double* x, double* y) {
    Large large = {};
    large.weights[299] = 5;
    large.x = x;
    launch(lane, "weigh", weigh, dim3(1), dim3(3), 0, y, large);
  });
  CHECK(y == std::vector<double>({5, 10, 15}));
}

// ---- sums and maxima ----
template <class T>
__global__ void sum_and_max(const T* x, T* y, int64_t n) {
  GPU_SHARED(T, shared);
  const int64_t i = threadIdx.x + static_cast<int64_t>(blockDim.x) * threadIdx.y;
  const T value = x[blockIdx.x * n + i];
  const T sum = block_sum(value, shared);
  const T largest = block_max(value, shared);  // the same memory again
  y[(blockIdx.x * n + i) * 2] = sum;           // of every thread
  y[(blockIdx.x * n + i) * 2 + 1] = largest;
}
template <class T>
void sums_of(double tolerance) {
  std::mt19937 random(1);
  for (const dim3 block : {dim3(32), dim3(64), dim3(96), dim3(32, 5), dim3(256), dim3(1024)}) {
    const auto n = static_cast<int64_t>(block.x) * block.y, blocks = int64_t{3};
    std::vector<T> x(static_cast<size_t>(n * blocks));
    for (T& value : x) value = static_cast<T>(static_cast<int>(random() % 2001) - 1000) / T(7);
    const auto compute = [&](Lane& lane, const T* in, T* out) {
      launch(lane, "sum_and_max", sum_and_max<T>, dim3(static_cast<unsigned>(blocks)), block, kMaxWarps * sizeof(T), in,
             out, n);
    };
    const auto y = results(x, x.size() * 2, compute);
    for (size_t b = 0; b < static_cast<size_t>(blocks); ++b) {
      const auto* row = x.data() + b * static_cast<size_t>(n);
      double sum = 0, sizes = 0;
      for (int64_t i = 0; i < n; ++i)
        sum += static_cast<double>(row[i]), sizes += std::abs(static_cast<double>(row[i]));
      for (size_t i = b * static_cast<size_t>(n); i < (b + 1) * static_cast<size_t>(n); ++i) {
        CHECK(std::abs(static_cast<double>(y[2 * i]) - sum) <= tolerance * sizes);
        CHECK(y[2 * i] == y[2 * b * static_cast<size_t>(n)]);
        CHECK(y[2 * i + 1] == *std::max_element(row, row + n));
      }
    }
    CHECK(results(x, x.size() * 2, compute) == y);
  }
}
void sums_float32() { sums_of<float>(10 * 6e-8); }  // ten additions from an element to the sum
void sums_float64() { sums_of<double>(10 * 1.2e-16); }
void sums_int64() { sums_of<int64_t>(0); }
void nan_is_the_maximum() {
  std::vector<float> x(64, 1.f);
  x[40] = std::numeric_limits<float>::quiet_NaN();
  const auto y = results(x, 128, [](Lane& lane, const float* in, float* out) {
    launch(lane, "sum_and_max", sum_and_max<float>, dim3(1), dim3(64), kMaxWarps * sizeof(float), in, out, int64_t{64});
  });
  for (size_t i = 0; i < 64; ++i) CHECK(std::isnan(y[2 * i + 1]));
}

// ---- shuffles and votes ----
__global__ void shuffle_all(const int* x, int* y) {
  const unsigned t = threadIdx.x;
  const int value = x[t];
  y[t] = __shfl_sync(kWholeWarp, value, 5);
  y[32 + t] = __shfl_xor_sync(kWholeWarp, value, 3);
  y[64 + t] = __shfl_down_sync(kWholeWarp, value, 4);
  y[96 + t] = __shfl_up_sync(kWholeWarp, value, 4);
  y[128 + t] = static_cast<int>(__ballot_sync(kWholeWarp, t % 3 == 0));
  y[160 + t] = 2 * __any_sync(kWholeWarp, t == 9) + __all_sync(kWholeWarp, t == 9);
  int odd = 0;  // a part of the warp shuffles more often than the rest
  if (t % 2) {
    odd = __shfl_xor_sync(0xaaaaaaaau, value, 2);
    odd += __shfl_xor_sync(0xaaaaaaaau, value, 4);
  }
  y[192 + t] = __shfl_xor_sync(kWholeWarp, odd, 1);
}
void shuffles() {
  std::vector<int> x(32);
  for (int i = 0; i < 32; ++i) x[static_cast<size_t>(i)] = i * i;
  const auto y = results(x, 224, [](Lane& lane, const int* in, int* out) {
    launch(lane, "shuffle_all", shuffle_all, dim3(1), dim3(32), 0, in, out);
  });
  const auto square = [](int i) { return i * i; };
  unsigned thirds = 0;
  for (int i = 0; i < 32; i += 3) thirds |= 1u << i;
  for (int i = 0; i < 32; ++i) {
    const auto at = [&](int row) { return y[static_cast<size_t>(row * 32 + i)]; };
    CHECK(at(0) == 25);
    CHECK(at(1) == square(i ^ 3));
    CHECK(at(2) == square(i + 4 < 32 ? i + 4 : i));
    CHECK(at(3) == square(i >= 4 ? i - 4 : i));
    CHECK(static_cast<unsigned>(at(4)) == thirds);
    CHECK(at(5) == 2);
    CHECK(at(6) == (i % 2 ? 0 : square((i + 1) ^ 2) + square((i + 1) ^ 4)));
  }
}

__global__ void count_up(int* y, const int* x) {
  atomicAdd(y, 1);
  atomicMax(y + 1, x[threadIdx.x]);
  atomicMin(y + 2, x[threadIdx.x]);
}
void atomics() {
  const auto y = results(std::vector<int>{3, -8, 5}, 3, [](Lane& lane, const int* x, int* y) {
    each(lane, "clear", 3, [=] GPU_LAMBDA(int64_t i) { y[i] = 0; });
    launch(lane, "count_up", count_up, dim3(4), dim3(3), 0, y, x);
  });
  CHECK(y == std::vector<int>({12, 5, -8}));
}

// ---- what ends the process ----
__global__ void barrier_for_half() {
  if (threadIdx.x < 16) __syncthreads();
}
__global__ void shuffle_without_lane() {
  if (threadIdx.x != 3) __shfl_xor_sync(kWholeWarp, 1, 1);
}
__global__ void read_unwritten(float* y) {
  GPU_SHARED(float, shared);
  if (threadIdx.x > 0) shared[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = shared[threadIdx.x];
}
__global__ void write_behind_shared() {
  GPU_SHARED(float, shared);
  shared[threadIdx.x] = 1;
}
__global__ void follow(float* const* table) { *table[0] = 1; }

void barrier_not_reached() {
  Stream lane;
  launch(lane, "barrier_for_half", barrier_for_half, dim3(1), dim3(32), 0);
}
void lane_not_there() {
  Stream lane;
  launch(lane, "shuffle_without_lane", shuffle_without_lane, dim3(1), dim3(32), 0);
}
void unwritten_shared_memory() {
  const auto y = results(std::vector<float>{0}, 64, [](Lane& lane, const float*, float* y) {
    launch(lane, "read_unwritten", read_unwritten, dim3(1), dim3(64), 64 * sizeof(float), y);
  });
  CHECK(std::isnan(y[0]));
  for (size_t i = 1; i < 64; ++i) CHECK(y[i] == 1);
}
void beyond_shared_memory() {
  Stream lane;
  launch(lane, "write_behind_shared", write_behind_shared, dim3(1), dim3(64), 32 * sizeof(float));
}
void address_in_memory() {  // only arguments hold addresses
  Stream lane;
  const DeviceArray<float> target(1, lane);
  const DeviceArray<float*> table(1, lane);
  const PinnedArray<float*> from(1);
  from[0] = target.data();
  cudaMemcpyAsync(table.data(), from.data(), sizeof(float*), cudaMemcpyHostToDevice, lane);
  launch(lane, "follow", follow, dim3(1), dim3(1), 0, static_cast<float* const*>(table.data()));
}

constexpr Case kCases[] = {
    {"each_element_once", each_element_once},
    {"three_dimensions", three_dimensions},
    {"empty_grid", empty_grid},
    {"impossible_block", impossible_block},
    {"large_argument", large_argument},
    {"sums_float32", sums_float32},
    {"sums_float64", sums_float64},
    {"sums_int64", sums_int64},
    {"nan_is_the_maximum", nan_is_the_maximum},
    {"shuffles", shuffles},
    {"atomics", atomics},
    {"barrier_not_reached", barrier_not_reached},
    {"lane_not_there", lane_not_there},
    {"unwritten_shared_memory", unwritten_shared_memory},
    {"beyond_shared_memory", beyond_shared_memory},
    {"address_in_memory", address_in_memory},
};

}  // namespace

int main(int argc, char** argv) { return run_case(kCases, argc, argv); }
