#pragma once
#include "ops/attrs.h"

namespace hornbeam {

// softmax, log_softmax and their gradients work on the last axis; Python transposes other axes.
using SoftmaxAttrs = NoAttrs;

}  // namespace hornbeam
