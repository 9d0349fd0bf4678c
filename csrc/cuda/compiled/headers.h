// The headers that texts include, as the module was built with them: an installed Hornbeam has no sources.
#pragma once
#include <cstring>

#include "cuda/compiled/hash.h"

namespace hornbeam {

struct Header { const char *name, *text; };

constexpr Header kFormulaHeaders[] = {
#include "formula_headers.inc"  // made by CMake
};

inline uint64_t hash_of_headers() {
  uint64_t hash = hash_of(nullptr, 0);
  for (const Header& h : kFormulaHeaders) hash = hash_of(h.text, std::strlen(h.text), hash);
  return hash;
}

}  // namespace hornbeam
