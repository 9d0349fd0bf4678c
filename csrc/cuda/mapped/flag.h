// How the host learns that work is done without asking the driver: by a number in memory that both see.
#pragma once
#include <cstdint>

#include "cuda/lane.h"

namespace hornbeam {

// Writes *number to *flag once all work before it in the lane is done. Both are the host's, mapped for the device.
void raise_flag(Lane&, const uint64_t* number, uint64_t* flag);

}  // namespace hornbeam
