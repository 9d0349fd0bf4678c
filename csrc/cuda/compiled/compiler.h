// Who compiles texts while the program runs: NVRTC (nvrtc.cpp), or what stands for it (simulated.cpp).
#pragma once
#include <string>

#include "cuda/library/library.h"

namespace hornbeam {

// Whether there is one. Opened at the first question, which takes a moment.
const Presence& compiler_presence();

// A part of what compiled code depends on, known without opening anything; empty where none is wanted.
std::string compiler_version();

// Code for cudaLibraryLoadData. `architecture` is that of the device: "sm_90". Throws GpuError with what the compiler
// says.
std::string compile(const std::string& text, const std::string& architecture);

}  // namespace hornbeam
