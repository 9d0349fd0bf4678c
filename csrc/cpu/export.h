// How a kernel file hands its kernels over: HB_EXPORT_KERNELS(pool, {"max_pool2d", "direct", ...}, ...)
// inside HB_CPU_BEGIN/HB_CPU_END, once per file, with the file's basename as family.
#pragma once
#include "cpu/kernel.h"
#include "cpu/simd.h"

#define HB_EXPORT_KERNELS(family, ...)                         \
  static const Kernel kernel_items_##family[] = {__VA_ARGS__}; \
  extern const KernelList kernels_##family;                    \
  const KernelList kernels_##family = {kernel_items_##family, sizeof(kernel_items_##family) / sizeof(Kernel)};
