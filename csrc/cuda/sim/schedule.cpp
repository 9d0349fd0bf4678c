#include "cuda/sim/schedule.h"

#include <cstdlib>
#include <numeric>

namespace hornbeam::sim {

unsigned seed() {
  static const unsigned value = [] {
    const char* wanted = std::getenv("HORNBEAM_SIM_SEED");
    return wanted ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 0u;
  }();
  return value;
}

std::mt19937& dice() {
  static auto* generator = new std::mt19937(seed());
  return *generator;
}

bool is_eager(unsigned stream) { return is_random() ? dice()() % 3 == 0 : (seed() >> (stream % 2) & 1) != 0; }

Permutation::Permutation(int64_t n) : n_(n) {
  if (!is_random() || n < 2) return;
  const auto below_n = [n] { return static_cast<int64_t>(dice()() % static_cast<uint64_t>(n)); };
  first_ = below_n();
  do step_ = below_n();
  while (std::gcd(step_, n) != 1);
}

}  // namespace hornbeam::sim
