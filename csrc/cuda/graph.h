// Work that was recorded, and is played with one call.
#pragma once
#include <cuda_runtime_api.h>

#include <vector>

namespace hornbeam {

// A function that the stream calls in its turn, on the host, and what is to happen to its data in the end.
struct HostCall {
  void (*f)(void* data);
  void (*end)(void* data);
  void* data;
};

struct Graph {
  cudaGraphExec_t executable = nullptr;
  std::vector<HostCall> host_calls;  // among its work

  Graph() = default;
  Graph(const Graph&) = delete;
  ~Graph() {
    if (executable) cudaGraphExecDestroy(executable);
    for (const HostCall& call : host_calls) call.end(call.data);
  }
};

}  // namespace hornbeam
