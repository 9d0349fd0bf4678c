// Entering the core from Python, in step with forks.
#pragma once
#include "bindings/gil.h"
#include "core/fork.h"

namespace hornbeam {

// With the GIL in hand; it is given up while another thread forks.
inline void enter(InsideCore& inside) {
  while (!inside.try_enter()) {
    ReleasedGil no_gil;
    wait_for_fork();
  }
}

}  // namespace hornbeam
