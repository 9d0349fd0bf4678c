// What goes wrong inside the module: an exception here, a text once it leaves (module.cpp).
#pragma once
#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>

namespace hornbeam {

struct GpuError : std::runtime_error { using std::runtime_error::runtime_error; };

inline void check(const char* what, cudaError_t e) {
  if (e != cudaSuccess) throw GpuError(std::string(what) + ": " + cudaGetErrorString(e));
}

}  // namespace hornbeam
