// Where kernels put their work: a stream, which does it in order and later, and the first thing that went wrong.
#pragma once
#include <cuda_runtime_api.h>

namespace hornbeam {

class Library;  // library/library.h

struct Lane {
  cudaStream_t stream = nullptr;
  Library* library = nullptr;  // its device's
  cudaError_t error = cudaSuccess;
  const char* failed = "";  // the launch that it came from

  void check(const char* what, cudaError_t e) {
    if (e == cudaSuccess || error != cudaSuccess) return;
    error = e;
    failed = what;
  }
};

}  // namespace hornbeam
