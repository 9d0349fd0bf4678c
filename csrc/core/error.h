// Exceptions by the Python type they become.
#pragma once
#include <stdexcept>
#include <string>

namespace hornbeam {

struct ValueError : std::runtime_error { using std::runtime_error::runtime_error; };
struct TypeError : std::runtime_error { using std::runtime_error::runtime_error; };
struct RuntimeError : std::runtime_error { using std::runtime_error::runtime_error; };

}  // namespace hornbeam
