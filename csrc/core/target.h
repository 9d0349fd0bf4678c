// What a Plan is bound for.
#pragma once
#include <string>
#include <vector>

#include "core/device.h"

namespace hornbeam {

// There is one of each device, instruction set and way to multiply, for ever.
struct Target {
  Device& device;
  const KernelTable& kernels;       // of the device
  const KernelTable& host_kernels;  // for what is computed at bind, and for ops that the device has no kernel of
  bool tf32;                        // see set_tf32; never of the host

  std::string name() const;  // "avx2"; "apart (avx2)"; "cuda (avx2, TF32)"
};

// The devices of this machine, the host first. Opens the modules (core/module.h).
const std::vector<Device*>& devices();
Device& device_named(const std::string& name);  // throws ValueError naming those that there are

// The device of what this thread runs next: that of its scope, else HORNBEAM_DEVICE, else the host. Throws ValueError
// for a wrong HORNBEAM_DEVICE.
Device& current_device();
// That device, the instruction set in use (core/isa.h), and whether TF32 is.
const Target& current_target();

// Whether products and convolutions of float32 on devices other than the host may round their inputs to TF32, 10 bits
// of mantissa, from each thread's next run on; not so at first. Runs with and without it have plans of their own.
void set_tf32(bool);
bool is_tf32();

// Throws ValueError for a wrong HORNBEAM_ISA or HORNBEAM_DEVICE. Looks for no GPU: a process that has done so leaves
// its forked children without.
void check_environment();

// The device of this thread's scope from now on, null for none; returns the one until now.
Device* set_scoped_device(Device*);

}  // namespace hornbeam
