// One instruction set's table of kernel families; compiled once per ISA. The build writes
// kernel_families.inc from the file names in csrc/cpu: HB_FAMILY(pool) HB_FAMILY(softmax) ...
#include "cpu/export.h"

HB_CPU_BEGIN

#define HB_FAMILY(name) extern const KernelList kernels_##name;
#include "kernel_families.inc"
#undef HB_FAMILY

#define HB_FAMILY(name) &kernels_##name,
static const KernelList* const families[] = {
#include "kernel_families.inc"
};
#undef HB_FAMILY

#define HB_STR2(x) #x
#define HB_STR(x) HB_STR2(x)
extern const KernelTable kernel_table;
const KernelTable kernel_table = {HB_STR(HB_ISA), families, sizeof(families) / sizeof(families[0])};

HB_CPU_END
