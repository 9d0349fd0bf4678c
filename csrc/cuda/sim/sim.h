// What kernels see of the simulated device: a block's threads are fibers (fibers.cpp), launches are work in a stream
// (streams.cpp). Types and signatures are the real headers', so host code is compiled unchanged.
#pragma once
#include <cuda_runtime_api.h>
#include <vector_functions.h>
#include <vector_types.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <vector>

#include "cuda/sim/schedule.h"

namespace hornbeam::sim {

// ---- launches ----
// Makes what the host passes to a launch what the kernel sees: pointers to the device's memory, alone or inside
// structs, become those that work uses. Others to the host's memory end the process with the kernel's name: a GPU could
// not follow them.
class Arguments {
 public:
  explicit Arguments(const char* kernel) : kernel_(kernel) {}
  template <class T>
  void prepare(T& argument) {
    static_assert(std::is_trivially_copyable_v<T>, "kernels take plain data");
#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
    __builtin_clear_padding(&argument);  // what lies in padding could look like an address
#endif
#endif
    // GCC leaves what lies behind the last member of a larger type as it was.
    constexpr size_t kCleared = 256;
    scan(&argument, sizeof argument, sizeof argument <= kCleared ? sizeof argument : sizeof argument - sizeof(void*));
  }
  // An argument of a type that only its kernel knows, without padding.
  void prepare_bytes(void* argument, size_t bytes) { scan(argument, bytes, bytes); }
  // Those to the device's memory, as the host knows them.
  const std::vector<const void*>& pointers() const { return pointers_; }

 private:
  void scan(void* argument, size_t bytes, size_t bytes_without_padding);

  const char* kernel_;
  int index_ = 0;
  std::vector<const void*> pointers_;
};

cudaError_t enqueue(cudaStream_t stream, const char* kernel, const Arguments& arguments, std::function<void()> work);
cudaError_t check_configuration(dim3 grid, dim3 block, size_t shared_bytes);
void run_blocks(dim3 grid, dim3 block, size_t shared_bytes, const std::function<void()>& thread);

constexpr size_t kMostArgumentBytes = 32764;

template <class... P>
cudaError_t launch(cudaStream_t stream, const char* name, void (*kernel)(P...), dim3 grid, dim3 block, size_t smem,
                   P... args) {
  static_assert((sizeof(P) + ... + 0) <= kMostArgumentBytes, "more arguments than a launch can carry");
  if (const cudaError_t wrong = check_configuration(grid, block, smem)) return wrong;
  Arguments arguments(name);
  (arguments.prepare(args), ...);
  return enqueue(stream, name, arguments, [=] { run_blocks(grid, block, smem, [&] { kernel(args...); }); });
}

template <class F>
cudaError_t each(cudaStream_t stream, const char* name, int64_t n, F f) {
  static_assert(sizeof(F) <= kMostArgumentBytes, "more arguments than a launch can carry");
  Arguments arguments(name);
  arguments.prepare(f);
  return enqueue(stream, name, arguments, [n, f] {
    const Permutation order(n);
    int64_t i = order.first();
    for (int64_t k = 0; k < n; ++k, i = order.after(i)) f(i);
  });
}

// ---- inside a block ----
extern uint3 block_idx;
extern dim3 block_dim, grid_dim;
const uint3& thread_idx();
unsigned lane();
void* shared_memory();
void block_barrier();
void warp_barrier(unsigned mask);
// Gives `mine` to the lanes of the mask, and takes what lane `source` gave; `mine` where there is no such lane.
void exchange(unsigned mask, const void* mine, void* theirs, size_t bytes, int source);
unsigned ballot(unsigned mask, bool vote);

template <class T>
T shuffle(unsigned mask, T value, int source) {
  static_assert(sizeof(T) <= 8 && std::is_arithmetic_v<T>, "CUDA shuffles numbers");
  T theirs;
  exchange(mask, &value, &theirs, sizeof value, source);
  return theirs;
}

}  // namespace hornbeam::sim

// ---- CUDA's own names ----
#define threadIdx (::hornbeam::sim::thread_idx())
#define blockIdx (::hornbeam::sim::block_idx)
#define blockDim (::hornbeam::sim::block_dim)
#define gridDim (::hornbeam::sim::grid_dim)
#undef __shared__
#define __shared__ use_GPU_SHARED_which_holds_NaN_until_it_is_written
#undef __launch_bounds__
#define __launch_bounds__(...)

inline void __syncthreads() { hornbeam::sim::block_barrier(); }
inline void __syncwarp(unsigned mask = ~0u) { hornbeam::sim::warp_barrier(mask); }
template <class T>
T __shfl_sync(unsigned mask, T value, int source) {
  return hornbeam::sim::shuffle(mask, value, source & 31);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits) {
  return hornbeam::sim::shuffle(mask, value, static_cast<int>(hornbeam::sim::lane()) ^ bits);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, int by) {
  return hornbeam::sim::shuffle(mask, value, static_cast<int>(hornbeam::sim::lane()) + by);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, int by) {
  return hornbeam::sim::shuffle(mask, value, static_cast<int>(hornbeam::sim::lane()) - by);
}
inline unsigned __ballot_sync(unsigned mask, int vote) { return hornbeam::sim::ballot(mask, vote != 0); }
inline int __any_sync(unsigned mask, int vote) { return hornbeam::sim::ballot(mask, vote != 0) != 0; }
inline int __all_sync(unsigned mask, int vote) { return hornbeam::sim::ballot(mask, vote == 0) == 0; }

inline void __threadfence_system() {}  // each write is seen at once
template <class T>
T __ldg(const T* p) {
  return *p;
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>((static_cast<uint64_t>(a) * b) >> 32); }
inline int __float_as_int(float x) {
  int bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float __int_as_float(int bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
// Fibers change hands at barriers only, so these are whole as they stand. Of integers: sums of floats would depend on
// the order.
template <class T>
T atomicAdd(T* p, T value) {
  static_assert(std::is_integral_v<T>, "an atomic sum of floats is different each time");
  const T old = *p;
  *p = old + value;
  return old;
}
template <class T>
T atomicMin(T* p, T value) {
  const T old = *p;
  if (value < old) *p = value;
  return old;
}
template <class T>
T atomicMax(T* p, T value) {
  const T old = *p;
  if (old < value) *p = value;
  return old;
}
