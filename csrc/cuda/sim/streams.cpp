#include "cuda/sim/streams.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "cuda/sim/memory.h"
#include "cuda/sim/runtime.h"
#include "cuda/sim/schedule.h"
#include "cuda/sim/sim.h"

namespace hornbeam::sim {

// ---- when work runs ----
namespace {

std::vector<std::unique_ptr<Stream>>& streams() {
  static auto* all = new std::vector<std::unique_ptr<Stream>>;
  return *all;
}

thread_local const char* running = nullptr;

bool is_ready(const Work& work) { return work.kind != Work::Kind::wait || work.mark->is_reached; }
bool may_run(const Stream& stream) { return !stream.queue.empty() && is_ready(*stream.queue.front()); }

void run_first(Stream& stream);
void run_until(const Mark& mark) {
  while (!mark.is_reached) {
    if (mark.stream->queue.empty()) die("waits for an event that nothing will record");
    run_first(*mark.stream);
  }
}

void run_on_device(const Work& work) {
  running = work.name.c_str();
  work.run();
  for (const void* p : work.pointers) device_memory().check_guard(p, running);
  running = nullptr;
}
void run_host_function(const Work& work) {
  in_host_function = true;
  work.run();
  in_host_function = false;
}

void run_first(Stream& stream) {
  const std::shared_ptr<const Work> work = stream.queue.front();
  stream.queue.pop_front();
  switch (work->kind) {
    case Work::Kind::on_device: return run_on_device(*work);
    case Work::Kind::host_function: return run_host_function(*work);
    case Work::Kind::record: work->mark->is_reached = true; return;
    case Work::Kind::wait: return run_until(*work->mark);
  }
}

// What the schedule lets run by now does.
void run_eager_streams() {
  for (bool again = true; again;) {
    again = false;
    for (const auto& stream : streams()) {
      if (!is_eager(stream->number)) continue;
      for (; may_run(*stream); again = !is_random()) run_first(*stream);  // another may have waited for it
    }
  }
}

}  // namespace

void run_all(Stream& stream) {
  while (!stream.queue.empty()) run_first(stream);
}
void run_all_streams() {
  for (const auto& stream : streams()) run_all(*stream);
}
const char* running_work() { return running; }

// ---- what is put into streams ----
Stream& stream_of(cudaStream_t handle) {
  for (const auto& stream : streams())
    if (reinterpret_cast<cudaStream_t>(stream.get()) == handle) return *stream;
  die(handle ? "a stream that is not there" : "the default stream is never used: it waits for all others");
}

void put(Stream& stream, Work work) {
  auto shared = std::make_shared<const Work>(std::move(work));
  if (stream.capture) {
    stream.capture->work.push_back(std::move(shared));
    return;
  }
  stream.queue.push_back(std::move(shared));
  run_eager_streams();
}
void put(Stream& stream, const WorkList& work) {
  stream.queue.insert(stream.queue.end(), work.begin(), work.end());
  run_eager_streams();
}

bool breaks_capture() {
  bool is_broken = false;
  for (const auto& stream : streams()) {
    if (!stream->capture || stream->capture->mode == cudaStreamCaptureModeRelaxed) continue;
    if (stream->capture->mode == cudaStreamCaptureModeThreadLocal &&
        stream->capture->thread != std::this_thread::get_id())
      continue;
    stream->capture->is_broken = is_broken = true;
  }
  return is_broken;
}

namespace {
// Numbers hardly ever are addresses as high as those of libraries, stacks and large allocations, of pages that are
// there.
bool is_host_address(const void* p) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  unsigned char is_resident;
  return address >= uintptr_t{5} << 44 && address >> 47 == 0 &&
         mincore(reinterpret_cast<void*>(address / kPage * kPage), 1, &is_resident) == 0;
}
}  // namespace

cudaError_t enqueue(cudaStream_t stream, const char* kernel, const Arguments& arguments, std::function<void()> work) {
  return call([&] {
    Stream& s = stream_of(stream);
    if (s.device != current_device()) return cudaErrorInvalidResourceHandle;
    for (const void* p : arguments.pointers())
      if (device_memory().device_of(p) != s.device)
        die("%s: memory of device %d, in a stream of device %d", kernel, device_memory().device_of(p), s.device);
    put(s, {Work::Kind::on_device, kernel, std::move(work), arguments.pointers(), nullptr});
    return cudaSuccess;
  });
}

