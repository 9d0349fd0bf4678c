// ctc_loss(logits (B, T, C), labels (B, L), steps (B), used (B)) -> loss (B), dlogits (B, T, C): connectionist temporal
// classification (Graves et al. 2006). The last class is the blank; sample b has steps[b] steps and used[b] labels.
#include "ops/ctc.h"

#include "ops/op.h"

namespace hornbeam {
namespace {

void want_int32(const char* op, const TypeInfo& t, const char* what) {
  if (t.dtype != DType::int32) op_type_error(op, std::string(what) + " must be int32, got " + dtype_name(t.dtype));
}

}  // namespace

void register_ctc(OpRegistry& r) {
  r.add<CtcAttrs>("ctc_loss", "logits, labels, steps, used", 2, [](const CtcAttrs&, const auto& in, auto& out) {
    const char* op = "ctc_loss";
    const char* const names[] = {"logits", "labels", "steps", "used"};
    const int ranks[] = {3, 2, 1, 1};
    want_float(op, in[0]);
    int64_t batch = in[0].shape.rank ? in[0].shape[0] : kUnknown;
    for (size_t i = 0; i < 4; ++i) {
      if (i > 0) want_int32(op, in[i], names[i]);
      want_rank(op, in[i], ranks[i], names[i]);
      batch = same_dim(op, batch, in[i].shape[0], names[i]);
    }
    Shape logits = in[0].shape, loss;
    if (logits[2] == 0) op_error(op, "there is no class for the blank in logits of shape " + shape_str(logits));
    logits[0] = batch;
    loss.push(batch);
    out.push_back(TypeInfo::of(in[0].dtype, loss));
    out.push_back(TypeInfo::of(in[0].dtype, logits));
  });
}

}  // namespace hornbeam
