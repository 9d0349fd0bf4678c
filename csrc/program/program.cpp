#include "program/program.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/thread_pool.h"
#include "program/plan.h"

namespace hornbeam {

// Plans kept per program, and the bytes their arenas may hold together; the most recent always stays.
static constexpr size_t kMaxPlans = 64;
static constexpr int64_t kMaxPlanBytes = int64_t{4} << 30;

KernelCall OpInstance::call(const TensorRef* inputs, const TensorRef* outputs) const {
  KernelCall call;
  call.attrs = attrs->data();
  call.n_in = static_cast<int32_t>(in.size());
  call.n_out = static_cast<int32_t>(out.size());
  call.in = inputs;
  call.out = outputs;
  call.tasks = &pool_tasks;
  return call;
}

void Program::finish() {
  const int n = static_cast<int>(values.size());
  std::vector<char> made(n, 0);
  for (int v = 0; v < n; ++v) made[v] = values[v].kind != ValueKind::computed;
  written_.assign(variables.size(), 0);
  for (auto& u : updates) written_.at(u.variable) = 1;
  steady_.assign(n, 0);
  for (int v = 0; v < n; ++v)
    steady_[v] =
        values[v].kind == ValueKind::constant || (values[v].kind == ValueKind::variable && !written_[values[v].index]);
  prologue_op_.assign(ops.size(), 0);
  for (size_t i = 0; i < ops.size(); ++i) {
    bool random = ops[i].def->random;
    for (auto& body : ops[i].bodies) random = random || body->has_random();
    bool all_steady = !random && !ops[i].def->bodies;
    const OpDef& def = *ops[i].def;
    def.check_inputs(static_cast<int>(ops[i].in.size()), [&](int k) { return ops[i].in[k] >= 0; });
    while (def.is_optional(static_cast<int>(ops[i].in.size()))) ops[i].in.push_back(-1);
    if (def.outputs >= 0 && static_cast<int>(ops[i].out.size()) != def.outputs)
      throw RuntimeError("op '" + def.name + "' has " + std::to_string(def.outputs) + " outputs");
    if (static_cast<int>(ops[i].bodies.size()) != def.bodies)
      throw RuntimeError("op '" + def.name + "' has " + std::to_string(def.bodies) + " bodies");
    for (int v : ops[i].in) {
      if (v < -1 || v >= n || (v >= 0 && !made[v]))
        throw RuntimeError("op '" + ops[i].def->name + "' reads a value that is not made yet");
      if (v >= 0) all_steady = all_steady && steady_[v];
    }
    for (int v : ops[i].out) {
      if (v < 0 || v >= n || made[v]) throw RuntimeError("op '" + ops[i].def->name + "' writes a wrong value");
      made[v] = 1;
      steady_[v] = all_steady;
    }
    prologue_op_[i] = all_steady;
    random_ = random_ || random;
  }
  for (int v : outputs)
    if (v < 0 || v >= n || !made[v]) throw RuntimeError("a program output is not made by any op");
  for (auto& u : updates)
    if (u.value < 0 || u.value >= n || !made[u.value]) throw RuntimeError("an update's value is not made by any op");
}

char* Constant::on(Device& device) const {
  if (device.is_host()) return data.data();
  std::lock_guard<std::mutex> lock(mutex_);
  Buffer& copy = copies_[&device];
  if (!copy.data()) {
    Buffer there(data.size(), device);
    device.copy_in(there.data(), data.data(), data.size());
    copy = std::move(there);
  }
  return copy.data();
}

std::shared_ptr<Plan> Program::plan_for(const Target& target, const std::vector<Shape>& shapes, const FeedInts& ints) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = plans_.begin(); it != plans_.end(); ++it)
    if (&(*it)->target() == &target && (*it)->feed_shapes() == shapes && (*it)->feed_ints() == ints) {
      if (it != plans_.begin()) plans_.splice(plans_.begin(), plans_, it);
      return plans_.front();
    }
  plans_.push_front(std::make_shared<Plan>(*this, shapes, ints, target));
  int64_t bytes = 0;
  size_t kept = 0;
  for (auto it = plans_.begin(); it != plans_.end(); ++kept) {
    bytes += (*it)->arena_bytes();
    if (kept > 0 && (kept >= kMaxPlans || bytes > kMaxPlanBytes)) it = plans_.erase(it);
    else ++it;
  }
  return plans_.front();
}

std::shared_ptr<const Cut> Program::cut() {
  std::lock_guard<std::mutex> lock(mutex_);
  return cut_;
}

std::shared_ptr<const Cut> Program::cut(const std::vector<int>& needed) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!cut_) cut_ = cut_program(*this, needed);
  return cut_;
}

LockOrder Program::lock_order() const {
  std::set<int> used;
  for (auto& value : values)
    if (value.kind == ValueKind::variable) used.insert(value.index);
  for (auto& u : updates) used.insert(u.variable);
  LockOrder order;
  for (int v : used) order.push_back({v, writes(v)});
  std::sort(order.begin(), order.end(),
            [&](auto& a, auto& b) { return variables[a.first].get() < variables[b.first].get(); });
  return order;
}

std::string indented(const std::string& text) {
  std::string out = "  ";
  for (size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\n' && i + 1 < text.size()) out += "  ";
  }
  return out;
}

std::string Program::describe() const {
  std::ostringstream os;
  auto value = [&](int v) {
    if (v < 0) return std::string("-");
    static const char* const prefix[] = {"feed", "var", "const", "%"};
    return prefix[static_cast<int>(values[v].kind)] +
           std::to_string(values[v].kind == ValueKind::computed ? v : values[v].index);
  };
  for (size_t i = 0; i < ops.size(); ++i) {
    for (size_t k = 0; k < ops[i].out.size(); ++k) os << (k ? ", " : "") << value(ops[i].out[k]);
    os << " = " << ops[i].def->name << '(';
    for (size_t k = 0; k < ops[i].in.size(); ++k) os << (k ? ", " : "") << value(ops[i].in[k]);
    os << ')';
    std::string attrs = ops[i].attrs->str();
    if (!attrs.empty()) os << " {" << attrs << '}';
    if (prologue_op_[i]) os << "  [prologue]";
    os << '\n';
    for (auto& body : ops[i].bodies) os << indented(body->describe());
  }
  for (size_t k = 0; k < outputs.size(); ++k) os << "output " << k << " = " << value(outputs[k]) << '\n';
  for (auto& u : updates) os << "var" << u.variable << " <- " << value(u.value) << '\n';
  return os.str();
}

}  // namespace hornbeam
