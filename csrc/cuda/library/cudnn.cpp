// Convolutions by cuDNN's graph API. Compiled where its header is; the library itself is opened at run time.
#include "cuda/library/find.h"

#if __has_include(<cudnn_version.h>)
#include <cudnn_version.h>
#endif
#if CUDNN_VERSION >= 90800

#include <algorithm>

#include "cuda/error.h"
#include "cuda/library/cudnn_plan.h"
#include "cuda/library/plan_cache.h"
#include "cuda/library/text.h"

namespace hornbeam {

namespace {

class CudnnConvolutions final : public Convolutions {
 public:
  explicit CudnnConvolutions(LibraryWorkspace& workspace) : workspace_(workspace) {
    try {
      check_cudnn("Create", cudnn().Create(&place_.handle));
    } catch (const CudnnError& e) {
      throw GpuError(e.what() + std::string(kWithoutLibraries));
    }
  }

  bool convolve(Lane& lane, const char* op, const Conv& c, const ConvData& data) override {
    if (std::max({c.x.count(), c.w.count(), c.y.count()}) > INT32_MAX) return false;  // more than engines can count
    void* const workspace = workspace_.of(lane);
    const auto aligned = [](const void* p) { return std::min<int64_t>(alignment_of(p), kMostAlignment); };
    const ConvKey key{c, aligned(data.x), aligned(data.w), aligned(data.y), aligned(data.bias)};
    const CudnnPlan* plan = plans_.find(key, [&] { return exact_plan(key, place_, LibraryWorkspace::kBytes); });
    if (!plan) return false;
    try {
      run(lane, *plan, c, data, workspace);
    } catch (const CudnnError& e) {
      throw GpuError(std::string(op) + ", " + shapes_of(c) + ": " + e.what() + kWithoutLibraries);
    }
    return true;
  }

 private:
  static constexpr int64_t kMostAlignment = 16;  // that engines ask for

  void run(Lane& lane, const CudnnPlan& plan, const Conv& c, const ConvData& data, void* workspace) {
    if (stream_ != lane.stream) {
      check_cudnn("SetStream", cudnn().SetStream(place_.handle, lane.stream));
      stream_ = lane.stream;
    }
    const int64_t ids[] = {kCudnnX, kCudnnW, kCudnnY, kCudnnBias};
    const void* const pointers[] = {data.x, data.w, data.y, data.bias};
    const int64_t count = c.bias ? 4 : 3;
    CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids, count)
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers, count)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, &workspace)
        .finalize();
    check_cudnn("BackendExecute", cudnn().BackendExecute(place_.handle, plan.plan.get(), pack.get()));
  }

  LibraryWorkspace& workspace_;
  CudnnPlace place_;  // its handle is never destroyed, as its device
  cudaStream_t stream_ = nullptr;
  PlanCache<ConvKey, CudnnPlan> plans_;
};

}  // namespace

Presence find_convolutions() {
  const Cudnn& library = cudnn();
  if (!library.library) return {false, "cuDNN: " + library.library.missing()};
  return {true, "cuDNN " + version_text(library.GetVersion())};
}
std::unique_ptr<Convolutions> make_convolutions(LibraryWorkspace& workspace) {
  return std::make_unique<CudnnConvolutions>(workspace);
}

}  // namespace hornbeam

#else

namespace hornbeam {

Presence find_convolutions() {
  return {false, "cuDNN: its header, of 9.8 or later, was not there when Hornbeam was built"};
}
std::unique_ptr<Convolutions> make_convolutions(LibraryWorkspace&) { return nullptr; }

}  // namespace hornbeam

#endif
