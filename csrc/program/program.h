// A finished graph as plain data: values, and ops over them in the order they run. Nothing in it
// points into Python. bind() turns it into a Plan for concrete input shapes.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/buffer.h"
#include "core/target.h"
#include "ops/op.h"
#include "program/feed.h"
#include "program/locks.h"
#include "program/variable.h"

namespace hornbeam {

class Program;

enum class ValueKind { feed, variable, constant, computed };

struct Value {
  ValueKind kind = ValueKind::computed;
  int index = -1;  // which feed, variable or constant
  DType dtype = DType::float32;
  Shape shape;  // as known before bind
};

struct OpInstance {
  const OpDef* def;
  std::shared_ptr<const Attrs> attrs;
  std::vector<int> in;  // value ids; -1: optional input not given
  std::vector<int> out;
  std::string label;                             // layer it came from, for messages
  std::vector<std::shared_ptr<Program>> bodies;  // of a control op

  // What a kernel of it is told, for as many inputs and outputs as it has. Where they lie, a workspace and a packing
  // are added by whoever has them.
  KernelCall call(const TensorRef* inputs, const TensorRef* outputs) const;
};

struct Update {
  int variable;
  int value;
};

struct Constant {
  Constant(DType dtype, const Shape& shape) : dtype(dtype), shape(shape), data(shape.count() * item_size(dtype) + 1) {}

  const DType dtype;
  const Shape shape;
  const Buffer data;  // on the host

  char* on(Device&) const;  // a copy there, made once

 private:
  mutable std::mutex mutex_;
  mutable std::map<Device*, Buffer> copies_;  // of other devices
};

class Plan;

// A Program in two parts (program/cut.cpp). The feeds of the rest are the Program's own and then the first part's
// outputs; `needed` says for each of all these whether its integers must be known to bind the rest.
struct Cut {
  std::shared_ptr<Program> first, rest;
  std::vector<char> needed;
};
std::shared_ptr<const Cut> cut_program(const Program&, const std::vector<int>& needed);

struct ProgramOptions {
  bool reuse = true;  // share arena ranges between values whose lifetimes do not meet
  // Of a scan's body: feeds from this one on are the same at each step (-1: none), and output i, a state, may be
  // written over feed i.
  int first_constant_feed = -1;
  std::vector<int> carried_in_place;
};

// Integers known of feeds when a plan is bound, by feed; those of which nothing is known are empty.
using FeedInts = std::vector<std::vector<int64_t>>;

class Program {
 public:
  std::vector<Value> values;
  std::vector<OpInstance> ops;
  std::vector<int> feeds;  // value ids
  std::vector<VariablePtr> variables;
  std::vector<std::shared_ptr<const Constant>> constants;
  std::vector<int> outputs;  // value ids
  std::vector<Update> updates;
  std::vector<std::string> feed_names;
  ProgramOptions options;

  // Checks ids and derives what plans share; call once after filling in.
  void finish();

  // The plan for this target and these feed shapes, from the cache or newly bound. Throws ValueError where shapes do
  // not fit, and its kind NeedsValues where they depend on data: then the program runs in two parts.
  std::shared_ptr<Plan> plan_for(const Target&, const std::vector<Shape>& feed_shapes, const FeedInts& feed_ints = {});

  // How it was cut in two, null if it was not; and cut, from then on for all shapes.
  std::shared_ptr<const Cut> cut();
  std::shared_ptr<const Cut> cut(const std::vector<int>& needed);

  LockOrder lock_order() const;
  bool writes(int variable) const { return written_[variable]; }
  // True for ops that depend only on constants and on variables this program does not write: their results
  // are kept until a variable changes.
  bool in_prologue(int op) const { return prologue_op_[op]; }
  bool steady(int value) const { return steady_[value]; }  // constant, unwritten variable, or made of such
  bool has_random() const { return random_; }
  // True for a feed of a scan's body that is the same at each step.
  bool constant_feed(int value) const {
    return options.first_constant_feed >= 0 && values[value].kind == ValueKind::feed &&
           values[value].index >= options.first_constant_feed;
  }
  std::string describe() const;

 private:
  std::vector<char> written_, prologue_op_, steady_;
  bool random_ = false;
  std::mutex mutex_;
  std::list<std::shared_ptr<Plan>> plans_;  // most recent first
  std::shared_ptr<const Cut> cut_;
};

// The elements of an integer or bool tensor.
std::vector<int64_t> integers(DType, const char* data, int64_t count);

// Each line two columns to the right: how a body is printed below its op.
std::string indented(const std::string& text);

}  // namespace hornbeam
