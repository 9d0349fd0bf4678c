// What kernel files include: CUDA under nvcc, the simulated device under g++ (sim/). One source serves both.
#pragma once
#include <cstddef>
#include <cstdint>

#include "cuda/lane.h"

#ifdef __CUDACC__

#include <cuda_runtime.h>

// Dynamic shared memory of a block, 16-byte aligned: GPU_SHARED(float, parts).
#define GPU_SHARED(T, name)                                   \
  extern __shared__ __align__(16) unsigned char name##_raw[]; \
  T* name = reinterpret_cast<T*>(name##_raw)
// A large struct as a kernel's parameter, read where it lies: __global__ void f(GPU_PARAM Arguments a).
#define GPU_PARAM const __grid_constant__
// A lambda for `each`: [=] GPU_LAMBDA(int64_t i) { ... }.
#define GPU_LAMBDA __device__

#else

#include "cuda/sim/sim.h"

#define GPU_SHARED(T, name) T* name = reinterpret_cast<T*>(::hornbeam::sim::shared_memory())
#define GPU_PARAM const
#define GPU_LAMBDA

#endif

namespace hornbeam {

// Puts a kernel into the lane's stream. A grid without blocks launches nothing. `name` says which launch failed.
template <class... P, class... A>
void launch(Lane& lane, const char* name, void (*kernel)(P...), dim3 grid, dim3 block, size_t smem, A... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
#ifdef __CUDACC__
  constexpr size_t kWithoutAsking = 48 * 1024;
  if (smem > kWithoutAsking)
    lane.check(name, cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(smem)));
  kernel<<<grid, block, smem, lane.stream>>>(static_cast<P>(args)...);
  lane.check(name, cudaGetLastError());
#else
  lane.check(name, sim::launch(lane.stream, name, kernel, grid, block, smem, static_cast<P>(args)...));
#endif
}

#ifdef __CUDACC__
template <class F>
__global__ void __launch_bounds__(256) each_kernel(int64_t n, GPU_PARAM F f) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < n; i += step) f(i);
}
#endif

// f(i) for i in [0, n), in any order and at once: what most kernels are.
template <class F>
void each(Lane& lane, const char* name, int64_t n, F f) {
  if (n <= 0) return;
#ifdef __CUDACC__
  constexpr int64_t kThreads = 256, kMostBlocks = 65536;
  const int64_t blocks = (n + kThreads - 1) / kThreads;
  launch(lane, name, each_kernel<F>, dim3(static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks)),
         dim3(kThreads), 0, n, f);
#else
  lane.check(name, sim::each(lane.stream, name, n, f));
#endif
}

}  // namespace hornbeam
