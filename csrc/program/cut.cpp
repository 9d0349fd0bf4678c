// Where a shape depends on data, a Program is cut in two: the first part computes the integers that the shape is made
// of, the rest is bound with them. What the rest needs of the first part's results becomes feeds of it, except for what
// is known at bind or kept between runs anyway: those ops are in both parts.
#include <algorithm>

#include "program/program.h"

namespace hornbeam {

namespace {

// Values that are made of shapes, constants and unwritten variables alone.
std::vector<char> known_without_data(const Program& p) {
  std::vector<char> known(p.values.size(), 0);
  for (size_t v = 0; v < known.size(); ++v) known[v] = p.steady(static_cast<int>(v));
  for (auto& op : p.ops) {
    bool all = !op.def->random && !op.def->bodies;
    for (int v : op.in) all = all && (v < 0 || known[v]);
    for (int v : op.out) known[v] = all || op.def->of_shapes;
  }
  return known;
}

std::shared_ptr<Program> part_of(const Program& p) {
  auto part = std::make_shared<Program>();
  part->values = p.values;
  part->feeds = p.feeds;
  part->variables = p.variables;
  part->constants = p.constants;
  part->feed_names = p.feed_names;
  part->options = p.options;
  return part;
}

}  // namespace

std::shared_ptr<const Cut> cut_program(const Program& p, const std::vector<int>& needed) {
  std::vector<char> wanted(p.values.size(), 0), is_first(p.ops.size(), 0), made_first(p.values.size(), 0);
  for (int v : needed) wanted[v] = 1;
  for (size_t i = p.ops.size(); i-- > 0;) {
    for (int v : p.ops[i].out) is_first[i] = is_first[i] || wanted[v];
    if (!is_first[i]) continue;
    for (int v : p.ops[i].in)
      if (v >= 0) wanted[v] = 1;
  }
  auto is_needed = [&](int v) { return std::find(needed.begin(), needed.end(), v) != needed.end(); };
  const std::vector<char> known = known_without_data(p);
  auto cut = std::make_shared<Cut>();
  cut->first = part_of(p);
  cut->rest = part_of(p);
  for (size_t i = 0; i < p.ops.size(); ++i) {
    const OpInstance& op = p.ops[i];
    const bool in_both = std::all_of(op.out.begin(), op.out.end(), [&](int v) { return known[v] && !is_needed(v); });
    if (is_first[i]) cut->first->ops.push_back(op);
    if (!is_first[i] || in_both) cut->rest->ops.push_back(op);
    else
      for (int v : op.out) made_first[v] = 1;
  }
  for (int v : p.feeds) cut->needed.push_back(is_needed(v));
  for (int v : needed) made_first[v] = made_first[v] || p.values[v].kind == ValueKind::variable;
  auto cross = [&](int v) {
    if (v < 0 || !made_first[v]) return;
    made_first[v] = 0;
    Value& value = cut->rest->values[v];
    value.kind = ValueKind::feed;
    value.index = static_cast<int>(cut->rest->feeds.size());
    cut->rest->feeds.push_back(v);
    cut->rest->feed_names.push_back("value " + std::to_string(v));
    cut->first->outputs.push_back(v);
    cut->needed.push_back(is_needed(v));
  };
  for (int v : needed) cross(v);
  for (auto& op : cut->rest->ops)
    for (int v : op.in) cross(v);
  for (int v : p.outputs) cross(v);
  for (auto& u : p.updates) cross(u.value);
  cut->rest->outputs = p.outputs;
  cut->rest->updates = p.updates;
  cut->first->finish();
  cut->rest->finish();
  return cut;
}

}  // namespace hornbeam
