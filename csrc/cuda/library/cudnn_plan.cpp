#if __has_include(<cudnn_version.h>)
#include <cudnn_version.h>
#endif
#if CUDNN_VERSION >= 90800  // as cudnn.cpp

#include "cuda/library/cudnn_plan.h"

namespace hornbeam {

namespace {

cudnnDataType_t type_of(const Conv& c) { return c.dtype == DType::float64 ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT; }

// The names of an operation's attributes.
struct ConvolutionNames {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t convolution, x, w, y, alpha, beta;
};
ConvolutionNames names_of(ConvKind kind) {
#define HB_NAMES(operation, prefix, x, w, y)                                                                    \
  {                                                                                                             \
    CUDNN_BACKEND_OPERATION_CONVOLUTION_##operation##_DESCRIPTOR,                                               \
        CUDNN_ATTR_OPERATION_CONVOLUTION_##prefix##_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_##prefix##_##x, \
        CUDNN_ATTR_OPERATION_CONVOLUTION_##prefix##_##w, CUDNN_ATTR_OPERATION_CONVOLUTION_##prefix##_##y,       \
        CUDNN_ATTR_OPERATION_CONVOLUTION_##prefix##_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_##prefix##_BETA     \
  }
  switch (kind) {
    case ConvKind::forward: return HB_NAMES(FORWARD, FORWARD, X, W, Y);
    case ConvKind::data: return HB_NAMES(BACKWARD_DATA, BWD_DATA, DX, W, DY);
    case ConvKind::filter: break;
  }
  return HB_NAMES(BACKWARD_FILTER, BWD_FILTER, X, DW, DY);
#undef HB_NAMES
}

// One number for each channel, which lies in all other dims at once.
ConvTensor bias_of(const Conv& c) {
  ConvTensor t = c.y;
  for (int i = 0; i < c.rank(); ++i) {
    t.dim[i] = i == 1 ? c.y.dim[1] : 1;
    t.stride[i] = i == 1 ? 1 : c.y.dim[1];
  }
  return t;
}

}  // namespace

CudnnGraph::CudnnGraph(const ConvKey& key, const CudnnPlace& place) : conv_(key.conv), place_(place) {
  enum : int64_t { kSum = 's', kWithBias = 't' };  // between operations
  const Conv& c = conv_;
  const CudnnDescriptor& x = tensor(kCudnnX, c.x, key.align_x);
  const CudnnDescriptor& w = tensor(kCudnnW, c.w, key.align_w);
  const CudnnDescriptor& y = tensor(kCudnnY, c.y, key.align_y);
  std::vector<cudnnBackendDescriptor_t> operations;
  const CudnnDescriptor& sum = c.bias || c.relu ? tensor(kSum, c.y, key.align_y, true) : y;
  operations.push_back(convolution(x, w, sum).get());
  const CudnnDescriptor* made = &sum;
  if (c.bias) {
    const CudnnDescriptor& bias = tensor(kCudnnBias, bias_of(c), key.align_bias);
    const CudnnDescriptor& with_bias = c.relu ? tensor(kWithBias, c.y, key.align_y, true) : y;
    operations.push_back(pointwise(CUDNN_POINTWISE_ADD, sum, &bias, with_bias).get());
    made = &with_bias;
  }
  if (c.relu) operations.push_back(pointwise(CUDNN_POINTWISE_RELU_FWD, *made, nullptr, y).get());
  if (place.handle) graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, &place.handle);
  graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations.data(),
             static_cast<int64_t>(operations.size()));
  graph_.finalize();
}

const CudnnDescriptor& CudnnGraph::add(CudnnDescriptor&& part) {
  part.finalize();
  return *parts_.emplace_back(std::make_unique<CudnnDescriptor>(std::move(part)));
}

const CudnnDescriptor& CudnnGraph::tensor(int64_t id, const ConvTensor& t, int64_t alignment, bool is_virtual) {
  const cudnnDataType_t type = type_of(conv_);
  CudnnDescriptor d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, &type)
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, t.dim, conv_.rank())
      .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, t.stride, conv_.rank())
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, &is_virtual);
  return add(std::move(d));
}

