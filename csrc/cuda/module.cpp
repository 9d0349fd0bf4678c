// The library's one entry (core/module_api.h): its devices, and what the core calls. An exception ends here as a text.
#include "core/module_api.h"

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "cuda/compiled/compiler.h"
#include "cuda/device.h"
#include "cuda/error.h"
#include "cuda/library/library.h"
#include "cuda/table.h"

namespace hornbeam {

namespace {

template <class F>
const char* text_of_error(const F& f) noexcept {
  thread_local std::string text;
  try {
    f();
    return nullptr;
  } catch (const std::bad_alloc&) {
    return kNoHostMemory;
  } catch (const std::exception& e) {
    try {
      text = e.what();
    } catch (...) {
      return kNoHostMemory;
    }
    return text.c_str();
  }
}

Gpu& gpu(void* device) { return *static_cast<Gpu*>(device); }

#define HB_CALL(...) return text_of_error([&] { __VA_ARGS__; })

constexpr ModuleCalls kCalls = {
    [](void* d) { HB_CALL(gpu(d).check_process()); },
    [](void* d, int64_t bytes, void** memory) { HB_CALL(*memory = gpu(d).allocate(bytes)); },
    [](void* d, void* memory) { gpu(d).free(memory); },
    [](void* d, void* to, const void* from, int64_t bytes) { HB_CALL(gpu(d).copy_in(to, from, bytes)); },
    [](void* d, void* to, const void* from, int64_t bytes) { HB_CALL(gpu(d).copy_out(to, from, bytes)); },
    [](void* d, void* to, const void* from, int64_t bytes) { HB_CALL(gpu(d).copy(to, from, bytes)); },
    [](void* d, void* to, int32_t byte, int64_t bytes) { HB_CALL(gpu(d).fill(to, byte, bytes)); },
    [](void* d, const Kernel* kernel, const KernelCall* call) { HB_CALL(gpu(d).run(*kernel, *call)); },
    [](void* d, const Kernel* kernel, const KernelCall* call, void* to) { HB_CALL(gpu(d).pack(*kernel, *call, to)); },

    [](void* d, int64_t bytes, void** memory) { HB_CALL(*memory = gpu(d).allocate_pinned(bytes)); },
    [](void* d, int64_t bytes, void** memory) { HB_CALL(*memory = gpu(d).allocate_mapped(bytes)); },
    [](void* d, void* memory) { gpu(d).free_pinned(memory); },
    [](void* d, void* to, const void* from, int64_t bytes) { HB_CALL(gpu(d).send(to, from, bytes)); },
    [](void* d, void* to, const void* from, int64_t bytes) { HB_CALL(gpu(d).fetch(to, from, bytes)); },
    [](void* d) { HB_CALL(gpu(d).wait()); },
    [](void* d, const uint64_t* number, uint64_t* flag) { HB_CALL(gpu(d).signal(number, flag)); },
    [](void* d, const uint64_t* flag, uint64_t number) { HB_CALL(gpu(d).wait_for(flag, number)); },
    [](void* d, void* to, const void* from, int64_t bytes) { HB_CALL(gpu(d).send_beside(to, from, bytes)); },
    [](void* d) { HB_CALL(gpu(d).join()); },
    [](void* d) { HB_CALL(gpu(d).synchronize()); },
    [](void* d, void (*f)(void*), void (*end)(void*), void* data) { HB_CALL(gpu(d).call_host({f, end, data})); },

    [](void* d) { HB_CALL(gpu(d).begin_recording()); },
    [](void* d, void** recording) { HB_CALL(*recording = gpu(d).end_recording().release()); },
    [](void* d, void* recording) { HB_CALL(gpu(d).play(*static_cast<Graph*>(recording))); },
    [](void* recording) -> int32_t { return static_cast<const Graph*>(recording)->is_outdated(); },
    [](void* d, void* recording) { gpu(d).free(static_cast<Graph*>(recording)); },
};

#undef HB_CALL

// What `hornbeam info` says of a GPU: "NVIDIA H200, 139 GiB, compute capability 9.0".
std::string description_of(const cudaDeviceProp& p) {
  return std::string(p.name) + ", " + std::to_string(p.totalGlobalMem >> 30) + " GiB, compute capability " +
         std::to_string(p.major) + "." + std::to_string(p.minor);
}

const char* libraries() {
  static const auto* text =
      new std::string(products_presence().text + "; " + convolutions_presence().text + "; " + compiler_presence().text);
  return text->c_str();
}
// Other libraries can use a GPU's memory, a simulated one's none.
constexpr bool is_simulated = std::string_view(HORNBEAM_MODULE) == "sim";
constexpr int32_t kDlpackType = is_simulated ? 12 : 2, kFirstDlpackNumber = is_simulated ? 1 : 0;

// Made once and never destroyed: work may be in flight when the process ends.
struct Devices {
  std::string missing;
  std::vector<Gpu*> gpus;
  std::vector<ModuleDevice> list;
  Module module;

  Devices() {
    if (const char* error = text_of_error([&] { look(); })) missing = error;
    module = {missing.empty() ? nullptr : missing.c_str(),
              list.data(),
              static_cast<int32_t>(list.size()),
              &gpu_kernels(),
              &kCalls,
              &libraries};
  }

 private:
  void look() {
    int driver = 0, count = 0;
    check("cudaDriverGetVersion", cudaDriverGetVersion(&driver));
    if (!driver) throw GpuError("no driver of NVIDIA's is installed");
    check("no GPU", cudaGetDeviceCount(&count));
    for (int i = 0; i < count; ++i) {
      cudaDeviceProp properties;
      check("cudaGetDeviceProperties", cudaGetDeviceProperties(&properties, i));
      gpus.push_back(
          new Gpu(i, HORNBEAM_MODULE + (i ? ":" + std::to_string(i) : std::string()), description_of(properties)));
      list.push_back({gpus.back()->name.c_str(), gpus.back()->description.c_str(), gpus.back(), kDlpackType,
                      kFirstDlpackNumber + i});
    }
    if (!count) missing = "no GPU";
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const Module* hornbeam_module(const char* version) {
  if (std::strcmp(version, HORNBEAM_VERSION) != 0) return nullptr;
  static const Module* module = &(new Devices)->module;
  return module;
}

}  // namespace hornbeam
