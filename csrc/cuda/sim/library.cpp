// The simulated device's libraries: descriptions are carried out by definition, as work of the stream.
#include <cstdlib>
#include <cstring>

#include "core/dispatch.h"
#include "cuda/gpu.h"
#include "cuda/library/find.h"
#include "cuda/library/perform.h"

namespace hornbeam {

namespace {

// HORNBEAM_SIM_LIBRARY=none: libraries that have no way for anything, so that each call comes back. =bare: none for
// what is to be done with the sums.
template <class D> bool refuses(const D& description) {
  static const char* const way = std::getenv("HORNBEAM_SIM_LIBRARY");
  if (!way) return false;
  return std::strcmp(way, "none") == 0 || (std::strcmp(way, "bare") == 0 && (description.bias || description.relu));
}

template <class T> __global__ void perform_gemm(GPU_PARAM Gemm g, const T* a, const T* b, const T* bias, T* d) {
  perform(g, a, b, bias, d);
}
template <class T> __global__ void perform_conv(GPU_PARAM Conv c, T* x, T* w, T* y, const T* bias) {
  perform(c, x, w, y, bias);
}

struct PerformedProducts final : Products {
  bool multiply(Lane& lane, const char* op, const Gemm& g, const GemmData& data) override {
    if (refuses(g)) return false;
    by_float(g.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      launch(lane, op, perform_gemm<T>, dim3(1), dim3(1), 0, g, static_cast<const T*>(data.a),
             static_cast<const T*>(data.b), static_cast<const T*>(data.bias), static_cast<T*>(data.d));
    });
    return true;
  }
};

struct PerformedConvolutions final : Convolutions {
  bool convolve(Lane& lane, const char* op, const Conv& c, const ConvData& data) override {
    if (refuses(c)) return false;
    by_float(c.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      launch(lane, op, perform_conv<T>, dim3(1), dim3(1), 0, c, static_cast<T*>(data.x), static_cast<T*>(data.w),
             static_cast<T*>(data.y), static_cast<const T*>(data.bias));
    });
    return true;
  }
};

}  // namespace

Presence find_products() { return {true, "cuBLASLt is simulated"}; }
Presence find_convolutions() { return {true, "cuDNN is simulated"}; }
std::unique_ptr<Products> make_products(LibraryWorkspace&) { return std::make_unique<PerformedProducts>(); }
std::unique_ptr<Convolutions> make_convolutions(LibraryWorkspace&) { return std::make_unique<PerformedConvolutions>(); }

}  // namespace hornbeam
