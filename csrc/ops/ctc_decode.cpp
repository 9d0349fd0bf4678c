// From the scores of classes (logarithms of probabilities, up to a constant per step) to labels. The last class is the
// blank, and sample b has steps[b] steps. Labels are int64, followed by -1.
//   ctc_greedy(scores (B, T, C), steps (B)) -> labels (B, T), counts (B), minus the best path's score (B, 1)
//   ctc_beam(scores (B, T, C), steps (B)) -> labels (B, top_paths, T), counts (B, top_paths), log probability (same)
#include "ops/ctc_decode.h"

#include "ops/op.h"

namespace hornbeam {
namespace {

constexpr int64_t kMaxBeams = 1 << 20;

// Adds the outputs of one decoder, whose samples have `paths` (and no such axis if that is negative).
void infer_decoder(const char* op, int64_t paths, const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  const TypeInfo &scores = in[0], &steps = in[1];
  want_float(op, scores);
  want_rank(op, scores, 3, "scores");
  want_rank(op, steps, 1, "steps");
  if (steps.dtype != DType::int32)
    op_type_error(op, std::string("steps must be int32, got ") + dtype_name(steps.dtype));
  if (scores.shape[2] == 0)
    op_error(op, "there is no class for the blank in scores of shape " + shape_str(scores.shape));
  Shape counts;
  counts.push(same_dim(op, scores.shape[0], steps.shape[0], "scores and steps"));
  Shape score = counts;
  score.push(paths < 0 ? 1 : paths);
  if (paths >= 0) counts = score;
  Shape labels = counts;
  labels.push(scores.shape[1]);
  out.push_back(TypeInfo::of(DType::int64, labels));
  out.push_back(TypeInfo::of(DType::int32, counts));
  out.push_back(TypeInfo::of(scores.dtype, score));
}

}  // namespace

void register_ctc_decode(OpRegistry& r) {
  r.add<CtcGreedyAttrs>("ctc_greedy", "scores, steps", 3, [](const CtcGreedyAttrs&, const auto& in, auto& out) {
    infer_decoder("ctc_greedy", -1, in, out);
  });
  r.add<CtcBeamAttrs>("ctc_beam", "scores, steps", 3, [](const CtcBeamAttrs& a, const auto& in, auto& out) {
    if (a.top_paths < 1 || a.beam_width < a.top_paths || a.beam_width > kMaxBeams)
      op_error("ctc_beam", "wants 1 <= top_paths <= beam_width <= " + std::to_string(kMaxBeams) + ", got top_paths " +
                               std::to_string(a.top_paths) + " and beam_width " + std::to_string(a.beam_width));
    infer_decoder("ctc_beam", a.top_paths, in, out);
  });
}

}  // namespace hornbeam