const CudnnDescriptor& CudnnGraph::convolution(const CudnnDescriptor& x, const CudnnDescriptor& w,
                                               const CudnnDescriptor& y) {
  const Conv& c = conv_;
  const cudnnDataType_t type = type_of(c);
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  CudnnDescriptor d(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, &type)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, &mode)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, c.axes)
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, c.pre, c.axes)
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, c.post, c.axes)
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, c.dilation, c.axes)
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, c.stride, c.axes);
  const CudnnDescriptor& convolution = add(std::move(d));

  const double one = 1, zero = 0;
  const float one_f = 1, zero_f = 0;
  const bool is_double = type == CUDNN_DATA_DOUBLE;
  const cudnnBackendAttributeType_t scalar = is_double ? CUDNN_TYPE_DOUBLE : CUDNN_TYPE_FLOAT;
  const ConvolutionNames names = names_of(c.kind);
  CudnnDescriptor operation(names.operation);
  operation.set(names.x, x)
      .set(names.w, w)
      .set(names.y, y)
      .set(names.convolution, convolution)
      .set(names.alpha, scalar, is_double ? static_cast<const void*>(&one) : &one_f)
      .set(names.beta, scalar, is_double ? static_cast<const void*>(&zero) : &zero_f);
  return add(std::move(operation));
}

const CudnnDescriptor& CudnnGraph::pointwise(cudnnPointwiseMode_t mode, const CudnnDescriptor& x,
                                             const CudnnDescriptor* bias, const CudnnDescriptor& y) {
  const cudnnDataType_t type = type_of(conv_);
  CudnnDescriptor d(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  d.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, &mode)
      .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, &type);
  const CudnnDescriptor& pointwise = add(std::move(d));
  CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  if (bias) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *bias);
  return add(std::move(operation));
}

std::vector<CudnnDescriptor> CudnnGraph::suggestions() const {
  std::vector<CudnnDescriptor> all;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    CudnnDescriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph_)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, &mode);
    if (place_.device) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *place_.device);
    if (cudnn().BackendFinalize(heuristics.get()) != CUDNN_STATUS_SUCCESS) continue;  // the mode knows nothing of it
    const auto results = [&](int64_t most, void* values) {
      return heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, values);
    };
    std::vector<CudnnDescriptor> here;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (int64_t i = results(0, nullptr); i > 0; --i) {
      here.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
      raw.push_back(here.back().get());
    }
    if (here.empty()) continue;
    const int64_t filled = results(static_cast<int64_t>(raw.size()), raw.data());
    for (int64_t i = 0; i < filled; ++i) all.push_back(std::move(here[static_cast<size_t>(i)]));
  }
  return all;
}

bool is_exact(const CudnnDescriptor& configuration, const Conv& c) {
  CudnnDescriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  configuration.get(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
  cudnnBackendBehaviorNote_t behaviors[CUDNN_BEHAVIOR_NOTE_TYPE_COUNT];
  const int64_t n_behaviors =
      engine.get(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT, behaviors);
  for (int64_t i = 0; i < n_behaviors; ++i)
    if (behaviors[i] == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) return false;
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  const int64_t n_notes =
      engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT, notes);
  for (int64_t i = 0; i < n_notes; ++i) {
    if (notes[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) return false;
    const bool is_harmless = notes[i] == CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP;
    if (!is_harmless && !(c.tf32 && c.dtype == DType::float32)) return false;
  }
  return true;
}

CudnnPlan::CudnnPlan(CudnnDescriptor&& from, const CudnnPlace& place)
    : configuration(std::move(from)), plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  if (place.handle) plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, &place.handle);
  if (place.device) plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *place.device);
  plan.finalize();
  plan.get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &workspace);
}

std::unique_ptr<CudnnPlan> exact_plan(const ConvKey& key, const CudnnPlace& place, int64_t most_workspace) {
  try {
    for (CudnnDescriptor& configuration : CudnnGraph(key, place).suggestions()) {
      if (!is_exact(configuration, key.conv)) continue;
      try {
        auto plan = std::make_unique<CudnnPlan>(std::move(configuration), place);
        if (plan->workspace <= most_workspace) return plan;
      } catch (const CudnnError&) {  // which this GPU or these sizes do not allow
      }
    }
  } catch (const CudnnError&) {  // a convolution that cuDNN does not have
  }
  return nullptr;
}

}  // namespace hornbeam

#endif
