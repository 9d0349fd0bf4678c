// The values of several variables, read or written as one state: no run comes between the first and the last.
#pragma once
#include <cstdint>
#include <vector>

#include "program/run_counter.h"
#include "program/variable.h"

namespace hornbeam {

// Copies each variable's value to `to`; returns the counter's value at that moment (0 without one).
uint64_t read_state(const std::vector<VariablePtr>&, const std::vector<char*>& to, const RunCounter*);

// Copies to each variable the bytes at `from`, which have its dtype and layout. Of a variable that occurs twice the
// last value counts.
void write_state(const std::vector<VariablePtr>&, const std::vector<const char*>& from);

// Writes a first value, unless there is one already.
void initialize(Variable&, const char* from);

}  // namespace hornbeam
