#include "cuda/device.h"

#include <unistd.h>

#include "cuda/error.h"

namespace hornbeam {

class Gpu::Submitting {
 public:
  explicit Submitting(Gpu& gpu) : lock_(gpu.mutex_) {
    if (!gpu.process_) gpu.start();
    if (gpu.process_ != getpid())
      throw GpuError("it was in use before this process was forked, and cannot be used in it");
    check("cudaSetDevice", cudaSetDevice(gpu.ordinal_));
  }

 private:
  std::lock_guard<std::mutex> lock_;
};

void Gpu::start() {
  check("cudaSetDevice", cudaSetDevice(ordinal_));
  check("cudaStreamCreate", cudaStreamCreateWithFlags(&compute_.stream, cudaStreamNonBlocking));
  // Memory that was freed stays with the process: what the next run takes is there at once.
  cudaMemPool_t pool;
  check("cudaDeviceGetDefaultMemPool", cudaDeviceGetDefaultMemPool(&pool, ordinal_));
  uint64_t all = ~uint64_t{0};
  check("cudaMemPoolSetAttribute", cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all));
  staging_ = std::make_unique<Staging>(compute_.stream);
  process_ = getpid();
}

cudaError_t Gpu::try_allocate(void** memory, int64_t bytes) {
  return cudaMallocAsync(memory, static_cast<size_t>(bytes), compute_.stream);
}

void* Gpu::allocate(int64_t bytes) {
  const Submitting submitting(*this);
  void* memory = nullptr;
  cudaError_t e = try_allocate(&memory, bytes);
  if (e == cudaErrorMemoryAllocation) {  // what was freed is given back in other pieces than are wanted now
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

void Gpu::copy_in(void* to, const void* from, int64_t bytes) {
  const Submitting submitting(*this);
  staging_->copy_in(to, from, bytes);
}

void Gpu::copy_out(void* to, const void* from, int64_t bytes) {
  const Submitting submitting(*this);
  staging_->copy_out(to, from, bytes);
}

void Gpu::copy(void* to, const void* from, int64_t bytes) {
  const Submitting submitting(*this);
  check("cudaMemcpyAsync",
        cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice, compute_.stream));
}

void Gpu::fill(void* to, int byte, int64_t bytes) {
  const Submitting submitting(*this);
  check("cudaMemsetAsync", cudaMemsetAsync(to, byte, static_cast<size_t>(bytes), compute_.stream));
}

void Gpu::run(const Kernel& kernel, const KernelCall& call) {
  const Submitting submitting(*this);
  KernelCall here = call;
  here.lane = &compute_;
  kernel.run(here);
  finish(compute_);
}

void Gpu::pack(const Kernel& kernel, const KernelCall& call, void* to) {
  const Submitting submitting(*this);
  KernelCall here = call;
  here.lane = &compute_;
  kernel.pack(here, to);
  finish(compute_);
}

void Gpu::finish(Lane& lane) {
  const cudaError_t e = lane.error;
  lane.error = cudaSuccess;
  check(lane.failed, e);
}

}  // namespace hornbeam
