// HORNBEAM_SIM_SEED: what a run may not depend on. 0 to 3 are the extremes of when streams run: bit k makes every
// second stream from the k-th on eager, which runs whatever is allowed at once, while the others run nothing before
// something waits for it. Larger seeds mix at random, blocks, warps and threads too.
//
// A copy whose staging memory is reused too early, a result that is read too early and a stream that does not wait for
// another give wrong numbers under one of 0 to 3 every time.
#pragma once
#include <cstdint>
#include <random>

namespace hornbeam::sim {

unsigned seed();
inline bool is_random() { return seed() > 3; }
std::mt19937& dice();
// Does a stream that may run something do so now?
bool is_eager(unsigned stream);

// The numbers below n once each: in their order, or by random steps.
class Permutation {
 public:
  explicit Permutation(int64_t n);
  int64_t first() const { return first_; }
  int64_t after(int64_t i) const { return i < n_ - step_ ? i + step_ : i - (n_ - step_); }

 private:
  int64_t n_, first_ = 0, step_ = 1;
};

}  // namespace hornbeam::sim
