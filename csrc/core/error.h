// Exceptions by the Python type they become.
#pragma once
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hornbeam {

struct ValueError : std::runtime_error { using std::runtime_error::runtime_error; };
struct TypeError : std::runtime_error { using std::runtime_error::runtime_error; };
struct RuntimeError : std::runtime_error { using std::runtime_error::runtime_error; };

// A shape depends on integers that are only known while running: these values of the Program that is being bound.
struct NeedsValues : ValueError {
  NeedsValues(const std::string& what, std::vector<int> needed) : ValueError(what), values(std::move(needed)) {}
  std::vector<int> values;
};

}  // namespace hornbeam
