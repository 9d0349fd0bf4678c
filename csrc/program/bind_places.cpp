// Binding, the last part: where each value lives, and what is written in place.
#include <algorithm>
#include <set>

#include "ops/elementwise.h"
#include "program/binder.h"

namespace hornbeam {

void Binder::place_outputs() {
  plan_.places_.resize(program_.values.size());
  for (size_t v = 0; v < program_.values.size(); ++v) {
    const Value& value = program_.values[v];
    Place& p = plan_.places_[v];
    if (value.kind == ValueKind::feed) p = {Place::feed, value.index};
    if (value.kind == ValueKind::variable) p = {Place::variable, value.index};
    if (value.kind == ValueKind::constant) p = {Place::constant, value.index};
    if (values_[v].folded >= 0) p = {Place::folded, values_[v].folded};
  }
  for (auto& step : plan_.prologue_steps_)
    for (int v : step.out_value)
      if (v >= 0) {
        plan_.places_[v] = {Place::prologue, static_cast<int64_t>(plan_.kept_sizes_.size())};
        plan_.kept_sizes_.push_back(bytes_of(plan_.types_[v]));
        plan_.prologue_bytes_ += align_up(bytes_of(plan_.types_[v]));
      }
  for (auto& step : plan_.prologue_steps_) {
    plan_.prologue_workspace_ =
        std::max(plan_.prologue_workspace_, align_up(step.workspace) + align_up(step.pack_bytes));
  }
  for (size_t s = 0; s < plan_.steps_.size(); ++s) {
    for (int v : plan_.steps_[s].out_value)
      if (v >= 0) values_[v].made_by = values_[v].last_use = static_cast<int>(s);
    for (int v : plan_.steps_[s].in_value)
      if (v >= 0) values_[root(v)].last_use = static_cast<int>(s);
  }
  for (size_t k = 0; k < program_.outputs.size(); ++k) {
    int r = root(program_.outputs[k]);
    Place out{Place::output, static_cast<int64_t>(k)};
    if (carried_in_place(static_cast<int>(k))) {
      plan_.places_[r] = {Place::feed, static_cast<int64_t>(k)};
      continue;
    }
    if (!placed(r) && values_[r].made_by >= 0) plan_.places_[r] = out;
    else copies_.push_back({r, out, bytes_of(plan_.types_[r])});
  }
}

// May state k of a scan's body be written over its old value?
bool Binder::carried_in_place(int k) const {
  const auto& allowed = program_.options.carried_in_place;
  const int r = root(program_.outputs[k]);
  return std::find(allowed.begin(), allowed.end(), k) != allowed.end() && !placed(r) && values_[r].made_by >= 0 &&
         direct(r, ValueKind::feed, k);
}

// A run can be interrupted until it has written a variable. So none is written in place before the steps that are left
// to do all serve updates.
void Binder::place_updates() {
  std::set<int> makers;
  for (auto& u : program_.updates) makers.insert(values_[root(u.value)].made_by);
  size_t begin = tail_;
  while (begin > 0 && makers.count(static_cast<int>(begin) - 1)) --begin;
  plan_.first_write_ = plan_.steps_.size();
  for (auto& u : program_.updates) {
    int r = root(u.value);
    Place to{Place::variable, u.variable};
    Variable& variable = *program_.variables[u.variable];
    if (!placed(r) && values_[r].made_by >= static_cast<int>(begin) && direct(r, ValueKind::variable, u.variable) &&
        bytes_of(plan_.types_[r]) == variable.bytes()) {
      plan_.places_[r] = to;
      plan_.first_write_ = std::min(plan_.first_write_, static_cast<size_t>(values_[r].made_by));
    } else {
      copies_.push_back({r, to, variable.bytes()});
    }
  }
}

// May the step that makes value r write straight over a leaf, a variable or a state's feed? Only when nothing
// reads the old value afterwards, and the step itself reads it element by element, in the same place.
bool Binder::direct(int r, ValueKind kind, int index) const {
  int maker = values_[r].made_by;
  const Step& step = plan_.steps_[maker];
  const OpDef& def = *program_.ops[step.op].def;
  int reads = 0;
  for (size_t s = maker; s < plan_.steps_.size(); ++s)
    for (size_t k = 0; k < plan_.steps_[s].in_value.size(); ++k) {
      int v = plan_.steps_[s].in_value[k];
      if (v < 0 || !is_leaf(root(v), kind, index)) continue;
      if (s != static_cast<size_t>(maker) || !def.elementwise || ++reads > 1) return false;
      if (plan_.types_[v].shape != plan_.types_[r].shape || !may_overwrite(step, k, r)) return false;
    }
  for (const PendingCopy& copy : copies_)
    if (is_leaf(copy.source, kind, index)) return false;
  for (int v : program_.outputs)
    if (is_leaf(root(v), kind, index)) return false;
  for (auto& u : program_.updates)  // another update that takes this variable's old value
    if (is_leaf(root(u.value), kind, index)) return false;
  return true;
}

bool Binder::is_leaf(int r, ValueKind kind, int index) const {
  return program_.values[r].kind == kind && program_.values[r].index == index;
}

void Binder::place_values() {
  const bool poison = arena_poisoned();
  // What must outlive the steps: sources of copies. Old values of variables that are overwritten by other copies
  // are first saved in the arena.
  constexpr int kEnd = 1 << 30;
  for (const PendingCopy& copy : copies_) values_[copy.source].last_use = kEnd;
  // A packing that a scan makes before its first step is read in all of them: nothing of any step may lie there.
  for (Step& step : plan_.steps_)
    if (step.pack_once) step.pack_offset = arena_.allocate(step.pack_bytes);
  for (size_t s = 0; s < plan_.steps_.size(); ++s) {
    Step& step = plan_.steps_[s];
    std::vector<std::pair<int64_t, int64_t>> dying;  // offset, bytes
    std::vector<char> taken(step.in_value.size(), 0);
    for (int v : step.out_value) {
      if (v < 0 || placed(v)) continue;
      int donor = inplace_donor(step, static_cast<int>(s), v, taken);
      if (donor >= 0) {
        plan_.places_[v] = plan_.places_[donor];
        plan_.places_[donor].kind = Place::arena;
        values_[donor].given = true;
      } else {
        plan_.places_[v] = {Place::arena, arena_.allocate(bytes_of(plan_.types_[v]))};
      }
    }
    if (step.workspace) {
      step.workspace_offset = arena_.allocate(step.workspace);
      dying.push_back({step.workspace_offset, step.workspace});
    }
    if (step.pack_bytes && step.pack_slot < 0 && !step.pack_once) {
      step.pack_offset = arena_.allocate(step.pack_bytes);
      dying.push_back({step.pack_offset, step.pack_bytes});
    }
    auto retire = [&](int r) {
      ValueState& state = values_[r];
      if (state.last_use != static_cast<int>(s) || plan_.places_[r].kind != Place::arena || state.given ||
          state.retired)
        return;
      state.retired = true;
      dying.push_back({plan_.places_[r].offset, bytes_of(plan_.types_[r])});
    };
    for (int v : step.in_value)
      if (v >= 0) retire(root(v));
    for (int v : step.out_value)
      if (v >= 0) retire(v);
    for (auto& [offset, bytes] : dying) {
      arena_.release(offset, bytes);
      if (poison && bytes) step.freed.push_back({offset, bytes});
    }
  }
  std::vector<Copy> saves, to_outputs, to_variables;
  for (const PendingCopy& pending : copies_) {
    Copy copy{plan_.places_[pending.source], pending.to, pending.bytes};
    if (copy.to.kind == Place::output) {
      to_outputs.push_back(copy);
      continue;
    }
    if (copy.from.kind == Place::variable && program_.writes(static_cast<int>(copy.from.offset))) {
      Place temp{Place::arena, arena_.allocate(copy.bytes)};
      saves.push_back({copy.from, temp, copy.bytes});
      copy.from = temp;
    }
    to_variables.push_back(copy);
  }
  plan_.copies_ = std::move(saves);
  plan_.copies_.insert(plan_.copies_.end(), to_outputs.begin(), to_outputs.end());
  plan_.copies_.insert(plan_.copies_.end(), to_variables.begin(), to_variables.end());
  for (size_t v = 0; v < program_.values.size(); ++v)
    if (root(static_cast<int>(v)) != static_cast<int>(v)) plan_.places_[v] = plan_.places_[root(static_cast<int>(v))];
}

// An elementwise step reads before it writes tile by tile, but only where all its outputs have one shape, and of a
// grouped one only inside one group.
bool Binder::may_overwrite(const Step& step, size_t input, int output) const {
  const Shape& shape = plan_.types_[output].shape;
  const OpDef& def = *program_.ops[step.op].def;
  if (def.grouped) {
    const auto& attrs = *static_cast<const FusedMultiAttrs*>(program_.ops[step.op].attrs->data());
    size_t position = std::find(step.out_value.begin(), step.out_value.end(), output) - step.out_value.begin();
    size_t inputs = (step.in.size() - attrs.n_shared) / attrs.n_groups, outputs = step.out.size() / attrs.n_groups;
    return input >= static_cast<size_t>(attrs.n_shared) && (input - attrs.n_shared) / inputs == position / outputs;
  }
  for (auto& out : step.out)
    if (out.present && out.shape != shape) return false;
  return true;
}

// An input that dies at this step and whose range output v may take over; -1 if none.
int Binder::inplace_donor(const Step& step, int s, int v, std::vector<char>& taken) {
  if (!program_.options.reuse) return -1;
  const OpDef& def = *program_.ops[step.op].def;
  const TypeInfo& t = plan_.types_[v];
  for (size_t k = 0; k < step.in_value.size(); ++k) {
    int in = step.in_value[k];
    if (in < 0 || taken[k]) continue;
    const bool allowed =
        def.has(def.overwritten, static_cast<int>(k)) &&
        (def.elementwise ? plan_.types_[in].shape == t.shape && may_overwrite(step, k, v) : v == step.out_value[0]);
    int r = root(in);
    if (!allowed || values_[r].last_use != s || plan_.places_[r].kind != Place::arena || values_[r].given ||
        values_[r].retired)
      continue;
    if (bytes_of(plan_.types_[r]) != bytes_of(t) || item_size(plan_.types_[in].dtype) != item_size(t.dtype)) continue;
    int uses = 0;  // read twice under other shapes or positions: leave it alone unless elementwise with equal shapes
    for (int other : step.in_value)
      if (other >= 0 && root(other) == r) uses += plan_.types_[other].shape == t.shape && def.elementwise ? 0 : 1;
    if (uses > (def.elementwise ? 0 : 1)) continue;
    taken[k] = 1;
    return r;
  }
  return -1;
}

}  // namespace hornbeam
