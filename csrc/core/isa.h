// Which instruction set's kernels are in use.
#pragma once
#include <string>
#include <vector>

#include "cpu/kernel.h"

namespace hornbeam {

// Instruction sets built in and supported by this machine, best first.
const std::vector<const KernelTable*>& available_isas();

// The one in use: HORNBEAM_ISA if set, else the best one. Throws ValueError for a name that is unknown or not supported
// here, RuntimeError on a CPU below the baseline.
const KernelTable& active_isa();
void set_active_isa(const std::string& name);

// Kernels of `op` in a table, in order of preference; empty when there are none.
const std::vector<const Kernel*>& kernels_for(const KernelTable& table, const std::string& op);

}  // namespace hornbeam
