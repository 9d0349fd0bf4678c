// Exceptions by the Python type they become.
#pragma once
#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hornbeam {

struct ValueError : std::runtime_error { using std::runtime_error::runtime_error; };
struct TypeError : std::runtime_error { using std::runtime_error::runtime_error; };
struct RuntimeError : std::runtime_error { using std::runtime_error::runtime_error; };

// Python's MemoryError. The text is part of it, since there may be no memory for one.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(const std::string& text) noexcept { std::snprintf(text_, sizeof text_, "%s", text.c_str()); }
  const char* what() const noexcept override { return text_; }

 private:
  char text_[400];
};

// A shape depends on integers that are only known while running: these values of the Program that is being bound.
struct NeedsValues : ValueError {
  NeedsValues(const std::string& what, std::vector<int> needed) : ValueError(what), values(std::move(needed)) {}
  std::vector<int> values;
};

}  // namespace hornbeam
