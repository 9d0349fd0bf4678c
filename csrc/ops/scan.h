// Ops that hold bodies: Programs of their own, run inside one step of a Plan (program/control.cpp). What they are is
// described in docs/ops.md, "control flow".
#pragma once
#include "ops/attrs.h"

namespace hornbeam {

constexpr int kMaxSequences = 256;

// Inputs: initial states, sequences, the first row of each shifted sequence, what is the same at each step.
// Outputs: final states, states after each step, stacked outputs. Body: states, rows, the same -> new states, outputs.
struct ScanAttrs {
  int64_t states = 0, sequences = 0;
  bool reverse = false;  // from the last row to the first
  // per sequence 0, -1 or 1: step t reads row t + shift, and its first row where there is no such row
  InlineList<int64_t, kMaxSequences> shifts;
  HB_FIELDS(HB_F(states) HB_F(sequences) HB_F(reverse) HB_F(shifts))

  int64_t first_rows() const {
    int64_t n = 0;
    for (int i = 0; i < shifts.size; ++i) n += shifts.value[i] != 0;
    return n;
  }
  int64_t constants_from() const { return states + sequences + first_rows(); }
};

}  // namespace hornbeam