void Arguments::scan(void* argument, size_t bytes, size_t bytes_without_padding) {
  if (refusal() != cudaSuccess) return;  // as `enqueue` will say
  const std::lock_guard<std::recursive_mutex> lock(everything());
  for (size_t i = 0; i + sizeof(void*) <= bytes; i += sizeof(void*)) {
    char* place = static_cast<char*>(argument) + i;
    void* pointer;
    std::memcpy(&pointer, place, sizeof pointer);
    if (device_memory().is_in_allocation(pointer)) {
      pointers_.push_back(pointer);
      pointer = device_memory().inside(pointer);
      std::memcpy(place, &pointer, sizeof pointer);
    } else if (i < bytes_without_padding && !pinned_memory().is_mapped(pointer) && is_host_address(pointer)) {
      die("%s: argument %d holds a pointer to the host's memory, at byte %zu", kernel_, index_, i);
    }
  }
  ++index_;
}

}  // namespace hornbeam::sim

// ---- the runtime's calls ----
using namespace hornbeam::sim;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return call([&] {
    static unsigned created = 0;
    streams().push_back(std::make_unique<Stream>());
    streams().back()->number = created++;
    streams().back()->device = current_device();
    *stream = reinterpret_cast<cudaStream_t>(streams().back().get());
    return cudaSuccess;
  });
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return call([&] {
    Stream& s = stream_of(stream);
    run_all(s);
    streams().erase(std::find_if(streams().begin(), streams().end(), [&](const auto& one) { return one.get() == &s; }));
    return cudaSuccess;
  });
}
// Captures of all threads and modes end here: their streams are among what is waited for.
cudaError_t cudaDeviceSynchronize() {
  return call([&] {
    bool is_capturing = false;
    for (const auto& stream : streams())
      if (stream->capture && stream->device == current_device()) stream->capture->is_broken = is_capturing = true;
    if (is_capturing) return cudaErrorStreamCaptureUnsupported;
    run_all_streams();  // those of other devices, too: a device may be that slow
    return cudaSuccess;
  });
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return call([&] {
    if (breaks_capture() || stream_of(stream).capture) return cudaErrorStreamCaptureUnsupported;
    run_all(stream_of(stream));
    return cudaSuccess;
  });
}
// Who asks again and again waits: each time something of it runs.
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return call([&] {
    Stream& s = stream_of(stream);
    if (breaks_capture() || s.capture) return cudaErrorStreamCaptureUnsupported;
    if (s.queue.empty()) return cudaSuccess;
    run_first(s);
    return cudaErrorNotReady;
  });
}

namespace {
// Null until it is recorded.
std::shared_ptr<Mark>& mark_of(cudaEvent_t event) { return *reinterpret_cast<std::shared_ptr<Mark>*>(event); }
}  // namespace

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return call([&] {
    *event = reinterpret_cast<cudaEvent_t>(new std::shared_ptr<Mark>);
    return cudaSuccess;
  });
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return call([&] {
    delete &mark_of(event);
    return cudaSuccess;
  });
}
// Inside a capture these would make branches of a graph, which are not simulated.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return call([&] {
    Stream& s = stream_of(stream);
    if (s.capture) {
      s.capture->is_broken = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    mark_of(event) = std::make_shared<Mark>(Mark{&s});
    put(s, {Work::Kind::record, "record", nullptr, {}, mark_of(event)});
    return cudaSuccess;
  });
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return call([&] {
    Stream& s = stream_of(stream);
    if (s.capture) {
      s.capture->is_broken = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    if (mark_of(event)) put(s, {Work::Kind::wait, "wait", nullptr, {}, mark_of(event)});
    return cudaSuccess;
  });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return call([&] {
    if (breaks_capture()) return cudaErrorStreamCaptureUnsupported;
    if (mark_of(event)) run_until(*mark_of(event));
    return cudaSuccess;
  });
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return call([&] {
    if (breaks_capture()) return cudaErrorStreamCaptureUnsupported;
    const std::shared_ptr<Mark> mark = mark_of(event);
    if (!mark || mark->is_reached) return cudaSuccess;
    run_first(*mark->stream);
    return cudaErrorNotReady;
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  return call([&] {
    put(stream_of(stream), {Work::Kind::host_function, "a host function", [=] { function(data); }, {}, nullptr});
    return cudaSuccess;
  });
}
