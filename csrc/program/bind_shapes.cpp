// Binding, the first part: the shape of each value, and the small integer values that are known before a run, as shapes
// are made of them.
#include <algorithm>
#include <cstring>
#include <map>

#include "core/error.h"
#include "core/extent.h"
#include "program/binder.h"

namespace hornbeam {

namespace {

constexpr int64_t kMaxKnownInts = 64;  // integer tensors up to this size have their values followed

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
  const std::vector<int64_t> values = integers(t.dtype, data, t.shape.count());
  t.ints.assign(values.begin(), values.end());
}

// What an unknown dim is, and the input that says so first.
struct Length {
  int64_t length;
  std::string feed;
};

// An unknown dim that several inputs have is one number: shapes are taken from any of them (graph/rewrites/shapes.py).
void same_length(int64_t dim, const Shape& got, int axis, const std::string& name, std::map<int64_t, Length>& lengths) {
  const auto [first, is_new] = lengths.insert({dim, {got[axis], name}});
  if (is_new || first->second.length == got[axis]) return;
  throw ValueError("inputs '" + first->second.feed + "' and '" + name +
                   "' are computed from one another and must have the same length on axis " + std::to_string(axis) +
                   " of '" + name + "', got " + std::to_string(first->second.length) + " and " +
                   std::to_string(got[axis]));
}

bool fully_known(const TypeInfo& t) { return t.has_ints && !is_float(t.dtype) && t.shape.known() && all_known(t.ints); }

}  // namespace

std::vector<int64_t> integers(DType dtype, const char* data, int64_t count) {
  std::vector<int64_t> out(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) out[static_cast<size_t>(i)] = read_int(data + i * item_size(dtype), dtype);
  return out;
}

void Binder::infer() {
  auto& types = plan_.types_;
  types.resize(program_.values.size());
  values_.resize(types.size());
  for (size_t v = 0; v < types.size(); ++v) {
    values_[v].root = static_cast<int>(v);
    const Value& value = program_.values[v];
    types[v] = TypeInfo::of(value.dtype, value.shape);
    if (value.kind == ValueKind::constant) learn_ints(types[v], program_.constants[value.index]->data.data());
  }
  std::map<int64_t, Length> lengths;
  for (size_t f = 0; f < program_.feeds.size(); ++f) {
    TypeInfo& t = types[program_.feeds[f]];
    const Shape& got = plan_.feed_shapes_[f];
    bool fits = got.rank == t.shape.rank;
    for (int d = 0; fits && d < got.rank; ++d) fits = t.shape[d] < 0 || t.shape[d] == got[d];
    if (!fits)
      throw ValueError("input '" + program_.feed_names[f] + "' expects shape " + shape_str(t.shape) + ", got " +
                       shape_str(got));
    if (!is_addressable(t.dtype, got))
      throw ValueError("input '" + program_.feed_names[f] + "' of shape " + shape_str(got) +
                       " has a dimension that no tensor can have");
    for (int d = 0; d < got.rank; ++d)
      if (t.shape[d] < kUnknown) same_length(t.shape[d], got, d, program_.feed_names[f], lengths);
    t.shape = got;
    if (f < plan_.feed_ints_.size() && !plan_.feed_ints_[f].empty()) {
      t.has_ints = true;
      t.ints.assign(plan_.feed_ints_[f].begin(), plan_.feed_ints_[f].end());
    }
  }
  ops_.resize(program_.ops.size());
  std::vector<TypeInfo> in, out;
  for (size_t i = 0; i < program_.ops.size(); ++i) {
    const OpInstance& op = program_.ops[i];
    in.clear();
    out.clear();
    for (int v : op.in) {
      in.push_back(v < 0 ? TypeInfo::absent() : types[v]);
    }
    try {
      if (op.def->bodies) ops_[i].bodies = bind_bodies(plan_.target_, op, in, out);
      else op.def->infer(op.attrs->data(), in, out);
    } catch (const NeedsValues& e) {  // of a body
      throw NeedsValues(e.what(), fed_from(op, e.values));
    } catch (const ValueError& e) {
      throw ValueError(op.label.empty() ? e.what() : op.label + ": " + e.what());
    }
    if (out.size() != op.out.size())
      throw RuntimeError("op '" + op.def->name + "' has " + std::to_string(out.size()) + " outputs");
    bool all_known = !out.empty();
    for (size_t k = 0; k < op.out.size(); ++k) {
      TypeInfo& t = types[op.out[k]] = std::move(out[k]);
      if (!t.shape.known())
        throw NeedsValues(op.label + "[" + op.def->name + "] the shape " + shape_str(t.shape) +
                              " depends on data that is only known while running",
                          unknown_integers(op));
      if (!is_addressable(t.dtype, t.shape))
        throw ValueError((op.label.empty() ? "" : op.label + ": ") + "[" + op.def->name + "] a result of shape " +
                         shape_str(t.shape) + " takes more memory than any machine has");
      all_known = all_known && (fully_known(t) || fold_by_kernel(static_cast<int>(i)));
    }
    const bool view = op.def->view || (op.def->view_if_same && types[op.out[0]].shape == types[op.in[0]].shape);
    if (view) values_[op.out[0]].root = root(op.in[0]);
    if (all_known)
      for (int v : op.out) fold(v);
    ops_[i].skipped = all_known || view;
  }
}

// What a shape can depend on: the small integer inputs that are not known yet.
std::vector<int> Binder::unknown_integers(const OpInstance& op) const {
  std::vector<int> found;
  for (int v : op.in)
    if (v >= 0 && !is_float(plan_.types_[v].dtype) && plan_.types_[v].shape.count() <= kMaxKnownInts &&
        !fully_known(plan_.types_[v]))
      found.push_back(v);
  return found;
}

// The inputs of a control op that its bodies get as those feeds; nothing where a body computes one of the values.
std::vector<int> Binder::fed_from(const OpInstance& op, const std::vector<int>& body_values) const {
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

void Binder::fold(int v) {
  const TypeInfo& t = plan_.types_[v];
  Buffer b(bytes_of(t) + 1);
  for (size_t i = 0; i < t.ints.size(); ++i)
    write_int(b.data() + static_cast<int64_t>(i) * item_size(t.dtype), t.dtype, t.ints[i].value());
  values_[v].folded = static_cast<int>(plan_.folded_.size());
  values_[v].root = v;
  if (!plan_.is_on_host_) {
    Buffer there(b.size(), plan_.device_);
    plan_.device_.copy_in(there.data(), b.data(), b.size());
    b = std::move(there);
  }
  plan_.folded_.push_back(std::move(b));
}

// Small integer results of known integers, for ops whose shape rule does not follow values.
bool Binder::fold_by_kernel(int i) {
  const OpInstance& op = program_.ops[i];
  if (op.def->random || op.def->view || op.def->bodies || op.out.size() != 1) return false;
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
      write_int(data.back().data() + static_cast<int64_t>(k) * item_size(s.dtype), s.dtype, s.ints[k].value());
    in.push_back({data.back().data(), s.dtype, true, s.shape});
  }
  Buffer result(bytes_of(t) + 1);
  TensorRef out{result.data(), t.dtype, true, t.shape};
  KernelCall call = op.call(in.data(), &out);
  const Kernel* kernel = choose(plan_.target_.host_kernels, op, call);
  if (!kernel || kernel->pack_input >= 0) return false;
  Buffer workspace(kernel->workspace ? kernel->workspace(call) : 0);
  call.workspace = workspace.data();
  kernel->run(call);
  learn_ints(t, result.data());
  return true;
}

}  // namespace hornbeam
