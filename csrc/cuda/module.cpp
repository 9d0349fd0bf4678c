// The library's one entry (core/module_api.h): its devices, and what the core calls. An exception ends here as a text.
#include "core/module_api.h"

#include <cstring>
#include <string>
#include <vector>

#include "cuda/device.h"
#include "cuda/error.h"
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
    return "out of the host's memory";
  } catch (const std::exception& e) {
    try {
      text = e.what();
    } catch (...) {
      return "out of the host's memory";
    }
    return text.c_str();
  }
}

Gpu& gpu(void* device) { return *static_cast<Gpu*>(device); }

constexpr ModuleCalls kCalls = {
    [](void* device, int64_t bytes, void** memory) {
      return text_of_error([&] { *memory = gpu(device).allocate(bytes); });
    },
    [](void* device, void* memory) { gpu(device).free(memory); },
    [](void* device, void* to, const void* from, int64_t bytes) {
      return text_of_error([&] { gpu(device).copy_in(to, from, bytes); });
    },
    [](void* device, void* to, const void* from, int64_t bytes) {
      return text_of_error([&] { gpu(device).copy_out(to, from, bytes); });
    },
    [](void* device, void* to, const void* from, int64_t bytes) {
      return text_of_error([&] { gpu(device).copy(to, from, bytes); });
    },
    [](void* device, void* to, int32_t byte, int64_t bytes) {
      return text_of_error([&] { gpu(device).fill(to, byte, bytes); });
    },
    [](void* device, const Kernel* kernel, const KernelCall* call) {
      return text_of_error([&] { gpu(device).run(*kernel, *call); });
    },
    [](void* device, const Kernel* kernel, const KernelCall* call, void* to) {
      return text_of_error([&] { gpu(device).pack(*kernel, *call, to); });
    },
};

// What `hornbeam info` says of a GPU: "NVIDIA H200, 139 GiB, compute capability 9.0".
std::string description_of(const cudaDeviceProp& p) {
  return std::string(p.name) + ", " + std::to_string(p.totalGlobalMem >> 30) + " GiB, compute capability " +
         std::to_string(p.major) + "." + std::to_string(p.minor);
}

// Made once and never destroyed: work may be in flight when the process ends.
struct Devices {
  std::string missing;
  std::vector<Gpu*> gpus;
  std::vector<ModuleDevice> list;
  Module module;

  Devices() {
    if (const char* error = text_of_error([&] { look(); })) missing = error;
    module = {missing.empty() ? nullptr : missing.c_str(), list.data(), static_cast<int32_t>(list.size()),
              &gpu_kernels(), &kCalls};
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
      list.push_back({gpus.back()->name.c_str(), gpus.back()->description.c_str(), gpus.back()});
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
