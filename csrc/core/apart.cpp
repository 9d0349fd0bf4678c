#include "core/apart.h"

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <vector>

#include "core/arena.h"
#include "core/error.h"

namespace hornbeam {

namespace {

// HORNBEAM_APART_WITHOUT=random_normal,softmax: ops that it has no kernels of; "all" for none of any op.
std::set<std::string> ops_left_out() {
  std::set<std::string> ops;
  const char* names = std::getenv("HORNBEAM_APART_WITHOUT");
  std::istringstream list(names ? names : "");
  for (std::string name; std::getline(list, name, ',');) ops.insert(name);
  return ops;
}

// The host's kernels less those.
struct Table {
  std::vector<Kernel> kernels;
  KernelList list;
  const KernelList* lists[1];
  KernelTable table;

  explicit Table(const KernelTable& host) {
    const std::set<std::string> left_out = ops_left_out();
    for (int32_t l = 0; l < host.count; ++l)
      for (int32_t k = 0; k < host.lists[l]->count; ++k)
        if (!left_out.count(host.lists[l]->items[k].op) && !left_out.count("all"))
          kernels.push_back(host.lists[l]->items[k]);
    list = {kernels.data(), static_cast<int32_t>(kernels.size())};
    lists[0] = &list;
    table = {host.isa, lists, 1};
  }
  Table(const Table&) = delete;
};

class Apart final : public Device {
 public:
  Apart() : Device("apart", "the CPU's kernels on memory that nothing else can touch, for tests") {}

  DlpackDevice dlpack() const override { return {DlpackDevice::extension, 0}; }
  const KernelTable& kernels(const KernelTable& host) const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return tables_.try_emplace(&host, host).first->second.table;
  }

  void* allocate(int64_t bytes) override {
    std::lock_guard<std::mutex> lock(mutex_);
    map();
    if (bytes > kBytes || !places_.has_room(bytes)) return nullptr;
    const int64_t at = places_.allocate(bytes);
    sizes_[at] = bytes;
    std::memset(inside_ + at, kNothing, static_cast<size_t>(bytes));
    return outside_ + at;
  }
  void free(void* p) noexcept override {
    if (getpid() != process_) return;
    std::lock_guard<std::mutex> lock(mutex_);
    const auto it = sizes_.find(static_cast<char*>(p) - outside_);
    std::memset(inside_ + it->first, kNothing, static_cast<size_t>(it->second));
    places_.release(it->first, it->second);
    sizes_.erase(it);
  }

  void copy_in(void* to, const void* from, int64_t bytes) override {
    if (owns(from)) throw RuntimeError("copy_in of the device's memory");
    std::memcpy(inside(to, "copy_in"), from, static_cast<size_t>(bytes));
  }
  void copy_out(void* to, const void* from, int64_t bytes) override {
    if (owns(to)) throw RuntimeError("copy_out to the device's memory");
    std::memcpy(to, inside(from, "copy_out"), static_cast<size_t>(bytes));
  }
  void copy(void* to, const void* from, int64_t bytes) override {
    std::memcpy(inside(to, "copy"), inside(from, "copy"), static_cast<size_t>(bytes));
  }
  void fill(void* to, int byte, int64_t bytes) override {
    std::memset(inside(to, "fill"), byte, static_cast<size_t>(bytes));
  }

  void run(const Kernel& kernel, const KernelCall& call) override { kernel.run(Inside(*this, kernel, call).call); }
  void pack(const Kernel& kernel, const KernelCall& call, void* to) override {
    const Inside inner(*this, kernel, call);
    kernel.pack(inner.call, inside(to, inner.name));
  }

 private:
  static constexpr int64_t kBytes = int64_t{1} << 34;  // of addresses; pages are there once they are written
  static constexpr int kNothing = 0xff;                // NaN, in memory that holds no value

  void map() {
    if (outside_) return check_process();
    const int file = memfd_create("hornbeam-apart", MFD_CLOEXEC);
    const bool is_there = file >= 0 && ftruncate(file, kBytes) == 0;
    void* out = is_there ? mmap(nullptr, kBytes, PROT_NONE, MAP_SHARED, file, 0) : MAP_FAILED;
    void* in =
        is_there ? mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0) : MAP_FAILED;
    if (file >= 0) close(file);
    if (out == MAP_FAILED || in == MAP_FAILED)
      throw RuntimeError(
          "the device 'apart' needs 32 GiB of addresses and a memory file, which this process cannot have");
    outside_ = static_cast<char*>(out);
    inside_ = static_cast<char*>(in);
    places_.release(0, kBytes);  // all of it is free
    process_ = getpid();
  }

  // Its pages are shared with a forked child, as little as a GPU's could be used there.
  void check_process() const {
    if (getpid() != process_)
      throw RuntimeError("the device 'apart' was in use before this process was forked, and cannot be used in it");
  }

  bool owns(const void* p) const { return p >= outside_ && p < outside_ + kBytes; }
  char* inside(const void* p, const std::string& user) const {
    check_process();
    if (!owns(p)) throw RuntimeError(user + " is given the host's memory, on the device 'apart'");
    return inside_ + (static_cast<const char*>(p) - outside_);
  }

  // The call as the kernel sees it.
  struct Inside {
    std::string name;
    std::vector<TensorRef> refs;
    std::vector<const void*> packed;
    RunInfo run_info;
    KernelCall call;

    Inside(const Apart& device, const Kernel& kernel, const KernelCall& from)
        : name("[" + std::string(kernel.op) + "] " + kernel.name), refs(from.in, from.in + from.n_in), call(from) {
      refs.insert(refs.end(), from.out, from.out + from.n_out);
      for (TensorRef& ref : refs)
        if (ref.data) ref.data = device.inside(ref.data, name);
      call.in = refs.data();
      call.out = refs.data() + from.n_in;
      if (from.workspace) call.workspace = device.inside(from.workspace, name);
      if (from.packed) {
        packed.assign(from.packed, from.packed + from.n_in);
        for (const void*& p : packed)
          if (p) p = device.inside(p, name);
        call.packed = packed.data();
      }
      if (from.run_info && from.run_info->device_run) {
        run_info.path = from.run_info->path;
        std::memcpy(&run_info.run, device.inside(from.run_info->device_run, name), sizeof run_info.run);
        call.run_info = &run_info;
      } else {
        call.run_info = nullptr;
      }
    }
  };

  pid_t process_ = 0;  // that uses it
  char *outside_ = nullptr, *inside_ = nullptr;
  mutable std::mutex mutex_;
  mutable std::map<const KernelTable*, Table> tables_;
  ArenaPlanner places_{true};
  std::map<int64_t, int64_t> sizes_;
};

}  // namespace

Device* apart() {
  static Apart* device = new Apart;
  return device;
}

}  // namespace hornbeam

#else

namespace hornbeam {
Device* apart() { return nullptr; }
}  // namespace hornbeam

#endif
