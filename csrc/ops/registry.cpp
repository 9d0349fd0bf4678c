// All ops by name. The build writes op_families.inc from the file names in csrc/ops.
#include <algorithm>

#include "core/error.h"
#include "ops/op.h"

namespace hornbeam {

#define HB_FAMILY(name) void register_##name(OpRegistry&);
#include "op_families.inc"
#undef HB_FAMILY

static std::string current_family;

OpRegistry& OpRegistry::get() {
  static OpRegistry* registry = [] {
    auto* r = new OpRegistry;
#define HB_FAMILY(name)   \
  current_family = #name; \
  register_##name(*r);
#include "op_families.inc"
#undef HB_FAMILY
    return r;
  }();
  return *registry;
}

OpDef& OpRegistry::insert(OpDef def) {
  def.family = current_family;
  auto& slot = ops_[def.name];
  if (slot) throw RuntimeError("op '" + def.name + "' is registered twice");
  slot = std::make_unique<OpDef>(std::move(def));
  order_.push_back(slot->name);
  return *slot;
}

const OpDef* OpRegistry::find(const std::string& name) const {
  auto it = ops_.find(name);
  return it == ops_.end() ? nullptr : it->second.get();
}

const OpDef& OpRegistry::at(const std::string& name) const {
  if (auto* op = find(name)) return *op;
  std::string near;
  for (auto& n : order_)
    if (n.find(name) != std::string::npos || name.find(n) != std::string::npos) near += (near.empty() ? "" : ", ") + n;
  throw ValueError("unknown op '" + name + "'" + (near.empty() ? "" : "; similar: " + near));
}

std::vector<std::string> OpRegistry::names() const { return order_; }

}  // namespace hornbeam
