#include "core/module.h"

#include <dlfcn.h>
#include <unistd.h>

#include "core/error.h"
#include "core/module_api.h"

namespace hornbeam {

namespace {

class OfModule final : public Device {
 public:
  OfModule(const Module& module, const ModuleDevice& device)
      : Device(device.name, device.description), calls_(*module.calls), kernels_(*module.kernels), self_(device.self) {}

  const KernelTable& kernels(const KernelTable&) const override { return kernels_; }
  void* allocate(int64_t bytes) override {
    void* memory = nullptr;
    check(calls_.allocate(self_, bytes, &memory));
    return memory;
  }
  void free(void* p) noexcept override { calls_.free(self_, p); }
  void copy_in(void* to, const void* from, int64_t bytes) override { check(calls_.copy_in(self_, to, from, bytes)); }
  void copy_out(void* to, const void* from, int64_t bytes) override { check(calls_.copy_out(self_, to, from, bytes)); }
  void copy(void* to, const void* from, int64_t bytes) override { check(calls_.copy(self_, to, from, bytes)); }
  void fill(void* to, int byte, int64_t bytes) override { check(calls_.fill(self_, to, byte, bytes)); }
  void run(const Kernel& kernel, const KernelCall& call) override { check(calls_.run(self_, &kernel, &call)); }
  void pack(const Kernel& kernel, const KernelCall& call, void* to) override {
    check(calls_.pack(self_, &kernel, &call, to));
  }

 private:
  void check(const char* error) const {
    if (error) throw RuntimeError("device '" + name + "': " + error);
  }

  const ModuleCalls& calls_;
  const KernelTable& kernels_;
  void* self_;
};

// The folder of the core's own library.
std::string folder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&modules), &info) || !info.dli_fname) return "";
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

LoadedModule open(const std::string& name) {
  LoadedModule loaded{name, {}, {}};
  const std::string file = "libhornbeam_" + name + ".so", path = folder() + "/" + file;
  if (access(path.c_str(), F_OK) != 0) {
    loaded.missing = "this installation has no " + file;
    return loaded;
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const auto entry = library ? reinterpret_cast<ModuleEntry>(dlsym(library, kModuleEntry)) : nullptr;
  if (!entry) {
    const char* error = dlerror();
    loaded.missing = file + " cannot be opened: " + (error ? error : "it is not a module of Hornbeam");
    return loaded;
  }
  const Module* module = entry(HORNBEAM_VERSION);
  if (!module) loaded.missing = file + " is of another version than " HORNBEAM_VERSION;
  else if (module->missing) loaded.missing = module->missing;
  else
    for (int32_t i = 0; i < module->count; ++i) loaded.devices.push_back(new OfModule(*module, module->devices[i]));
  return loaded;
}

}  // namespace

const std::vector<LoadedModule>& modules() {
  static const auto* all = new std::vector<LoadedModule>{open("cuda"), open("sim")};  // sim: csrc/cuda/sim
  return *all;
}

}  // namespace hornbeam
