// Work that is captured from a stream, to be launched again and again. Its order is that of the stream.
#include "cuda/sim/runtime.h"
#include "cuda/sim/streams.h"

using namespace hornbeam::sim;

namespace {
WorkList& work_of(cudaGraph_t graph) { return *reinterpret_cast<WorkList*>(graph); }
WorkList& work_of(cudaGraphExec_t graph) { return *reinterpret_cast<WorkList*>(graph); }
}  // namespace

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return call([&] {
    Stream& s = stream_of(stream);
    if (s.capture) return cudaErrorIllegalState;
    s.capture = std::make_unique<Capture>(Capture{{}, mode, std::this_thread::get_id()});
    return cudaSuccess;
  });
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return call([&] {
    Stream& s = stream_of(stream);
    *graph = nullptr;
    if (!s.capture) return cudaErrorIllegalState;
    const std::unique_ptr<Capture> capture = std::move(s.capture);
    if (capture->is_broken) return cudaErrorStreamCaptureInvalidated;
    *graph = reinterpret_cast<cudaGraph_t>(new WorkList(std::move(capture->work)));
    return cudaSuccess;
  });
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return call([&] {
    const Stream& s = stream_of(stream);
    *status = !s.capture             ? cudaStreamCaptureStatusNone
              : s.capture->is_broken ? cudaStreamCaptureStatusInvalidated
                                     : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  return call([&] {
    if (nodes) return cudaErrorInvalidValue;  // their number is all that is simulated
    *count = work_of(graph).size();
    return cudaSuccess;
  });
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  return call([&] {
    *exec = reinterpret_cast<cudaGraphExec_t>(new WorkList(work_of(graph)));
    return cudaSuccess;
  });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return call([&] {
    delete &work_of(graph);
    return cudaSuccess;
  });
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  return call([&] {
    delete &work_of(exec);
    return cudaSuccess;
  });
}
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t stream) {
  return call([&] {
    stream_of(stream);
    return cudaSuccess;
  });
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  return call([&] {
    Stream& s = stream_of(stream);
    if (s.capture) {  // a graph inside a graph is not simulated
      s.capture->is_broken = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    put(s, work_of(exec));
    return cudaSuccess;
  });
}
