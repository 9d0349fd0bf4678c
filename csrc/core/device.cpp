#include "core/device.h"

#include <cstdlib>
#include <cstring>

#include "core/buffer.h"
#include "core/host_step.h"

namespace hornbeam {

namespace {

class Host final : public Device {
 public:
  Host() : Device("cpu", "this machine's processor", "") {}
  bool is_host() const override { return true; }
  DlpackDevice dlpack() const override { return {DlpackDevice::cpu, 0}; }
  const KernelTable& kernels(const KernelTable& host) const override { return host; }
  void* allocate(int64_t bytes) override {
    void* p = nullptr;
    return posix_memalign(&p, kAlign, static_cast<size_t>(align_up(bytes))) ? nullptr : p;
  }
  void free(void* p) noexcept override { std::free(p); }
  void copy_in(void* to, const void* from, int64_t bytes) override { copy(to, from, bytes); }
  void copy_out(void* to, const void* from, int64_t bytes) override { copy(to, from, bytes); }
  void copy(void* to, const void* from, int64_t bytes) override { std::memcpy(to, from, static_cast<size_t>(bytes)); }
  void fill(void* to, int byte, int64_t bytes) override { std::memset(to, byte, static_cast<size_t>(bytes)); }
  void run(const Kernel& kernel, const KernelCall& call) override { kernel.run(call); }
  void pack(const Kernel& kernel, const KernelCall& call, void* to) override { kernel.pack(call, to); }
};

}  // namespace

Device& host() {
  static Host* device = new Host;
  return *device;
}

void Device::add(KeepsMemory& keeper) {
  std::lock_guard<std::mutex> lock(keepers_mutex_);
  keepers_.insert(&keeper);
}

void Device::remove(KeepsMemory& keeper) {
  std::lock_guard<std::mutex> lock(keepers_mutex_);
  keepers_.erase(&keeper);
}

void Device::free_idle() {
  std::lock_guard<std::mutex> lock(keepers_mutex_);
  for (KeepsMemory* keeper : keepers_) keeper->free_idle();
}

Memory& Device::pinned() { return host(); }

void Device::run_on_host(const Kernel& kernel, const KernelCall& call, char* room) {
  HostStep step(kernel, call, room);
  for (const HostStep::Part& part : step.inputs()) copy_out(part.here, part.there, part.bytes);
  step.run();
  for (const HostStep::Part& part : step.outputs()) copy_in(part.there, part.here, part.bytes);
}

}  // namespace hornbeam
