// HB_GPU_KERNELS(family, {...}, ...) in csrc/cuda/<family>.cu: what this device runs of that family's ops. Ops without
// a kernel are host steps (core/device.h).
#pragma once
#include "cpu/kernel.h"

#define HB_GPU_KERNELS(family, ...)                          \
  namespace { constexpr Kernel kKernels[] = {__VA_ARGS__}; } \
  extern const KernelList kernels_##family;                  \
  const KernelList kernels_##family = {kKernels, static_cast<int32_t>(sizeof kKernels / sizeof *kKernels)};
