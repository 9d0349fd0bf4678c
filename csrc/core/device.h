// Where tensors lie, and what computes with them there. The host is a device whose memory any code may touch; another
// device's memory is for its own kernels and for the copies below. docs/devices.md says how to add one.
#pragma once
#include <cstdint>
#include <string>

#include "cpu/kernel.h"

namespace hornbeam {

class Device {
 public:
  Device(std::string name, std::string description) : name(std::move(name)), description(std::move(description)) {}
  virtual ~Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string name, description;  // "cpu"; what `hornbeam info` says about it
  virtual bool is_host() const { return false; }

  // Its kernels; those of the host's instruction set in use are there for devices that run them, too.
  virtual const KernelTable& kernels(const KernelTable& host) const = 0;

  // Uninitialised and aligned to kAlign; null where there is no room.
  virtual void* allocate(int64_t bytes) = 0;
  virtual void free(void*) noexcept = 0;

  // Each of these happens after all that were called before it. When copy_in returns, `from` may change; when copy_out
  // returns, `to` is filled.
  virtual void copy_in(void* to, const void* from, int64_t bytes) = 0;   // from the host
  virtual void copy_out(void* to, const void* from, int64_t bytes) = 0;  // to the host
  virtual void copy(void* to, const void* from, int64_t bytes) = 0;
  virtual void fill(void* to, int byte, int64_t bytes) = 0;

  // The call's tensors, workspace and packings lie here. Interrupted (core/interrupt.h) may pass through.
  virtual void run(const Kernel&, const KernelCall&) = 0;
  virtual void pack(const Kernel&, const KernelCall&, void* to) = 0;

  // A host step, for an op of which this device has no kernel: copies the inputs out, runs the host's kernel, copies
  // the results in. `room` is the host's, as much as bytes_on_host says of the call.
  virtual void run_on_host(const Kernel&, const KernelCall&, char* room);
  static int64_t bytes_on_host(const Kernel&, const KernelCall&);
};

Device& host();

}  // namespace hornbeam
