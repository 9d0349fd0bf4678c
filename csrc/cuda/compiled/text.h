// The C++ text of a formula: the interpreter's steps one after another, on values in registers. It computes the same
// bits, as it calls the same functions (compiled/formula.h).
#pragma once
#include <string>

#include "cuda/compiled/description.h"

namespace hornbeam {

// How many elements of a tile a thread computes: fewer where the formula has many values at once.
int elements_of_thread(const FormulaDescription&);

// The kernel, and where it is not compiled for a GPU the function, is called `name`.
std::string text_of(const FormulaDescription&, const std::string& name);

}  // namespace hornbeam
