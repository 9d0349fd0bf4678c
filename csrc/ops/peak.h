#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct PeakFmaAttrs {
  int64_t tasks = 64, iterations = 100000;
  HB_FIELDS(HB_F(tasks) HB_F(iterations))
};

// Independent chains of fma that one task keeps going: enough to hide the latency of any machine
// (latency times units), few enough for 16 registers.
constexpr int kPeakChains = 12;

}  // namespace hornbeam
