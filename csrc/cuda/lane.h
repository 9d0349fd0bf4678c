// Where kernels put their work: a stream, which does it in order and later, and the first thing that went wrong.
#pragma once
#include <cuda_runtime_api.h>

#include <vector>

namespace hornbeam {

class Library;   // library/library.h
class Formulas;  // compiled/formulas.h
struct CompiledFormula;

struct Lane {
  cudaStream_t stream = nullptr;
  Library* library = nullptr;    // its device's
  Formulas* formulas = nullptr;  // its device's
  // What is interpreted for now; null where nobody wants to know.
  std::vector<const CompiledFormula*>* awaited = nullptr;
  cudaError_t error = cudaSuccess;
  const char* failed = "";  // the launch that it came from

  void check(const char* what, cudaError_t e) {
    if (e == cudaSuccess || error != cudaSuccess) return;
    error = e;
    failed = what;
  }
};

}  // namespace hornbeam
