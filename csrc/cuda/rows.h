// A team of threads for each row of a tensor: a warp for short rows, a block for long ones. A thread touches the same
// elements of a row whenever the team walks over it, so that a result may lie over what it is made from.
#pragma once
#include "cuda/block.h"
#include "cuda/fold_ops.h"

namespace hornbeam {

constexpr int kRowThreads = 256;         // of a block
constexpr int64_t kWarpElements = 1024;  // of the longest row that a warp works on

template <class T, int kSize> struct Team {
  T* shared;  // room for kMaxWarps values
  int rank;

  template <class F> __device__ __forceinline__ void each(int64_t n, const F& f) const {
    for (int64_t i = rank; i < n; i += kSize) f(i);
  }
  __device__ __forceinline__ T sum(T value) const {
    if constexpr (kSize == kWarp) return warp_sum(value);
    else return block_sum(value, shared);
  }
  __device__ __forceinline__ T max(T value) const {
    if constexpr (kSize == kWarp) return warp_max(value);
    else return block_max(value, shared);
  }
  // Sum of term(i) over a row: within 8 roundings of the sum of magnitudes, however long.
  template <class F> __device__ __forceinline__ T sum_of(int64_t n, const F& term) const {
    auto mine = SumFold<T>::none();
    each(n, [&](int64_t i) { SumFold<T>::take(mine, term(i), i); });
    return sum(SumFold<T>::result(mine));
  }
  template <class F> __device__ __forceinline__ T max_of(int64_t n, const F& value) const {
    T top = kLowest<T>;
    each(n, [&](int64_t i) { top = Maximum::merge(top, value(i)); });
    return max(top);
  }
};

// f(team, row) for each row. Three blocks of an SM are enough: for a fourth, registers would be spilled.
template <class T, int kSize, class F>
__global__ void __launch_bounds__(kRowThreads, 3) rows_kernel(int64_t rows, GPU_PARAM F f) {
  GPU_SHARED(T, shared);
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t row = blockIdx.x * static_cast<int64_t>(kRowThreads / kSize) + thread / kSize;
  if (row < rows) f(Team<T, kSize>{shared, thread % kSize}, row);  // whole teams
}

template <class T, class F> static void each_row(Lane& lane, const char* name, int64_t rows, int64_t n, F f) {
  if (n <= kWarpElements) {
    constexpr int kPerBlock = kRowThreads / kWarp;
    const dim3 grid(static_cast<unsigned>((rows + kPerBlock - 1) / kPerBlock));
    launch(lane, name, rows_kernel<T, kWarp, F>, grid, dim3(kRowThreads), sizeof(T) * kMaxWarps, rows, f);
  } else {
    const dim3 grid(static_cast<unsigned>(rows));
    launch(lane, name, rows_kernel<T, kRowThreads, F>, grid, dim3(kRowThreads), sizeof(T) * kMaxWarps, rows, f);
  }
}

}  // namespace hornbeam
