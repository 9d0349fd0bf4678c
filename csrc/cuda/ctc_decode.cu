// ctc_greedy: the likeliest class of each step, then each sample's path. The beam search is a host step: its beam of
// prefixes is little work, and its result goes to the host anyway.
#include "ops/ctc_decode.h"

#include "cuda/export.h"
#include "cuda/gpu.h"

namespace hornbeam {

template <class T> static void greedy(const KernelCall& c) {
  const bool merge = static_cast<const CtcGreedyAttrs*>(c.attrs)->merge_repeated;
  const int64_t batch = c.in[0].shape[0], time = c.in[0].shape[1], classes = c.in[0].shape[2];
  const T* x = c.in[0].as<const T>();
  const int32_t* steps_of = c.in[1].as<const int32_t>();
  int64_t* const labels = data_of<int64_t>(c.out[0]);
  int32_t* const counts = data_of<int32_t>(c.out[1]);
  T* const scores = data_of<T>(c.out[2]);
  int32_t* const likeliest = reinterpret_cast<int32_t*>(c.workspace);
  each(*c.lane, "ctc_greedy", batch * time, [=] GPU_LAMBDA(int64_t i) {
    const T* row = x + i * classes;
    int64_t best = 0;
    for (int64_t k = 1; k < classes; ++k)
      if (row[k] > row[best]) best = k;
    likeliest[i] = static_cast<int32_t>(best);
  });
  each(*c.lane, "ctc_greedy", batch, [=] GPU_LAMBDA(int64_t b) {
    const int64_t steps = steps_of[b] < time ? steps_of[b] : time;
    int64_t count = 0, before = -1;
    double score = 0;
    for (int64_t t = 0; t < steps; ++t) {
      const int64_t best = likeliest[b * time + t];
      score -= static_cast<double>(x[(b * time + t) * classes + best]);
      if (best != classes - 1 && !(merge && best == before)) {
        if (labels) labels[b * time + count] = best;
        ++count;
      }
      before = best;
    }
    for (int64_t t = count; labels && t < time; ++t) labels[b * time + t] = -1;
    if (counts) counts[b] = static_cast<int32_t>(count);
    if (scores) scores[b] = static_cast<T>(score);
  });
}

static int64_t workspace(const KernelCall& c) {
  return c.in[0].shape[0] * c.in[0].shape[1] * static_cast<int64_t>(sizeof(int32_t));
}
static void ctc_greedy(const KernelCall& c) { c.in[0].dtype == DType::float64 ? greedy<double>(c) : greedy<float>(c); }

HB_GPU_KERNELS(ctc_decode, {"ctc_greedy", "samples", supports_floats, workspace, ctc_greedy})

}  // namespace hornbeam
