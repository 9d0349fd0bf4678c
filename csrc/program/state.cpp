#include "program/state.h"

#include <algorithm>

#include "program/locks.h"

namespace hornbeam {
namespace {

constexpr int64_t kPage = 4096;

LockOrder order_of(const std::vector<VariablePtr>& variables, bool exclusive) {
  LockOrder order;
  order.reserve(variables.size());
  for (size_t i = 0; i < variables.size(); ++i) order.push_back({static_cast<int>(i), exclusive});
  auto at = [&](const auto& entry) { return variables[entry.first].get(); };
  std::sort(order.begin(), order.end(), [&](auto& a, auto& b) { return at(a) < at(b); });
  order.erase(std::unique(order.begin(), order.end(), [&](auto& a, auto& b) { return at(a) == at(b); }), order.end());
  return order;
}

// Has the pages in memory before locks are taken: new arrays have none yet, those of a mapped file may be on the disk.
void touch(char* to, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += kPage) *static_cast<volatile char*>(to + i) = 0;
}
void touch(const char* from, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += kPage) (void)*static_cast<const volatile char*>(from + i);
}

}  // namespace

uint64_t read_state(const std::vector<VariablePtr>& variables, const std::vector<char*>& to,
                    const RunCounter* counter) {
  const LockOrder order = order_of(variables, false);
  for (size_t i = 0; i < variables.size(); ++i) touch(to[i], variables[i]->bytes());
  VariableLocks locks(variables, order);
  locks.take(false);
  for (size_t i = 0; i < variables.size(); ++i) variables[i]->read(to[i]);
  return counter ? counter->value() : 0;
}

void write_state(const std::vector<VariablePtr>& variables, const std::vector<const char*>& from) {
  const LockOrder order = order_of(variables, true);
  for (size_t i = 0; i < variables.size(); ++i) touch(from[i], variables[i]->bytes());
  VariableLocks locks(variables, order);
  locks.take(false);
  for (auto& variable : variables) variable->make_room();  // where memory ends, nothing was written
  for (size_t i = 0; i < variables.size(); ++i) variables[i]->write(from[i]);
}

void initialize(Variable& variable, const char* from) {
  RwLock::Guard guard(variable.lock, true);
  if (!variable.is_set()) variable.write(from);
}

}  // namespace hornbeam
