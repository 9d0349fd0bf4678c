#include "core/module.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "core/host_step.h"
#include "core/interrupt.h"
#include "core/module_api.h"

namespace hornbeam {

namespace {

constexpr const char* kModules[] = {"cuda", "sim"};  // sim: csrc/cuda/sim

bool is_on(const char* variable) {
  const char* value = std::getenv(variable);
  return !value || std::string(value) != "0";
}

// A device as its module knows it.
struct Handle {
  const ModuleCalls& calls;
  void* self;
  std::string name;

  void check(const char* error) const {
    if (!error) return;
    const std::string text = "device '" + name + "': " + error;
    if (std::strcmp(error, kNoHostMemory) == 0) throw OutOfMemory(text);
    throw RuntimeError(text);
  }
};

class Pinned final : public Memory {
 public:
  using Allocate = decltype(ModuleCalls::allocate_pinned);
  Pinned(const Handle& handle, Allocate allocate, Device& device)
      : Memory(" of the host's that the device '" + handle.name + "' can reach"),
        handle_(handle),
        allocate_(allocate),
        device_(device) {}
  void* allocate(int64_t bytes) override {
    void* memory = nullptr;
    handle_.check(allocate_(handle_.self, bytes, &memory));
    return memory;
  }
  void free(void* p) noexcept override { handle_.calls.free_pinned(handle_.self, p); }
  void free_idle() override { device_.free_idle(); }

 private:
  const Handle& handle_;
  const Allocate allocate_;
  Device& device_;
};

struct Played final : Recording {
  Played(const Handle& handle, void* recording) : handle(handle), recording(recording) {}
  ~Played() override { handle.calls.free_recording(handle.self, recording); }
  bool is_outdated() const override { return handle.calls.is_outdated(recording); }
  const Handle& handle;
  void* const recording;
};

class OfModule final : public Device {
 public:
  OfModule(const Module& module, const ModuleDevice& device)
      : Device(device.name, device.description),
        handle_{*module.calls, device.self, device.name},
        dlpack_{static_cast<DlpackDevice::Type>(device.dlpack_type), device.dlpack_number},
        kernels_(*module.kernels),
        pinned_(handle_, handle_.calls.allocate_pinned, *this),
        mapped_(handle_, handle_.calls.allocate_mapped, *this) {}

  DlpackDevice dlpack() const override { return dlpack_; }
  const KernelTable& kernels(const KernelTable&) const override { return kernels_; }
  void check_process() override { check(calls().check_process(self())); }
  void* allocate(int64_t bytes) override {
    void* memory = nullptr;
    check(calls().allocate(self(), bytes, &memory));
    return memory;
  }
  void free(void* p) noexcept override { calls().free(self(), p); }
  void copy_in(void* to, const void* from, int64_t bytes) override { check(calls().copy_in(self(), to, from, bytes)); }
  void copy_out(void* to, const void* from, int64_t bytes) override {
    check(calls().copy_out(self(), to, from, bytes));
  }
  void copy(void* to, const void* from, int64_t bytes) override { check(calls().copy(self(), to, from, bytes)); }
  void fill(void* to, int byte, int64_t bytes) override { check(calls().fill(self(), to, byte, bytes)); }
  Memory& pinned() override { return pinned_; }
  Memory* mapped() override { return maps_ ? &mapped_ : nullptr; }
  void signal(const uint64_t* number, uint64_t* flag) override { check(calls().signal(self(), number, flag)); }
  void wait_for(const uint64_t* flag, uint64_t number) override { check(calls().wait_for(self(), flag, number)); }
  void send(void* to, const void* from, int64_t bytes) override { check(calls().send(self(), to, from, bytes)); }
  void fetch(void* to, const void* from, int64_t bytes) override { check(calls().fetch(self(), to, from, bytes)); }
  void wait() override { check(calls().wait(self())); }
  void send_beside(void* to, const void* from, int64_t bytes) override {
    check(calls().send_beside(self(), to, from, bytes));
  }
  void join() override { check(calls().join(self())); }
  void synchronize() override { check(calls().synchronize(self())); }
  void run(const Kernel& kernel, const KernelCall& call) override { check(calls().run(self(), &kernel, &call)); }
  void pack(const Kernel& kernel, const KernelCall& call, void* to) override {
    check(calls().pack(self(), &kernel, &call, to));
  }

  // Copies and kernel are work of the device, which is waited for no more than for other work.
  void run_on_host(const Kernel& kernel, const KernelCall& call, char* room) override {
    auto step = std::make_unique<HostStep>(kernel, call, room);
    const std::vector<HostStep::Part> outputs = step->outputs();  // the step may be gone before the call returns
    for (const HostStep::Part& part : step->inputs()) fetch(part.here, part.there, part.bytes);
    check(calls().call_host(
        self(),
        [](void* data) {
          const Uninterruptible going_on;  // of nobody's run but this thread's
          static_cast<HostStep*>(data)->run();
        },
        [](void* data) { delete static_cast<HostStep*>(data); }, step.get()));
    step.release();
    for (const HostStep::Part& part : outputs) send(part.there, part.here, part.bytes);
  }

  bool can_record() const override { return can_record_; }
  void begin_recording() override { check(calls().begin_recording(self())); }
  std::unique_ptr<Recording> end_recording() override {
    void* recording = nullptr;
    check(calls().end_recording(self(), &recording));
    return std::make_unique<Played>(handle_, recording);
  }
  void play(const Recording& recording) override {
    check(calls().play(self(), static_cast<const Played&>(recording).recording));
  }

 private:
  const ModuleCalls& calls() const { return handle_.calls; }
  void* self() const { return handle_.self; }
  void check(const char* error) const { handle_.check(error); }

  const Handle handle_;
  const DlpackDevice dlpack_;
  const KernelTable& kernels_;
  Pinned pinned_, mapped_;
  const bool maps_ = is_on("HORNBEAM_MAPPED");
  const bool can_record_ = is_on("HORNBEAM_GRAPHS");
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
  LoadedModule loaded{name, {}, {}, nullptr};
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
  if (!loaded.devices.empty()) loaded.libraries = module->libraries;
  return loaded;
}

}  // namespace

std::string module_of(const std::string& device_name) {
  for (const char* module : kModules)
    if (device_name.substr(0, device_name.find(':')) == module) return module;
  return "";
}

const std::vector<LoadedModule>& modules() {
  static const auto* all = [] {
    auto* list = new std::vector<LoadedModule>;
    for (const char* module : kModules) list->push_back(open(module));
    return list;
  }();
  return *all;
}

}  // namespace hornbeam
