// Descriptions of compiled formulas as files have them: a line each, of hexadecimal digits, after words that do not
// count.
#pragma once
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "cuda/compiled/description.h"

inline std::vector<hornbeam::FormulaDescription> read_formulas(const char* path) {
  std::vector<hornbeam::FormulaDescription> all;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::string digits = line.substr(line.rfind(' ') + 1);
    hornbeam::FormulaDescription d;
    if (digits.size() != 2 * sizeof d) {
      std::cerr << path << ": a line that is not a description\n";
      std::exit(2);
    }
    for (size_t i = 0; i < sizeof d; ++i)
      reinterpret_cast<unsigned char*>(&d)[i] =
          static_cast<unsigned char>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
    all.push_back(d);
  }
  return all;
}

inline void write_formula(const hornbeam::FormulaDescription& d) {
  for (size_t i = 0; i < sizeof d; ++i)
    for (const int digit :
         {reinterpret_cast<const unsigned char*>(&d)[i] >> 4, reinterpret_cast<const unsigned char*>(&d)[i] & 15})
      std::cout << "0123456789abcdef"[digit];
  std::cout << '\n';
}
