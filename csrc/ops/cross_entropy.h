#pragma once
#include "ops/attrs.h"

namespace hornbeam {

// The classes are the last axis of the logits.
using CrossEntropyAttrs = NoAttrs;

}  // namespace hornbeam
