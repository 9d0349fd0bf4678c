#include "cuda/table.h"

namespace hornbeam {

#define HB_FAMILY(family) extern const KernelList kernels_##family;
#include "gpu_families.inc"
#undef HB_FAMILY

const KernelTable& gpu_kernels() {
  static const KernelList* const lists[] = {
#define HB_FAMILY(family) &kernels_##family,
#include "gpu_families.inc"
#undef HB_FAMILY
  };
  static const KernelTable table{"gpu", lists, static_cast<int32_t>(sizeof lists / sizeof *lists)};
  return table;
}

}  // namespace hornbeam
