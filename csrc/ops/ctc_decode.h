#pragma once
#include "ops/attrs.h"

namespace hornbeam {

struct CtcGreedyAttrs {
  bool merge_repeated = true;
  HB_FIELDS(HB_F(merge_repeated))
};

struct CtcBeamAttrs {
  int64_t beam_width = 100, top_paths = 1;
  bool merge_repeated = false;  // in the decoded labels, not in the search
  HB_FIELDS(HB_F(beam_width) HB_F(top_paths) HB_F(merge_repeated))
};

}  // namespace hornbeam
