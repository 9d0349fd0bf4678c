// Where tensors lie, and what computes with them there. The host is a device whose memory any code may touch; another
// device's memory is for its own kernels and for the copies below. docs/devices.md says how to add one.
#pragma once
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "core/memory.h"
#include "cpu/kernel.h"

namespace hornbeam {

// Calls that a device keeps, to make them again and again; given up with its destruction, once they are done.
class Recording {
 public:
  virtual ~Recording() = default;
  // Whether other calls would be kept, of the same results, if it were made anew.
  virtual bool is_outdated() const { return false; }
};

// How other libraries know a device (DLPack's DLDeviceType and number).
struct DlpackDevice {
  enum Type : int32_t { cpu = 1, cuda = 2, extension = 12 } type;
  int32_t number;
  bool operator==(const DlpackDevice& o) const { return type == o.type && number == o.number; }
};

// Who keeps memory of a device from one use to the next, and can do without.
class KeepsMemory {
 public:
  virtual void free_idle() = 0;  // by any thread

 protected:
  ~KeepsMemory() = default;
};

class Device : public Memory {
 public:
  Device(const std::string& name, std::string description)
      : Device(name, std::move(description), " on the device '" + name + "'") {}

  const std::string name, description;  // "apart"; what `hornbeam info` says about it
  virtual bool is_host() const { return false; }
  virtual DlpackDevice dlpack() const = 0;

  // Its keepers are there until they are taken off again.
  void add(KeepsMemory&);
  void remove(KeepsMemory&);
  void free_idle() override;

  // Its kernels; those of the host's instruction set in use are there for devices that run them, too.
  virtual const KernelTable& kernels(const KernelTable& host) const = 0;

  // Throws RuntimeError in a child of a process that had used the device before it was forked: there the device cannot
  // be used, and memory of pinned() and mapped() not be touched.
  virtual void check_process() {}

  // Each of these happens after all that were called before it. When copy_in returns, `from` may change; when copy_out
  // returns, `to` is filled.
  virtual void copy_in(void* to, const void* from, int64_t bytes) = 0;   // from the host
  virtual void copy_out(void* to, const void* from, int64_t bytes) = 0;  // to the host
  virtual void copy(void* to, const void* from, int64_t bytes) = 0;      // which do not overlap
  virtual void fill(void* to, int byte, int64_t bytes) = 0;

  // The same with memory of pinned(), which neither call waits for: it is left alone until wait() returns.
  virtual Memory& pinned();
  virtual void send(void* to, const void* from, int64_t bytes) { copy_in(to, from, bytes); }
  virtual void fetch(void* to, const void* from, int64_t bytes) { copy_out(to, from, bytes); }
  virtual void wait() {}
  // As send, beside all other work, for memory that none uses; what is called after join() happens after it.
  virtual void send_beside(void* to, const void* from, int64_t bytes) { copy_in(to, from, bytes); }
  virtual void join() {}

  // Memory of the host that kernels read and write where it lies, for what is too small to be worth a copy; null where
  // there is none. The host leaves it alone as it does that of pinned(). signal() writes *number to *flag, both of it,
  // once all that was called before is done; wait_for() returns then, or as wait() does.
  virtual Memory* mapped() { return nullptr; }
  virtual void signal(const uint64_t* /*number*/, uint64_t* /*flag*/) {}
  virtual void wait_for(const uint64_t* /*flag*/, uint64_t /*number*/) { wait(); }

  // Waits for all work of the hardware, that of other libraries, too.
  virtual void synchronize() {}

  // The call's tensors, workspace and packings lie here. Interrupted (core/interrupt.h) may pass through.
  virtual void run(const Kernel&, const KernelCall&) = 0;
  virtual void pack(const Kernel&, const KernelCall&, void* to) = 0;
  // A host step (core/host_step.h); its room is in pinned(), and left alone until wait() returns or a later step uses
  // it.
  virtual void run_on_host(const Kernel&, const KernelCall&, char* room);

  // Until end_recording(), what this thread calls of copy, fill, send, fetch, signal, run, pack and run_on_host is kept
  // and not done; nothing else of these functions may be called. play() does it all.
  virtual bool can_record() const { return false; }
  virtual void begin_recording() {}
  virtual std::unique_ptr<Recording> end_recording() { return nullptr; }
  virtual void play(const Recording&) {}

 protected:
  Device(std::string name, std::string description, std::string where)
      : Memory(std::move(where)), name(std::move(name)), description(std::move(description)) {}

 private:
  std::mutex keepers_mutex_;
  std::set<KeepsMemory*> keepers_;
};

Device& host();

}  // namespace hornbeam
