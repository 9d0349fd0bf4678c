// cuDNN's functions, from the library that is opened at run time, and its backend descriptors with an owner. For files
// that are compiled where <cudnn.h> is.
#pragma once
#include <cudnn.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "cuda/library/open.h"

namespace hornbeam {

// clang-format off
#define HB_CUDNN(X)                                                                                       \
  X(Create) X(SetStream) X(GetVersion) X(GetErrorString) X(GetLastErrorString)                            \
  X(BackendCreateDescriptor) X(BackendDestroyDescriptor) X(BackendSetAttribute) X(BackendGetAttribute)    \
  X(BackendFinalize) X(BackendExecute)
// clang-format on

// Without their prefix.
struct Cudnn {
  OpenedLibrary library{"libcudnn.so.9", "cudnn"};
#define HB_X(name) decltype(&cudnn##name) name = library.function<decltype(&cudnn##name)>("cudnn" #name);
  HB_CUDNN(HB_X)
#undef HB_X
};
inline const Cudnn& cudnn() {
  static const auto* functions = new Cudnn;
  return *functions;
}

// What the library says when it refuses something.
struct CudnnError : std::runtime_error { using std::runtime_error::runtime_error; };

inline void check_cudnn(const char* call, cudnnStatus_t status) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char last[200] = "";
  cudnn().GetLastErrorString(last, sizeof last);
  throw CudnnError(std::string("cudnn") + call + ": " + cudnn().GetErrorString(status) + (*last ? ": " : "") + last);
}

class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type) {
    check_cudnn("BackendCreateDescriptor", cudnn().BackendCreateDescriptor(type, &self_));
  }
  ~CudnnDescriptor() {
    if (self_) cudnn().BackendDestroyDescriptor(self_);
  }
  CudnnDescriptor(CudnnDescriptor&& other) noexcept : self_(std::exchange(other.self_, nullptr)) {}
  cudnnBackendDescriptor_t get() const { return self_; }

  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const void* values,
                       int64_t count = 1) {
    check_cudnn("BackendSetAttribute", cudnn().BackendSetAttribute(self_, name, type, count, values));
    return *this;
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& value) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, &value.self_);
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, int64_t value) { return set(name, CUDNN_TYPE_INT64, &value); }
  CudnnDescriptor& finalize() {
    check_cudnn("BackendFinalize", cudnn().BackendFinalize(self_));
    return *this;
  }
  // How many of them `values` has taken, at most `most`; with null and 0, how many there are.
  int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t most, void* values) const {
    int64_t count = 0;
    check_cudnn("BackendGetAttribute", cudnn().BackendGetAttribute(self_, name, type, most, &count, values));
    return values && count > most ? most : count;
  }

 private:
  cudnnBackendDescriptor_t self_ = nullptr;
};

}  // namespace hornbeam
