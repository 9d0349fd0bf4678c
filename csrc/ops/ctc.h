#pragma once
#include "ops/attrs.h"

namespace hornbeam { using CtcAttrs = NoAttrs; }  // namespace hornbeam
