// A device for tests: the host's kernels on memory that only they can touch. Its addresses have no access; kernels see
// the same pages under other addresses. So host code that follows one of its pointers faults where it stands, and a
// kernel that is handed the host's memory is refused by its name.
#pragma once
#include "core/device.h"

namespace hornbeam {

// Null where the system has no memory files.
Device* apart();

}  // namespace hornbeam
