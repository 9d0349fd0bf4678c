// All kernels of the module.
#pragma once
#include "cpu/kernel.h"

namespace hornbeam { const KernelTable& gpu_kernels(); }  // namespace hornbeam
