// All ops by name. The build writes op_families.inc from the file names in csrc/ops.
#include <algorithm>
#include <sstream>

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

void OpRegistry::name_inputs(OpDef& def, const std::string& list) {
  std::istringstream names(list);
  for (std::string name; std::getline(names >> std::ws, name, ',');) {
    const int at = static_cast<int>(def.inputs.size());
    const bool optional = name.back() == '?', any_number = name.find("...") != std::string::npos;
    if (!optional) def.min_inputs = at + 1;
    else if (!any_number) def.optional |= 1u << at;
    def.max_inputs = any_number ? -1 : at + 1;
    def.inputs.push_back(name.substr(0, name.find_first_of("?.")));
    if (def.inputs.back() == "bias") def.bias = at;
  }
}

uint32_t OpDef::set_of(const char* names) const {
  uint32_t set = 0;
  std::istringstream list(names);
  for (std::string name; std::getline(list >> std::ws, name, ',');) {
    const auto found = std::find(inputs.begin(), inputs.end(), name);
    if (found == inputs.end()) throw RuntimeError("op '" + this->name + "' has no input '" + name + "'");
    set |= 1u << (found - inputs.begin());
  }
  return set;
}

OpDef& OpDef::columns_from(const char* input) {
  const uint32_t set = set_of(input);
  for (columns = 0; !(set >> columns & 1);) ++columns;
  return *this;
}

void OpDef::refuse_count(int n) const {
  std::string list;
  for (size_t i = 0; i < inputs.size(); ++i)
    list += (i ? ", " : "") + inputs[i] + (is_optional(static_cast<int>(i)) ? "?" : "");
  op_type_error(name.c_str(), "got " + std::to_string(n) + " inputs, takes (" + list + (max_inputs < 0 ? "...)" : ")"));
}

void OpDef::refuse_absent(int input) const {
  const std::string what = "got None where it needs a tensor, an array or a number";
  if (elementwise) op_type_error(name.c_str(), what);  // as Python has it of an operator's operands
  op_error(name.c_str(), what + ": its input '" + inputs[std::min<size_t>(input, inputs.size() - 1)] + "'");
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
