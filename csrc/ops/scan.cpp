// scan and cond: their shapes are those of their bodies, so the rules here only check what does not need a body. The
// rest is bind_bodies in program/control.cpp; graph/scan.py and graph/cond.py type the ops while a graph is built.
#include "ops/scan.h"

#include "ops/op.h"

namespace hornbeam {

void register_scan(OpRegistry& r) {
  r.add<ScanAttrs>("scan", "inputs...", -1, [](const ScanAttrs& a, const auto& in, auto&) {
     if (a.shifts.size != a.sequences) op_error("scan", "each sequence has a shift");
     if (a.sequences < 1) op_error("scan", "the number of steps is that of a sequence's rows: give one at least");
     const int64_t n = static_cast<int64_t>(in.size());
     if (a.states < 0 || a.states > n || n < a.constants_from()) op_error("scan", "inputs are missing");
     int64_t steps = kUnknown;
     for (int64_t i = a.states; i < a.states + a.sequences; ++i) {
       want_min_rank("scan", in[i], 1, "sequences");
       steps = same_dim("scan", steps, in[i].shape[0], "numbers of rows");
     }
   }).bodies = 1;
  r.add<NoAttrs>("cond", "condition, inputs...?", -1, [](const NoAttrs&, const auto& in, auto&) {
     if (in[0].dtype != DType::boolean) op_type_error("cond", "the condition is a bool");
     if (in[0].shape.known() && in[0].shape.count() != 1)
       op_error("cond", "the condition is one value, got shape " + shape_str(in[0].shape));
   }).bodies = 2;
}

}  // namespace hornbeam
