// The runtime's calls that allocate, free, copy and fill memory.
#include <algorithm>
#include <cstring>

#include "cuda/sim/memory.h"
#include "cuda/sim/runtime.h"
#include "cuda/sim/streams.h"

using namespace hornbeam::sim;

namespace {

// Inside a capture, allocations would become nodes of the graph, whose addresses a plan does not know.
bool refuses_allocation(Stream& stream) {
  if (stream.capture) stream.capture->is_broken = true;
  return stream.capture || breaks_capture();
}

void check_device(const char* call, const void* p, size_t bytes, int device) {
  if (bytes && !device_memory().holds(p, bytes))
    die("%s: %zu bytes that are not inside one allocation of the device's memory", call, bytes);
  if (bytes && device_memory().device_of(p) != device)
    die("%s: memory of device %d, in a stream of device %d", call, device_memory().device_of(p), device);
}
void check_pinned(const char* call, const void* p, size_t bytes) {
  if (bytes && !pinned_memory().holds(p, bytes))
    die("%s: %zu bytes that are not pinned memory of the host: the call would wait for them", call, bytes);
}
void check_copy(const void* to, const void* from, size_t bytes, cudaMemcpyKind kind, int device) {
  constexpr auto kName = "cudaMemcpyAsync";
  if (kind == cudaMemcpyDeviceToHost) check_pinned(kName, to, bytes);
  else check_device(kName, to, bytes, device);
  if (kind == cudaMemcpyHostToDevice) check_pinned(kName, from, bytes);
  else check_device(kName, from, bytes, device);
  const auto *a = static_cast<const char*>(to), *b = static_cast<const char*>(from);
  if (a < b + bytes && b < a + bytes) die("%s: the two overlap", kName);
}

}  // namespace

// ---- the device's memory ----
cudaError_t cudaMallocAsync(void** p, size_t bytes, cudaStream_t stream) {
  return call([&] {
    Stream& s = stream_of(stream);
    if (refuses_allocation(s)) return cudaErrorStreamCaptureUnsupported;
    *p = device_memory().allocate(bytes, s.device);
    if (*p) return cudaSuccess;
    run_all_streams();  // there may be memory to be freed in them
    *p = device_memory().allocate(bytes, s.device);
    return *p ? cudaSuccess : cudaErrorMemoryAllocation;
  });
}
cudaError_t cudaFreeAsync(void* p, cudaStream_t stream) {
  return call([&] {
    if (!p) return cudaSuccess;
    if (refuses_allocation(stream_of(stream))) return cudaErrorStreamCaptureUnsupported;
    if (!device_memory().is_allocated(p)) die("cudaFreeAsync of what is not allocated");
    put(stream_of(stream), {Work::Kind::on_device,
                            "cudaFreeAsync",
                            [p] {
                              if (!device_memory().is_allocated(p)) die("cudaFreeAsync of what was freed before");
                              device_memory().release(p);
                            },
                            {},
                            nullptr});
    return cudaSuccess;
  });
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return call([&] {
    *total = device_memory().limit();
    *free = *total - device_memory().used();
    return cudaSuccess;
  });
}
// There is one pool. It keeps nothing back, so that there is nothing to set or to trim.
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  return call([&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    *pool = reinterpret_cast<cudaMemPool_t>(&device_memory());
    return cudaSuccess;
  });
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
  return call([] { return cudaSuccess; });
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) {
  return call([] { return cudaSuccess; });
}

// ---- pinned memory ----
cudaError_t cudaHostAlloc(void** p, size_t bytes, unsigned flags) {
  return call([&] {
    if (breaks_capture()) return cudaErrorStreamCaptureUnsupported;
    *p = pinned_memory().allocate(bytes, (flags & cudaHostAllocMapped) != 0);
    return *p ? cudaSuccess : cudaErrorMemoryAllocation;
  });
}
cudaError_t cudaMallocHost(void** p, size_t bytes) { return cudaHostAlloc(p, bytes, cudaHostAllocDefault); }
cudaError_t cudaFreeHost(void* p) {
  return call([&] {
    if (breaks_capture()) return cudaErrorStreamCaptureUnsupported;
    run_all_streams();  // as the real one waits for the device
    return !p || pinned_memory().release(p) ? cudaSuccess : cudaErrorInvalidValue;
  });
}
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  return call([&] {
    if (!pinned_memory().is_mapped(host)) return cudaErrorInvalidValue;
    *device = host;
    return cudaSuccess;
  });
}

// ---- copies ----
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return call([&] {
    if (kind != cudaMemcpyHostToDevice && kind != cudaMemcpyDeviceToHost && kind != cudaMemcpyDeviceToDevice)
      return cudaErrorInvalidMemcpyDirection;
    Stream& s = stream_of(stream);
    check_copy(to, from, bytes, kind, s.device);
    put(s, {Work::Kind::on_device,
            "cudaMemcpyAsync",
            [=, device = s.device] {
              check_copy(to, from, bytes, kind, device);  // it may have been freed meanwhile
              std::memcpy(kind == cudaMemcpyDeviceToHost ? to : device_memory().inside(to),
                          kind == cudaMemcpyHostToDevice ? from : device_memory().inside(from), bytes);
            },
            {},
            nullptr});
    return cudaSuccess;
  });
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return call([&] {
    Stream& s = stream_of(stream);
    check_device("cudaMemsetAsync", to, bytes, s.device);
    put(s, {Work::Kind::on_device,
            "cudaMemsetAsync",
            [=, device = s.device] {
              check_device("cudaMemsetAsync", to, bytes, device);
              std::memset(device_memory().inside(to), value, bytes);
            },
            {},
            nullptr});
    return cudaSuccess;
  });
}
