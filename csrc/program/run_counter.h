// How many runs with random numbers there were: these are keyed by an op's seed, the run and the element.
#pragma once
#include <atomic>
#include <cstdint>

namespace hornbeam {

class RunCounter {
 public:
  explicit RunCounter(uint64_t runs = 0) : runs_(runs) {}
  uint64_t value() const { return runs_.load(std::memory_order_acquire); }
  void set(uint64_t runs) { runs_.store(runs, std::memory_order_release); }
  // The number of a run that begins now; it counts only if it is random. Called with the run's variables locked, so
  // that a state which was read as a whole has the number of its runs.
  uint64_t begin(bool random) { return random ? runs_.fetch_add(1, std::memory_order_acq_rel) : value(); }

 private:
  std::atomic<uint64_t> runs_;
};

}  // namespace hornbeam
