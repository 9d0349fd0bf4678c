// Memory of the device and pinned memory that are freed by themselves.
#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>

template <class T>
class DeviceArray {
 public:
  DeviceArray(size_t count, cudaStream_t stream) : stream_(stream) {
    cudaMallocAsync(reinterpret_cast<void**>(&data_), count * sizeof(T), stream);
  }
  ~DeviceArray() { cudaFreeAsync(data_, stream_); }
  DeviceArray(const DeviceArray&) = delete;
  T* data() const { return data_; }

 private:
  cudaStream_t stream_;
  T* data_ = nullptr;
};

template <class T>
class PinnedArray {
 public:
  explicit PinnedArray(size_t count, unsigned flags = cudaHostAllocDefault) {
    cudaHostAlloc(reinterpret_cast<void**>(&data_), count * sizeof(T), flags);
  }
  ~PinnedArray() { cudaFreeHost(data_); }
  PinnedArray(const PinnedArray&) = delete;
  T* data() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
};
