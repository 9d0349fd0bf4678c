// Binding: from a Program and concrete input shapes to a Plan. Everything that depends on shapes is
// decided here: what is known already, where each value lives, what may be written in place, which
// kernel runs each op and how its weights are packed.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

#include "core/error.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "ops/elementwise.h"
#include "program/arena.h"
#include "program/plan.h"

namespace hornbeam {

namespace {

constexpr int64_t kMaxKnownInts = 64;  // integer tensors up to this size have their values followed

bool poisoning() {
  const char* env = std::getenv("HORNBEAM_ARENA");
  return env && std::string(env) == "poison";
}

template <class V> int64_t read_as(const char* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

int64_t read_int(const char* p, DType t) {
  switch (t) {
    case DType::boolean:
    case DType::uint8: return read_as<uint8_t>(p);
    case DType::int8: return read_as<int8_t>(p);
    case DType::uint16: return read_as<uint16_t>(p);
    case DType::int16: return read_as<int16_t>(p);
    case DType::int32: return read_as<int32_t>(p);
    default: return read_as<int64_t>(p);
  }
}

void write_int(char* p, DType t, int64_t v) { std::memcpy(p, &v, static_cast<size_t>(item_size(t))); }  // little endian

void learn_ints(TypeInfo& t, const char* data) {
  if (is_float(t.dtype) || t.shape.count() > kMaxKnownInts) return;
  t.has_ints = true;
  t.ints = integers(t.dtype, data, t.shape.count());
}

bool fully_known(const TypeInfo& t) {
  return t.has_ints && !is_float(t.dtype) && t.shape.known() && std::none_of(t.ints.begin(), t.ints.end(), is_unknown);
}

int64_t bytes_of(const TypeInfo& t) { return t.shape.count() * item_size(t.dtype); }

}  // namespace

std::vector<int64_t> integers(DType dtype, const char* data, int64_t count) {
  std::vector<int64_t> out(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) out[static_cast<size_t>(i)] = read_int(data + i * item_size(dtype), dtype);
  return out;
}

class Binder {
 public:
  explicit Binder(Plan& plan) : plan_(plan), program_(plan.program_), arena_(plan.program_.options.reuse) {}

  void bind() {
    infer();
    find_uses();
    order_steps();
    for (int op : order_) make_step(op);
    place_outputs();
    place_updates();
    place_values();
    collect_locks();
    plan_.arena_bytes_ = arena_.size();
  }

 private:
  // ---- shapes, and integers known already ----------------------------------------------------------
  void infer() {
    auto& types = plan_.types_;
    types.resize(program_.values.size());
    root_.resize(types.size());
    folded_.assign(types.size(), -1);
    for (size_t v = 0; v < types.size(); ++v) {
      root_[v] = static_cast<int>(v);
      const Value& value = program_.values[v];
      types[v] = TypeInfo::of(value.dtype, value.shape);
      if (value.kind == ValueKind::constant) learn_ints(types[v], program_.constants[value.index]->data.data());
    }
    for (size_t f = 0; f < program_.feeds.size(); ++f) {
      TypeInfo& t = types[program_.feeds[f]];
      const Shape& got = plan_.feed_shapes_[f];
      bool fits = got.rank == t.shape.rank;
      for (int d = 0; fits && d < got.rank; ++d) fits = t.shape[d] < 0 || t.shape[d] == got[d];
      if (!fits)
        throw ValueError("input '" + program_.feed_names[f] + "' expects shape " + shape_str(t.shape) + ", got " +
                         shape_str(got));
      t.shape = got;
      if (f < plan_.feed_ints_.size() && !plan_.feed_ints_[f].empty()) {
        t.has_ints = true;
        t.ints = plan_.feed_ints_[f];
      }
    }
    bodies_.resize(program_.ops.size());
    skip_.assign(program_.ops.size(), 0);
    std::vector<TypeInfo> in, out;
    for (size_t i = 0; i < program_.ops.size(); ++i) {
      const OpInstance& op = program_.ops[i];
      in.clear();
      out.clear();
      for (int v : op.in) {
        if (v >= 0) in.push_back(types[v]);
        else {
          in.emplace_back();
          in.back().present = false;
        }
      }
      try {
        if (op.def->control) bodies_[i] = bind_bodies(op, in, out);
        else op.def->infer(op.attrs->data(), in, out);
      } catch (const NeedsValues& e) {  // of a body
        throw NeedsValues(e.what(), fed_from(op, e.values));
      } catch (const ValueError& e) {
        throw ValueError(op.label.empty() ? e.what() : op.label + ": " + e.what());
      }
      bool all_known = !out.empty();
      for (size_t k = 0; k < op.out.size(); ++k) {
        TypeInfo& t = types[op.out[k]] = std::move(out[k]);
        if (!t.shape.known())
          throw NeedsValues(op.label + "[" + op.def->name + "] the shape " + shape_str(t.shape) +
                                " depends on data that is only known while running",
                            unknown_integers(op));
        all_known = all_known && (fully_known(t) || fold_by_kernel(static_cast<int>(i)));
      }
      if (op.def->view) root_[op.out[0]] = root_[op.in[0]];
      if (all_known)
        for (int v : op.out) fold(v);
      skip_[i] = all_known || op.def->view;
    }
  }

