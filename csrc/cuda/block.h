// Sums and maxima over a warp and over a block whose size is a multiple of 32. The order of additions follows from the
// block's size alone, so results have the same bits every time; every thread gets the result.
#pragma once
#include "cuda/gpu.h"

namespace hornbeam {

constexpr unsigned kWholeWarp = 0xffffffffu;
constexpr int kWarp = 32, kMaxWarps = 32;  // threads of a warp, warps of the largest block

struct Add {
  template <class T>
  static __device__ __forceinline__ T join(T a, T b) {
    return a + b;
  }
};
struct Larger {  // NaN if either is
  template <class T>
  static __device__ __forceinline__ T join(T a, T b) {
    return a > b || a != a ? a : b;
  }
};

// Lanes i and i ^ offset compute the same: the operations are commutative. So all lanes hold the same bits at the end.
template <class Join, class T>
__device__ __forceinline__ T warp_join(T value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2)
    value = Join::join(value, __shfl_xor_sync(kWholeWarp, value, offset));
  return value;
}
// `rest` stands for warps that the block does not have. All threads have read `shared` on return: it may be used again.
template <class Join, class T>
__device__ __forceinline__ T block_join(T value, T rest, T* shared) {
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned warps = blockDim.x * blockDim.y * blockDim.z / kWarp, lane = thread % kWarp;
  value = warp_join<Join>(value);
  if (lane == 0) shared[thread / kWarp] = value;
  __syncthreads();
  const T part = lane < warps ? shared[lane] : rest;
  __syncthreads();
  return warp_join<Join>(part);
}

template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  return warp_join<Add>(value);
}
template <class T>
__device__ __forceinline__ T warp_max(T value) {
  return warp_join<Larger>(value);
}
// `shared` has room for kMaxWarps values.
template <class T>
__device__ __forceinline__ T block_sum(T value, T* shared) {
  return block_join<Add>(value, T(0), shared);
}
template <class T>
__device__ __forceinline__ T block_max(T value, T* shared) {
  // The thread's own value is part of the maximum anyway.
  return block_join<Larger>(value, value, shared);
}

}  // namespace hornbeam
