// Division by a number that is known before the launch: up to 2^31 a multiplication and a shift.
#pragma once
#include "core/dtype.h"

namespace hornbeam {

struct Divider {
  int64_t d = 1;
  uint32_t multiplier = 1, shift = 0;

  // 0, as of an empty axis, is taken for 1: there is nothing to divide.
  static HB_INLINE Divider of(int64_t d) {
    if (d < 1) d = 1;
    Divider r;
    r.d = d;
    r.multiplier = 0;
    r.shift = 31;  // what is larger than 2^31 divides anything below it 0 times
    if (d > int64_t{1} << 31) return r;
    r.shift = 0;
    while ((int64_t{1} << r.shift) < d) ++r.shift;
    const uint64_t above = (uint64_t{1} << r.shift) - static_cast<uint64_t>(d);
    r.multiplier = static_cast<uint32_t>((above << 32) / static_cast<uint64_t>(d) + 1);
    return r;
  }

  // n / d for n >= 0 (Granlund and Montgomery: "Division by invariant integers using multiplication", 1994).
  HB_INLINE int64_t operator()(int64_t n) const {
    if (n >> 31) return n / d;
    const uint32_t low = static_cast<uint32_t>(n);
    return (static_cast<uint32_t>(static_cast<uint64_t>(low) * multiplier >> 32) + low) >> shift;
  }

  // Divides n, and gives the remainder.
  HB_INLINE int64_t take(int64_t& n) const {
    const int64_t quotient = (*this)(n), rest = n - quotient * d;
    n = quotient;
    return rest;
  }
};

}  // namespace hornbeam