  // What a shape can depend on: the small integer inputs that are not known yet.
  std::vector<int> unknown_integers(const OpInstance& op) const {
    std::vector<int> found;
    for (int v : op.in)
      if (v >= 0 && !is_float(plan_.types_[v].dtype) && plan_.types_[v].shape.count() <= kMaxKnownInts &&
          !fully_known(plan_.types_[v]))
        found.push_back(v);
    return found;
  }

  // The inputs of a control op that its bodies get as those feeds; nothing where a body computes one of the values.
  std::vector<int> fed_from(const OpInstance& op, const std::vector<int>& body_values) const {
    std::vector<int> found;
    const Program& body = *op.bodies[0];
    for (int v : body_values) {
      if (body.values[v].kind != ValueKind::feed) return {};
      const int input = control_input(op, body.values[v].index);
      if (input < 0) return {};
      found.push_back(op.in[input]);
    }
    return found;
  }

  void fold(int v) {
    const TypeInfo& t = plan_.types_[v];
    Buffer b(bytes_of(t) + 1);
    for (size_t i = 0; i < t.ints.size(); ++i)
      write_int(b.data() + static_cast<int64_t>(i) * item_size(t.dtype), t.dtype, t.ints[i]);
    folded_[v] = static_cast<int>(plan_.folded_.size());
    root_[v] = v;
    plan_.folded_.push_back(std::move(b));
  }

  // Small integer results of known integers, for ops whose shape rule does not follow values.
  bool fold_by_kernel(int i) {
    const OpInstance& op = program_.ops[i];
    if (op.def->random || op.def->view || op.def->control || op.out.size() != 1) return false;
    TypeInfo& t = plan_.types_[op.out[0]];
    if (is_float(t.dtype) || t.shape.count() > kMaxKnownInts) return false;
    std::vector<Buffer> data;
    std::vector<TensorRef> in;
    for (int v : op.in) {
      if (v < 0) {
        in.emplace_back();
        continue;
      }
      const TypeInfo& s = plan_.types_[v];
      if (!fully_known(s)) return false;
      data.emplace_back(bytes_of(s) + 1);
      for (size_t k = 0; k < s.ints.size(); ++k)
        write_int(data.back().data() + static_cast<int64_t>(k) * item_size(s.dtype), s.dtype, s.ints[k]);
      in.push_back({data.back().data(), s.dtype, true, s.shape});
    }
    Buffer result(bytes_of(t) + 1);
    TensorRef out{result.data(), t.dtype, true, t.shape};
    KernelCall call;
    call.attrs = op.attrs->data();
    call.n_in = static_cast<int>(in.size());
    call.n_out = 1;
    call.in = in.data();
    call.out = &out;
    call.tasks = &pool_tasks;
    const Kernel* kernel = choose(op, call);
    if (!kernel || kernel->pack_input >= 0) return false;
    Buffer workspace(kernel->workspace ? kernel->workspace(call) : 0);
    call.workspace = workspace.data();
    kernel->run(call);
    learn_ints(t, result.data());
    return true;
  }

  const Kernel* choose(const OpInstance& op, const KernelCall& call) const {
    for (const Kernel* k : kernels_for(plan_.isa_, op.def->name))
      if (!k->supports || k->supports(call)) return k;
    return nullptr;
  }

  // ---- which ops run, and when ---------------------------------------------------------------------
  int root(int v) const { return root_[v]; }

  void find_uses() {
    needed_.assign(program_.values.size(), 0);
    for (int v : program_.outputs) needed_[v] = 1;
    for (auto& u : program_.updates) needed_[u.value] = 1;
    alive_.assign(program_.ops.size(), 0);
    for (size_t i = program_.ops.size(); i-- > 0;) {
      const OpInstance& op = program_.ops[i];
      bool used = false;
      for (int v : op.out) used = used || (needed_[v] && folded_[v] < 0);
      if (!used) continue;
      alive_[i] = 1;
      for (int v : op.in)
        if (v >= 0) needed_[v] = 1;
    }
  }

