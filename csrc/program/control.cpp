// Steps that run Programs of their own: `scan`, its body once per row, and `cond`, one of two bodies. A body is bound
// once for all its runs; its arena is workspace of the step, so a warm run allocates nothing, and only pointers change
// from step to step: rows are read and written where they lie, states alternate between two places.
#include <algorithm>

#include "core/error.h"
#include "core/philox.h"
#include "ops/scan.h"
#include "program/execution.h"

namespace hornbeam {

namespace {

bool is_scan(const OpInstance& op) { return op.def->bodies == 1; }  // a cond has two
const ScanAttrs& scan_attrs(const OpInstance& op) { return *static_cast<const ScanAttrs*>(op.attrs->data()); }

int64_t row_bytes(const TensorRef& t) { return t.shape.count(1, t.shape.rank) * item_size(t.dtype); }

Shape row_of(const Shape& s) {
  Shape row;
  for (int i = 1; i < s.rank; ++i) row.push(s[i]);
  return row;
}

Shape stacked(int64_t rows, const Shape& row) {
  if (row.rank == kMaxRank) throw ValueError("[scan] tensors have at most 8 dimensions");
  Shape s;
  s.push(rows);
  for (int i = 0; i < row.rank; ++i) s.push(row[i]);
  return s;
}

std::shared_ptr<Plan> bind_body(const Target& target, Program& body, const std::vector<const TypeInfo*>& feeds) {
  std::vector<Shape> shapes;
  FeedInts ints;
  for (size_t f = 0; f < feeds.size(); ++f) {
    shapes.push_back(feeds[f]->shape);
    if (!feeds[f]->has_ints || !all_known(feeds[f]->ints)) continue;
    ints.resize(feeds.size());
    for (StaticInt i : feeds[f]->ints) ints[f].push_back(i.value());
  }
  return body.plan_for(target, shapes, ints);
}

std::vector<std::shared_ptr<Plan>> bind_scan(const Target& target, const OpInstance& op,
                                             const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  const ScanAttrs& a = scan_attrs(op);
  std::vector<TypeInfo> rows;
  for (int64_t i = a.states; i < a.states + a.sequences; ++i)
    rows.push_back(TypeInfo::of(in[i].dtype, row_of(in[i].shape)));
  std::vector<const TypeInfo*> feeds;
  std::vector<TypeInfo> states;  // without their values, which hold for the first step only
  for (int64_t i = 0; i < a.states; ++i) states.push_back(TypeInfo::of(in[i].dtype, in[i].shape));
  for (auto& t : states) feeds.push_back(&t);
  for (auto& t : rows) feeds.push_back(&t);
  for (size_t i = static_cast<size_t>(a.constants_from()); i < in.size(); ++i) feeds.push_back(&in[i]);
  auto plan = bind_body(target, *op.bodies[0], feeds);
  const int64_t steps = in[a.states].shape[0];
  for (int64_t i = 0; i < a.states; ++i) {
    const Shape& after = plan->output_shape(static_cast<int>(i));
    if (after != in[i].shape)
      throw ValueError("[scan] state " + std::to_string(i) + " has shape " + shape_str(in[i].shape) +
                       ", but a step makes it " + shape_str(after));
    out.push_back(TypeInfo::of(in[i].dtype, in[i].shape));
  }
  for (size_t k = 0; k < op.bodies[0]->outputs.size(); ++k)
    out.push_back(
        TypeInfo::of(plan->output_dtype(static_cast<int>(k)), stacked(steps, plan->output_shape(static_cast<int>(k)))));
  return {plan};
}

std::vector<std::shared_ptr<Plan>> bind_cond(const Target& target, const OpInstance& op,
                                             const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  std::vector<const TypeInfo*> feeds;
  for (size_t i = 1; i < in.size(); ++i) feeds.push_back(&in[i]);
  std::vector<std::shared_ptr<Plan>> plans;
  for (auto& body : op.bodies) plans.push_back(bind_body(target, *body, feeds));
  for (size_t k = 0; k < op.bodies[0]->outputs.size(); ++k) {
    const Shape &then = plans[0]->output_shape(static_cast<int>(k)),
                &other = plans[1]->output_shape(static_cast<int>(k));
    if (then != other)
      throw ValueError("[cond] one branch gives shape " + shape_str(then) + ", the other " + shape_str(other));
    out.push_back(TypeInfo::of(plans[0]->output_dtype(static_cast<int>(k)), then));
  }
  return plans;
}

}  // namespace

std::vector<std::shared_ptr<Plan>> bind_bodies(const Target& target, const OpInstance& op,
                                               const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  op.def->infer(op.attrs->data(), in, out);
  return is_scan(op) ? bind_scan(target, op, in, out) : bind_cond(target, op, in, out);
}

int control_input(const OpInstance& op, int feed) {
  if (!is_scan(op)) return feed + 1;
  const ScanAttrs& a = scan_attrs(op);
  return feed < a.states + a.sequences ? -1 : feed + static_cast<int>(a.first_rows());
}

const Kernel* control_kernel(const OpInstance& op) {
  static const Kernel scan{"scan", "body per step"}, cond{"cond", "one body"};
  return is_scan(op) ? &scan : &cond;
}

// `scratch` of a scan: two places per state, of which the first is the output itself where that is read, and one row
// for each stacked output that nobody reads; of a cond: a place for each output that nobody reads. -1 where not needed.
void lay_out_control(const OpInstance& op, Step& step) {
  int64_t size = 0;
  for (auto& body : step.bodies) size = std::max(size, align_up(body->arena_bytes()));
  auto take = [&](int64_t bytes) {
    const int64_t at = size;
    size += align_up(bytes > 0 ? bytes : 1);
    return at;
  };
  if (is_scan(op)) {
    const size_t states = static_cast<size_t>(scan_attrs(op).states);
    for (size_t i = 0; i < states; ++i) {
      const bool kept = step.out[states + i].present;  // then each step writes its own row
      step.scratch.push_back(kept || step.out[i].present ? -1 : take(step.in[i].bytes()));
      step.scratch.push_back(kept ? -1 : take(step.in[i].bytes()));
    }
    for (size_t k = 2 * states; k < step.out.size(); ++k)
      step.scratch.push_back(step.out[k].present ? -1 : take(row_bytes(step.out[k])));
  } else {
    for (auto& out : step.out) step.scratch.push_back(out.present ? -1 : take(out.bytes()));
  }
  step.workspace = size;
}

bool Plan::carried_in_place(int state) const {
  const Place& p = places_[program_.outputs[state]];
  return p.kind == Place::feed && p.offset == state;
}

void Plan::run_control(Execution& e, size_t s) {
  if (is_scan(program_.ops[steps_[s].op])) run_scan(e, s);
  else run_cond(e, s);
}

int64_t Plan::scan_length(const Step& step) const {
  return step.in[static_cast<size_t>(scan_attrs(program_.ops[step.op]).states)].shape[0];
}

void Plan::run_scan(Execution& e, size_t s) {
  const Step& step = steps_[s];
  const KernelCall& call = e.calls[s];
  const ScanAttrs& a = scan_attrs(program_.ops[step.op]);
  Plan& body = *step.bodies[0];
  Execution& inner = *e.bodies[s][0];
  const size_t states = static_cast<size_t>(a.states), sequences = static_cast<size_t>(a.sequences);
  const int64_t steps = scan_length(step);
  auto data = [](const TensorRef& t) { return static_cast<char*>(t.data); };

  for (size_t f = states + sequences; f < inner.feeds.size(); ++f)
    inner.feeds[f] = data(call.in[f + static_cast<size_t>(a.first_rows())]);
  body.patch_feeds(inner, inner.varying_patches, inner.feed_patches.size());
  if (steps > 0)
    for (size_t k = 0; k < body.steps_.size(); ++k)
      if (body.steps_[k].pack_once)
        device_.pack(*body.steps_[k].kernel, inner.calls[k], inner.arena + body.steps_[k].pack_offset);

  auto place = [&](size_t i, int which) {  // where a state that is not stacked may lie
    const int64_t at = step.scratch[2 * i + static_cast<size_t>(which)];
    return at < 0 ? data(call.out[i]) : call.workspace + at;
  };
  for (size_t i = 0; i < states; ++i) {
    inner.feeds[i] = data(call.in[i]);
    if (!call.out[states + i].present && body.carried_in_place(static_cast<int>(i))) {
      if (inner.feeds[i] != place(i, 0)) device_.copy(place(i, 0), inner.feeds[i], call.in[i].bytes());
      inner.feeds[i] = place(i, 0);
    }
  }
  for (int64_t k = 0; k < steps; ++k) {
    const int64_t t = a.reverse ? steps - 1 - k : k;
    inner.info = {e.info.run, philox_path(e.info.path, static_cast<uint64_t>(t)), e.info.device_run};
    for (size_t i = 0; i < states; ++i) {
      const TensorRef& kept = call.out[states + i];
      if (kept.present) inner.outputs[i] = data(kept) + t * row_bytes(kept);
      else if (body.carried_in_place(static_cast<int>(i))) inner.outputs[i] = const_cast<char*>(inner.feeds[i]);
      else inner.outputs[i] = place(i, (steps - 1 - k) % 2);  // so that the last step writes the result's own place
    }
    size_t first = states + sequences;
    for (size_t j = 0; j < sequences; ++j) {
      const TensorRef& sequence = call.in[states + j];
      const int64_t shift = a.shifts.value[j], row = t + shift;
      const bool inside = row >= 0 && row < steps;
      inner.feeds[states + j] = inside ? data(sequence) + row * row_bytes(sequence) : data(call.in[first]);
      first += shift != 0;
    }
    for (size_t y = states; y < inner.outputs.size(); ++y) {
      const TensorRef& out = call.out[states + y];
      const int64_t spare = step.scratch[states + y];
      inner.outputs[y] = out.present ? data(out) + t * row_bytes(out) : call.workspace + spare;
    }
    body.patch_feeds(inner, 0, inner.varying_patches);
    body.patch_outputs(inner);
    body.run_steps(inner);
    for (size_t i = 0; i < states; ++i) inner.feeds[i] = inner.outputs[i];
  }
  for (size_t i = 0; i < states; ++i)
    if (call.out[i].present && data(call.out[i]) != inner.feeds[i])
      device_.copy(data(call.out[i]), inner.feeds[i], call.in[i].bytes());
}

void Plan::run_cond(Execution& e, size_t s) {
  const Step& step = steps_[s];
  const KernelCall& call = e.calls[s];
  uint8_t condition;
  device_.copy_out(&condition, call.in[0].data, 1);
  const size_t taken = condition ? 0 : 1;
  Plan& body = *step.bodies[taken];
  Execution& inner = *e.bodies[s][taken];
  inner.info = e.info;
  for (size_t f = 0; f < inner.feeds.size(); ++f) inner.feeds[f] = static_cast<const char*>(call.in[f + 1].data);
  for (size_t k = 0; k < inner.outputs.size(); ++k)
    inner.outputs[k] = step.scratch[k] < 0 ? static_cast<char*>(call.out[k].data) : call.workspace + step.scratch[k];
  body.patch_feeds(inner, 0, inner.feed_patches.size());
  body.patch_outputs(inner);
  body.run_steps(inner);
}

}  // namespace hornbeam
