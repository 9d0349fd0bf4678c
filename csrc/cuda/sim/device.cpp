// The devices that there are: HORNBEAM_SIM_DEVICES of them, one otherwise.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "cuda/sim/memory.h"
#include "cuda/sim/runtime.h"

using namespace hornbeam::sim;

namespace {
// Of the oldest GPUs that the kernels are for: what fits here fits everywhere.
constexpr int kMajor = 7, kMinor = 5, kMultiprocessors = 4;

int device_count() {
  static const int count = [] {
    const char* wanted = std::getenv("HORNBEAM_SIM_DEVICES");
    return std::max(wanted ? std::atoi(wanted) : 1, 1);
  }();
  return count;
}
thread_local int current = 0;
}  // namespace

namespace hornbeam::sim {
int current_device() { return current; }
bool is_device(int number) { return number >= 0 && number < device_count(); }
}  // namespace hornbeam::sim

cudaError_t cudaGetDeviceCount(int* count) {
  return call([&] {
    *count = device_count();
    return cudaSuccess;
  });
}
cudaError_t cudaSetDevice(int device) {
  return call([&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    current = device;
    return cudaSuccess;
  });
}
cudaError_t cudaGetDevice(int* device) {
  return call([&] {
    *device = current;
    return cudaSuccess;
  });
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call([&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    cudaDeviceProp p = {};
    std::strcpy(p.name, "simulated");
    p.totalGlobalMem = device_memory().limit();
    p.sharedMemPerBlock = 48 << 10;
    p.sharedMemPerBlockOptin = kMostSharedBytes;
    p.regsPerBlock = 64 << 10;
    p.warpSize = 32;
    p.maxThreadsPerBlock = kMostThreads;
    p.maxThreadsDim[0] = p.maxThreadsDim[1] = kMostThreads;
    p.maxThreadsDim[2] = 64;
    p.maxGridSize[0] = 0x7fffffff;
    p.maxGridSize[1] = p.maxGridSize[2] = 0xffff;
    p.major = kMajor;
    p.minor = kMinor;
    p.multiProcessorCount = kMultiprocessors;
    p.unifiedAddressing = p.canMapHostMemory = p.concurrentKernels = p.memoryPoolsSupported = 1;
    *properties = p;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return call([&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    switch (attribute) {
      case cudaDevAttrComputeCapabilityMajor: *value = kMajor; break;
      case cudaDevAttrComputeCapabilityMinor: *value = kMinor; break;
      case cudaDevAttrMultiProcessorCount: *value = kMultiprocessors; break;
      case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = kMostSharedBytes; break;
      case cudaDevAttrCanMapHostMemory:
      case cudaDevAttrMemoryPoolsSupported: *value = 1; break;
      default: return cudaErrorInvalidValue;
    }
    return cudaSuccess;
  });
}