  // Ops that only serve updates go last, so that most updates can be written in place: by then nobody reads
  // the variable any more.
  void order_steps() {
    std::vector<char> early(program_.values.size(), 0);
    for (int v : program_.outputs) early[v] = 1;
    std::vector<int> late;
    for (size_t i = program_.ops.size(); i-- > 0;) {
      if (!alive_[i] || program_.in_prologue(static_cast<int>(i))) continue;
      const OpInstance& op = program_.ops[i];
      bool is_early = !op.def->elementwise;
      for (int v : op.out) is_early = is_early || early[v];
      if (!is_early) {
        late.push_back(static_cast<int>(i));
        continue;
      }
      for (int v : op.in)
        if (v >= 0) early[v] = 1;
    }
    std::set<int> is_late(late.begin(), late.end());
    for (size_t i = 0; i < program_.ops.size(); ++i)
      if (alive_[i] && !skip_[i] && !is_late.count(static_cast<int>(i))) order_.push_back(static_cast<int>(i));
    for (auto it = late.rbegin(); it != late.rend(); ++it)
      if (!skip_[*it]) order_.push_back(*it);
  }

  void make_step(int i) {
    const OpInstance& op = program_.ops[i];
    Step step;
    step.op = i;
    for (int v : op.in) {
      step.in_value.push_back(v);
      step.in.emplace_back();
      if (v >= 0)
        step.in.back() = {nullptr, plan_.types_[v].dtype, true, plan_.types_[v].shape,
                          program_.steady(v) || program_.constant_feed(v)};
    }
    bool empty = true;
    for (int v : op.out) {
      step.out_value.push_back(needed_[v] ? v : -1);
      step.out.push_back({nullptr, plan_.types_[v].dtype, needed_[v] != 0, plan_.types_[v].shape});
      if (needed_[v] && plan_.types_[v].shape.count() > 0) empty = false;
    }
    if (empty) return;  // nothing to compute
    if (op.def->control) {
      step.kernel = control_kernel(op);
      step.bodies = bodies_[i];
      lay_out_control(op, step);
      plan_.steps_.push_back(std::move(step));
      return;
    }
    KernelCall call = describe(step);
    step.kernel = choose(op, call);
    if (!step.kernel) {
      std::string types;
      for (auto& t : step.in)
        if (t.present)
          types += (types.empty() ? "" : ", ") + std::string(dtype_name(t.dtype)) + " " + shape_str(t.shape);
      throw TypeError((op.label.empty() ? "" : op.label + ": ") + "[" + op.def->name + "] no kernel for inputs " +
                      types);
    }
    if (step.kernel->workspace) step.workspace = step.kernel->workspace(call);
    if (step.kernel->pack_input >= 0) {
      step.pack_bytes = step.kernel->packed_bytes(call);
      int source = step.in_value[step.kernel->pack_input];
      if (program_.steady(source)) {
        step.pack_slot = static_cast<int>(plan_.kept_sizes_.size());
        plan_.kept_sizes_.push_back(step.pack_bytes);
        plan_.prologue_bytes_ += align_up(step.pack_bytes);
      }
      step.pack_once = program_.constant_feed(source);
    }
    (program_.in_prologue(i) ? plan_.prologue_steps_ : plan_.steps_).push_back(std::move(step));
  }

  KernelCall describe(const Step& step) const {
    KernelCall call;
    call.attrs = program_.ops[step.op].attrs->data();
    call.n_in = static_cast<int>(step.in.size());
    call.n_out = static_cast<int>(step.out.size());
    call.in = step.in.data();
    call.out = step.out.data();
    call.tasks = &pool_tasks;
    return call;
  }

  // ---- where values live ---------------------------------------------------------------------------
  bool placed(int r) const { return plan_.places_[r].kind != Place::nowhere; }

