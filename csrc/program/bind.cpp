// Binding, the middle part: which ops run, in which order, and by which kernel.
#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/host_step.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "program/binder.h"

namespace hornbeam {

void bind_plan(Plan& plan) {
  num_threads();  // decides it here, where a wrong HORNBEAM_NUM_THREADS can be an error
  Binder(plan).bind();
}

void Binder::bind() {
  infer();
  find_uses();
  order_steps();
  for (size_t i = 0; i < order_.size(); ++i) {
    if (i == early_ops_) tail_ = plan_.steps_.size();
    make_step(order_[i]);
  }
  if (early_ops_ == order_.size()) tail_ = plan_.steps_.size();
  place_outputs();
  place_updates();
  place_values();
  plan_.arena_bytes_ = arena_.size();
  plan_.locks_ = program_.lock_order();
  for (auto& [v, exclusive] : plan_.locks_)
    if (exclusive) plan_.written_.push_back(v);
}

void Binder::find_uses() {
  for (int v : program_.outputs) values_[v].needed = true;
  for (auto& u : program_.updates) values_[u.value].needed = true;
  for (size_t i = program_.ops.size(); i-- > 0;) {
    const OpInstance& op = program_.ops[i];
    bool used = false;
    for (int v : op.out) used = used || (values_[v].needed && values_[v].folded < 0);
    if (!used) continue;
    ops_[i].alive = true;
    for (int v : op.in)
      if (v >= 0) values_[v].needed = true;
  }
}

// Ops that only serve updates go last, so that most updates can be written in place: by then nobody reads the variable
// any more, and all that takes long is done.
void Binder::order_steps() {
  std::vector<char> early(program_.values.size(), 0);
  for (int v : program_.outputs) early[v] = 1;
  std::vector<int> late;
  for (size_t i = program_.ops.size(); i-- > 0;) {
    if (!ops_[i].alive || program_.in_prologue(static_cast<int>(i))) continue;
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
    if (ops_[i].alive && !ops_[i].skipped && !is_late.count(static_cast<int>(i))) order_.push_back(static_cast<int>(i));
  early_ops_ = order_.size();
  for (auto it = late.rbegin(); it != late.rend(); ++it)
    if (!ops_[*it].skipped) order_.push_back(*it);
}

void Binder::make_step(int i) {
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
    step.out_value.push_back(values_[v].needed ? v : -1);
    step.out.push_back({nullptr, plan_.types_[v].dtype, values_[v].needed, plan_.types_[v].shape});
    if (values_[v].needed && plan_.types_[v].shape.count() > 0) empty = false;
  }
  if (empty) return;  // nothing to compute
  if (op.def->bodies) {
    step.kernel = control_kernel(op);
    step.bodies = ops_[i].bodies;
    lay_out_control(op, step);
    for (auto& body : step.bodies) plan_.bytes_on_host_ = std::max(plan_.bytes_on_host_, body->bytes_on_host_);
    plan_.steps_.push_back(std::move(step));
    return;
  }
  const KernelCall call = op.call(step.in.data(), step.out.data());
  step.kernel = choose(plan_.target_.kernels, op, call);
  if (!step.kernel && !plan_.is_on_host_) {
    step.kernel = choose(plan_.target_.host_kernels, op, call);
    if (step.kernel) step.bytes_on_host = HostStep(*step.kernel, call, nullptr).bytes();
    plan_.bytes_on_host_ = std::max(plan_.bytes_on_host_, step.bytes_on_host);
  }
  if (!step.kernel) {
    std::string types;
    for (auto& t : step.in)
      if (t.present) types += (types.empty() ? "" : ", ") + std::string(dtype_name(t.dtype)) + " " + shape_str(t.shape);
    throw TypeError((op.label.empty() ? "" : op.label + ": ") + "[" + op.def->name + "] no kernel for inputs " + types);
  }
  if (step.kernel->workspace && !step.bytes_on_host) step.workspace = step.kernel->workspace(call);
  if (step.kernel->pack_input >= 0 && !step.bytes_on_host) {
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

const Kernel* Binder::choose(const KernelTable& kernels, const OpInstance& op, const KernelCall& call) const {
  for (const Kernel* k : kernels_for(kernels, op.def->name))
    if (!k->supports || k->supports(call)) return k;
  return nullptr;
}

}  // namespace hornbeam
