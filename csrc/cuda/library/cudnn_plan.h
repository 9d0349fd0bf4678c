// From a description of a convolution to a plan of cuDNN that does exactly this. For files that are compiled where
// <cudnn.h> is.
#pragma once
#include <memory>
#include <vector>

#include "cuda/library/conv.h"
#include "cuda/library/cudnn_api.h"

namespace hornbeam {

// The names of a plan's tensors.
enum CudnnTensorId : int64_t { kCudnnX = 'x', kCudnnW = 'w', kCudnnY = 'y', kCudnnBias = 'b' };

// A description, and what divides the addresses of its call.
struct ConvKey {
  Conv conv;
  int64_t align_x, align_w, align_y, align_bias;
};

// What plans are made for: a GPU by its handle, or one that is only described (ci/cudnn_plans).
struct CudnnPlace {
  cudnnHandle_t handle = nullptr;
  const CudnnDescriptor* device = nullptr;
};

class CudnnGraph {
 public:
  CudnnGraph(const ConvKey&, const CudnnPlace&);  // throws CudnnError
  // The configurations that cuDNN suggests, best first.
  std::vector<CudnnDescriptor> suggestions() const;

 private:
  const CudnnDescriptor& add(CudnnDescriptor&&);
  const CudnnDescriptor& tensor(int64_t id, const ConvTensor&, int64_t alignment, bool is_virtual = false);
  const CudnnDescriptor& convolution(const CudnnDescriptor& x, const CudnnDescriptor& w, const CudnnDescriptor& y);
  const CudnnDescriptor& pointwise(cudnnPointwiseMode_t, const CudnnDescriptor& x, const CudnnDescriptor* bias,
                                   const CudnnDescriptor& y);

  const Conv conv_;
  const CudnnPlace place_;
  std::vector<std::unique_ptr<CudnnDescriptor>> parts_;
  CudnnDescriptor graph_{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
};

// Whether an engine computes what the description says, the same each time, and as it is: without TF32 (unless that is
// asked for), without transforms that round otherwise, without atomic sums, without code compiled at run time.
bool is_exact(const CudnnDescriptor& configuration, const Conv&);

struct CudnnPlan {
  CudnnDescriptor configuration, plan;
  int64_t workspace = 0;  // bytes

  CudnnPlan(CudnnDescriptor&& configuration, const CudnnPlace&);  // throws CudnnError
};

// The first suggestion that is exact and takes so much workspace at most; null: there is none.
std::unique_ptr<CudnnPlan> exact_plan(const ConvKey&, const CudnnPlace&, int64_t most_workspace);

}  // namespace hornbeam
