#include "core/device.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "core/buffer.h"

namespace hornbeam {

namespace {

class Host final : public Device {
 public:
  Host() : Device("cpu", "this machine's processor") {}
  bool is_host() const override { return true; }
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

int64_t bytes_of(const TensorRef& t) { return t.present ? t.bytes() : 0; }

// Hands out parts of `room`; without one it counts what they take.
class Parts {
 public:
  explicit Parts(char* room) : room_(room) {}
  char* take(int64_t bytes) {
    char* part = room_ ? room_ + taken_ : nullptr;
    taken_ += align_up(bytes);
    return part;
  }
  int64_t taken() const { return taken_; }

 private:
  char* room_;
  int64_t taken_ = 0;
};

// A call as the host's kernel gets it: tensors, workspace and packing in one block of the host's memory.
struct HostCall {
  Parts parts;
  KernelCall call;
  char* packing;

  HostCall(const Kernel& kernel, const KernelCall& there, char* room) : parts(room), call(there) {
    const int32_t count = there.n_in + there.n_out;
    auto* refs = reinterpret_cast<TensorRef*>(parts.take(count * int64_t{sizeof(TensorRef)}));
    auto* packed = reinterpret_cast<const void**>(parts.take(there.n_in * int64_t{sizeof(void*)}));
    call.workspace = parts.take(kernel.workspace ? kernel.workspace(there) : 0);
    packing = parts.take(kernel.pack_input >= 0 ? kernel.packed_bytes(there) : 0);
    for (int32_t i = 0; i < count; ++i) {
      const TensorRef& ref = i < there.n_in ? there.in[i] : there.out[i - there.n_in];
      char* data = parts.take(bytes_of(ref));
      if (!room) continue;
      (new (refs + i) TensorRef(ref))->data = ref.present ? data : nullptr;
    }
    if (!room) return;
    call.in = refs;
    call.out = refs + there.n_in;
    for (int32_t i = 0; i < there.n_in; ++i) packed[i] = i == kernel.pack_input ? packing : nullptr;
    call.packed = kernel.pack_input >= 0 ? packed : nullptr;
  }
};

}  // namespace

Device& host() {
  static Host* device = new Host;
  return *device;
}

int64_t Device::bytes_on_host(const Kernel& kernel, const KernelCall& call) {
  return HostCall(kernel, call, nullptr).parts.taken();
}

void Device::run_on_host(const Kernel& kernel, const KernelCall& there, char* room) {
  const HostCall here(kernel, there, room);
  for (int32_t i = 0; i < there.n_in; ++i)
    if (const int64_t bytes = bytes_of(there.in[i])) copy_out(here.call.in[i].data, there.in[i].data, bytes);
  if (kernel.pack_input >= 0) kernel.pack(here.call, here.packing);
  kernel.run(here.call);
  for (int32_t i = 0; i < there.n_out; ++i)
    if (const int64_t bytes = bytes_of(there.out[i])) copy_in(there.out[i].data, here.call.out[i].data, bytes);
}

}  // namespace hornbeam
