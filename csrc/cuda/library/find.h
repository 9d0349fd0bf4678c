// What an implementation of library.h defines beside it: whether its libraries are on this machine, whatever
// HORNBEAM_LIBRARIES says.
#pragma once
#include "cuda/library/library.h"

namespace hornbeam {

Presence find_products();
Presence find_convolutions();

}  // namespace hornbeam
