// One run of a Program. Where shapes depend on data it has two parts (program/cut.cpp); as far as variables and random
// numbers are concerned it is one: the locks are held over both parts, of which only the last writes, and both have the
// run's number.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "core/buffer.h"
#include "program/plan.h"

namespace hornbeam {

class Run {
 public:
  // All that it is given outlives it. `ints`: integers of the feeds that are known before.
  Run(Program& program, const Target& target, const std::vector<Feed>& feeds, RunCounter& counter,
      Locking locking = Locking::take, const FeedInts& ints = {})
      : program_(&program), target_(target), feeds_(&feeds), counter_(&counter), locking_(locking), ints_(ints) {}

  // Binds what is left to run. False where a shape in it depends on data: then run_first_part(), and try again.
  bool bind();
  // Takes the locks and computes what those shapes depend on.
  void run_first_part();

  // Once bound: what is left, which makes the results; and running it, as Plan::run does.
  const Plan& plan() const { return *plan_; }
  bool run(const std::vector<void*>& outputs, bool at_once, const RunOptions& = {});

 private:
  Program* program_;  // what is left
  const Target& target_;
  const std::vector<Feed>* feeds_;
  RunCounter* counter_;
  Locking locking_;
  FeedInts ints_;
  std::shared_ptr<const Cut> cut_;
  std::shared_ptr<Plan> plan_;

  // Of a run in parts, from its first part on.
  LockOrder order_;
  std::optional<VariableLocks> locks_;
  RunCounter number_;
  std::vector<Feed> fed_;  // the Program's feeds, then what earlier parts made
  std::vector<Buffer> made_;
};

}  // namespace hornbeam