  void place_outputs() {
    plan_.places_.resize(program_.values.size());
    for (size_t v = 0; v < program_.values.size(); ++v) {
      const Value& value = program_.values[v];
      Place& p = plan_.places_[v];
      if (value.kind == ValueKind::feed) p = {Place::feed, value.index};
      if (value.kind == ValueKind::variable) p = {Place::variable, value.index};
      if (value.kind == ValueKind::constant) p = {Place::constant, value.index};
      if (folded_[v] >= 0) p = {Place::folded, folded_[v]};
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
    made_by_.assign(program_.values.size(), -1);
    last_use_.assign(program_.values.size(), -1);
    for (size_t s = 0; s < plan_.steps_.size(); ++s) {
      for (int v : plan_.steps_[s].out_value)
        if (v >= 0) made_by_[v] = last_use_[v] = static_cast<int>(s);
      for (int v : plan_.steps_[s].in_value)
        if (v >= 0) last_use_[root(v)] = static_cast<int>(s);
    }
    for (size_t k = 0; k < program_.outputs.size(); ++k) {
      int r = root(program_.outputs[k]);
      Place out{Place::output, static_cast<int64_t>(k)};
      if (carried_in_place(static_cast<int>(k))) {
        plan_.places_[r] = {Place::feed, static_cast<int64_t>(k)};
        continue;
      }
      if (!placed(r) && made_by_[r] >= 0) plan_.places_[r] = out;
      else plan_.copies_.push_back({{}, out, bytes_of(plan_.types_[r])}), copy_source_.push_back(r);
    }
  }

  // May state k of a scan's body be written over its old value?
  bool carried_in_place(int k) const {
    const auto& allowed = program_.options.carried_in_place;
    const int r = root(program_.outputs[k]);
    return std::find(allowed.begin(), allowed.end(), k) != allowed.end() && !placed(r) && made_by_[r] >= 0 &&
           direct(r, ValueKind::feed, k);
  }

  void place_updates() {
    for (auto& u : program_.updates) {
      int r = root(u.value);
      Place to{Place::variable, u.variable};
      Variable& variable = *program_.variables[u.variable];
      if (!placed(r) && made_by_[r] >= 0 && direct(r, ValueKind::variable, u.variable) &&
          bytes_of(plan_.types_[r]) == variable.bytes()) {
        plan_.places_[r] = to;
      } else {
        plan_.copies_.push_back({{}, to, variable.bytes()});
        copy_source_.push_back(r);
      }
    }
  }

  // May the step that makes value r write straight over a leaf, a variable or a state's feed? Only when nothing
  // reads the old value afterwards, and the step itself reads it element by element, in the same place.
  bool direct(int r, ValueKind kind, int index) const {
    int maker = made_by_[r];
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
    for (int source : copy_source_)
      if (is_leaf(source, kind, index)) return false;
    for (int v : program_.outputs)
      if (is_leaf(root(v), kind, index)) return false;
    for (auto& u : program_.updates)  // another update that takes this variable's old value
      if (is_leaf(root(u.value), kind, index)) return false;
    return true;
  }

  bool is_leaf(int r, ValueKind kind, int index) const {
    return program_.values[r].kind == kind && program_.values[r].index == index;
  }

  void place_values() {
    const bool poison = poisoning();
    // What must outlive the steps: sources of copies. Old values of variables that are overwritten by other copies
    // are first saved in the arena.
    constexpr int kEnd = 1 << 30;
    for (int r : copy_source_) last_use_[r] = kEnd;
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
          given_.insert(donor);
        } else {
          plan_.places_[v] = {Place::arena, arena_.allocate(bytes_of(plan_.types_[v]))};
        }
      }
      if (step.workspace) {
        step.workspace_offset = arena_.allocate(step.workspace);
        dying.push_back({step.workspace_offset, step.workspace});
      }
      if (step.pack_bytes && step.pack_slot < 0) {
        step.pack_offset = arena_.allocate(step.pack_bytes);
        if (!step.pack_once) dying.push_back({step.pack_offset, step.pack_bytes});
      }
      auto retire = [&](int r) {
        if (last_use_[r] == static_cast<int>(s) && plan_.places_[r].kind == Place::arena && !given_.count(r) &&
            retired_.insert(r).second)
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
    for (size_t c = 0; c < plan_.copies_.size(); ++c) {
      Copy copy = plan_.copies_[c];
      copy.from = plan_.places_[copy_source_[c]];
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

  // An elementwise step reads before it writes tile by tile, but only where all its outputs have one shape, and in
  // `fused_multi` only inside one group.
  bool may_overwrite(const Step& step, size_t input, int output) const {
    const Shape& shape = plan_.types_[output].shape;
    const OpDef& def = *program_.ops[step.op].def;
    if (def.name == "fused_multi") {
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
  int inplace_donor(const Step& step, int s, int v, std::vector<char>& taken) {
    if (!program_.options.reuse) return -1;
    const OpDef& def = *program_.ops[step.op].def;
    const TypeInfo& t = plan_.types_[v];
    for (size_t k = 0; k < step.in_value.size(); ++k) {
      int in = step.in_value[k];
      if (in < 0 || taken[k]) continue;
      bool allowed = def.elementwise ? plan_.types_[in].shape == t.shape && may_overwrite(step, k, v)
                                     : k < 32 && (def.inplace >> k & 1) && v == step.out_value[0];
      int r = root(in);
      if (!allowed || last_use_[r] != s || plan_.places_[r].kind != Place::arena || given_.count(r) ||
          retired_.count(r))
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

  void collect_locks() {
    plan_.locks_ = program_.lock_order();
    for (auto& [v, exclusive] : plan_.locks_)
      if (exclusive) plan_.written_.push_back(v);
  }

  Plan& plan_;
  Program& program_;
  ArenaPlanner arena_;
  std::vector<int> root_, folded_, order_, made_by_, last_use_, copy_source_;
  std::vector<std::vector<std::shared_ptr<Plan>>> bodies_;  // of control ops
  std::vector<char> skip_, needed_, alive_;
  std::set<int> given_, retired_;
};

void bind_plan(Plan& plan) { Binder(plan).bind(); }

}  // namespace hornbeam
