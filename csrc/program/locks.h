// Holds variables' locks while a run lasts. They are taken in the order of addresses, so no two runs wait for each
// other.
#pragma once
#include <utility>
#include <vector>

#include "program/variable.h"

namespace hornbeam {

// (variable, exclusive), sorted by the variables' addresses.
using LockOrder = std::vector<std::pair<int, bool>>;

class VariableLocks {
 public:
  VariableLocks(const std::vector<VariablePtr>& variables, const LockOrder& order)
      : variables_(variables), order_(order) {}
  ~VariableLocks() {
    while (held_ > 0) variables_[order_[--held_].first]->lock.unlock();
  }
  VariableLocks(const VariableLocks&) = delete;
  VariableLocks& operator=(const VariableLocks&) = delete;

  // try_only: false where one is held by somebody else.
  bool take(bool try_only) {
    for (; held_ < order_.size(); ++held_) {
      auto& [v, exclusive] = order_[held_];
      if (!try_only) variables_[v]->lock.lock(exclusive);
      else if (!variables_[v]->lock.try_lock(exclusive)) return false;
    }
    return true;
  }

 private:
  const std::vector<VariablePtr>& variables_;
  const LockOrder& order_;
  size_t held_ = 0;
};

}  // namespace hornbeam
