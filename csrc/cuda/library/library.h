// cuBLASLt and cuDNN, or what stands for them: who carries out descriptions of products and convolutions. There is one
// of each for a device, made at its first call of that kind.
#pragma once
#include <memory>
#include <string>

#include "cuda/lane.h"
#include "cuda/library/conv.h"
#include "cuda/library/gemm.h"

namespace hornbeam {

// The calls throw GpuError, which names the op. False: no way of the library does exactly this, and nothing was done.
class Products {
 public:
  virtual ~Products() = default;
  virtual bool multiply(Lane&, const char* op, const Gemm&, const GemmData&) = 0;
};
class Convolutions {
 public:
  virtual ~Convolutions() = default;
  virtual bool convolve(Lane&, const char* op, const Conv&, const ConvData&) = 0;
};

// Whether this process has a library. Opened at the first question, which takes a moment.
struct Presence {
  bool is_there;
  std::string text;  // "cuBLASLt 13.1.0", or why there is none
};
const Presence& products_presence();
const Presence& convolutions_presence();

// Memory that libraries use within a call: of a device, whose work is done in one order.
class LibraryWorkspace {
 public:
  static constexpr int64_t kBytes = int64_t{32} << 20;
  void* of(Lane&);  // made at the first call, which may not be recorded

 private:
  void* memory_ = nullptr;
};

// Of the current device. Those of cublaslt.cpp and cudnn.cpp, or sim/library.cpp.
std::unique_ptr<Products> make_products(LibraryWorkspace&);
std::unique_ptr<Convolutions> make_convolutions(LibraryWorkspace&);

// A device's.
class Library {
 public:
  bool multiply(Lane&, const char* op, const Gemm&, const GemmData&);
  bool convolve(Lane&, const char* op, const Conv&, const ConvData&);

 private:
  LibraryWorkspace workspace_;
  std::unique_ptr<Products> products_;
  std::unique_ptr<Convolutions> convolutions_;
};

}  // namespace hornbeam
