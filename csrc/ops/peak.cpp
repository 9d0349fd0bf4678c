// peak_fma, peak_copy: what this machine can do at most, measured through the same engine as everything
// else (hornbeam bench).
#include "ops/peak.h"
#include "ops/op.h"

namespace hornbeam {

void register_peak(OpRegistry& r) {
  r.add<PeakFmaAttrs>("peak_fma", "x", 1, [](const PeakFmaAttrs& a, const auto& in, auto& out) {
     want_float("peak_fma", in[0]);
     want_rank("peak_fma", in[0], 0, "x");
     if (a.tasks < 1 || a.iterations < 0) op_error("peak_fma", "needs at least one task and no negative iterations");
     Shape tasks;
     tasks.push(a.tasks);
     out.push_back(TypeInfo::of(in[0].dtype, tasks));
   }).internal = true;
  r.add<NoAttrs>("peak_copy", "x", 1, [](const NoAttrs&, const auto& in, auto& out) {
     out.push_back(TypeInfo::of(in[0].dtype, in[0].shape));
   }).internal = true;
}

}  // namespace hornbeam
