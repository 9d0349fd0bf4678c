// Streams, events and memory that are given back by themselves.
#pragma once
#include <cstddef>

#include "cases.h"
#include "cuda/lane.h"

struct Stream : hornbeam::Lane {
  Stream() { CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess); }
  ~Stream() { CHECK(cudaStreamDestroy(stream) == cudaSuccess); }
  Stream(const Stream&) = delete;
  operator cudaStream_t() const { return stream; }
  void wait() {
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
    CHECK(error == cudaSuccess);
  }
};

class Event {
 public:
  Event() { CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming) == cudaSuccess); }
  ~Event() { CHECK(cudaEventDestroy(event_) == cudaSuccess); }
  Event(const Event&) = delete;
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

template <class T>
class DeviceArray {
 public:
  DeviceArray(size_t count, const Stream& stream) : stream_(stream) {
    CHECK(cudaMallocAsync(reinterpret_cast<void**>(&data_), count * sizeof(T), stream_) == cudaSuccess);
  }
  ~DeviceArray() { CHECK(cudaFreeAsync(data_, stream_) == cudaSuccess); }
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
    CHECK(cudaHostAlloc(reinterpret_cast<void**>(&data_), count * sizeof(T), flags) == cudaSuccess);
  }
  ~PinnedArray() { CHECK(cudaFreeHost(data_) == cudaSuccess); }
  PinnedArray(const PinnedArray&) = delete;
  T* data() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
};

// What a stream records, to be launched.
class Graph {
 public:
  // Null if it cannot be recorded.
  template <class Record>
  Graph(const Stream& stream, Record record) {
    CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    record();
    cudaGraph_t graph = nullptr;
    if (cudaStreamEndCapture(stream, &graph) != cudaSuccess) return;
    CHECK(cudaGraphGetNodes(graph, nullptr, &nodes_) == cudaSuccess);
    CHECK(cudaGraphInstantiate(&exec_, graph, 0) == cudaSuccess);
    CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  }
  ~Graph() {
    if (exec_) CHECK(cudaGraphExecDestroy(exec_) == cudaSuccess);
  }
  Graph(const Graph&) = delete;
  explicit operator bool() const { return exec_; }
  size_t nodes() const { return nodes_; }
  void launch(const Stream& stream) const { CHECK(cudaGraphLaunch(exec_, stream) == cudaSuccess); }

 private:
  cudaGraphExec_t exec_ = nullptr;
  size_t nodes_ = 0;
};
