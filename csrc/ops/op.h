// What an op is: its name, attributes and shape rule. csrc/ops/<family>.cpp registers the ops of one
// family; csrc/cpu/<family>.cpp and csrc/cuda/<family>.cu run them.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/shape.h"
#include "ops/attrs.h"

namespace hornbeam {

// What is known of an integer before it is computed: its value; or that it is the size of a certain unknown dim
// (core/shape.h), as K.shape(x)[0] is x's batch size, whatever that is; or nothing.
class StaticInt {
 public:
  StaticInt() = default;  // nothing
  StaticInt(int64_t value) : number_(value), known_(true) {}
  static StaticInt of_dim(int64_t dim) {
    StaticInt i;
    i.number_ = dim;
    i.known_ = dim >= 0;
    return i;
  }

  bool is_known() const { return known_; }
  bool is(int64_t value) const { return known_ && number_ == value; }
  int64_t value() const { return number_; }  // of a known one
  int64_t dim() const { return number_; }    // what a dim made of it is: kUnknown where nothing is known
  bool is_nothing() const { return !known_ && number_ == kUnknown; }

 private:
  int64_t number_ = kUnknown;
  bool known_ = false;
};

inline bool all_known(const std::vector<StaticInt>& ints) {
  for (const StaticInt& i : ints)
    if (!i.is_known()) return false;
  return true;
}

// What is known of a value before it is computed. An absent optional input has present == false.
struct TypeInfo {
  DType dtype = DType::float32;
  Shape shape;
  bool present = true;
  bool has_ints = false;        // of integers something is known at this point
  std::vector<StaticInt> ints;  // then: one per element

  static TypeInfo of(DType t, const Shape& s) {
    TypeInfo i;
    i.dtype = t;
    i.shape = s;
    return i;
  }
  static TypeInfo absent() {
    TypeInfo i;
    i.present = false;
    return i;
  }
};

using AttrValue = std::variant<int64_t, double, bool, std::string, std::vector<int64_t>, std::vector<double>>;
using AttrMap = std::vector<std::pair<std::string, AttrValue>>;

// The attribute struct of one op instance, type-erased; its bytes are what kernels read.
class Attrs {
 public:
  virtual ~Attrs() = default;
  virtual const void* data() const = 0;
  virtual uint64_t hash() const = 0;
  virtual std::string str() const = 0;
};

struct OpDef;
using InferFn = std::function<void(const void* attrs, const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out)>;

struct OpDef {
  std::string name;
  std::string family;
  std::vector<std::string> inputs;     // their names; that of the last stands for all that follow, if there are more
  uint32_t optional = 0;               // bit i: input i may be absent
  int min_inputs = 0, max_inputs = 0;  // max_inputs < 0: any number
  int outputs = 1;                     // < 0: as many as infer says
  InferFn infer;                       // gets absent inputs, too, those at the end that a caller left out among them
  std::unique_ptr<Attrs> (*parse)(const AttrMap&) = nullptr;
  bool view = false;          // output 0 is input 0's bytes under another shape; never runs
  bool view_if_same = false;  // so where output 0 and input 0 have one shape
  bool of_shapes = false;     // its result follows from its inputs' shapes alone
  bool internal = false;      // made by rewrites or for measurements: neither a formula nor a file may name it
  // A program of the elementwise interpreter (ops/elementwise.h). Each tile reads all its inputs before
  // it writes, so any output may be written over any input of `overwritten` that has its shape and item size and
  // dies here, provided that all outputs that are read have one shape.
  bool elementwise = false;
  bool grouped = false;  // one of FusedMultiAttrs: that holds inside each group, whose scalars are never written over
  bool random = false;   // never folded, merged or remembered
  int bodies = 0;        // how many Programs it runs itself: program/control.cpp
  // Its kernels move items and never compute with them: float16 as any other dtype. What computes with float16 is
  // given float32 by the graph's rewrites (graph/rewrites/half.py), unless it is elementwise.
  bool moves = false;
  // Whether the attribute `activation` is applied to output 0: an elementwise op behind this one may move into it.
  bool epilogue = false;
  int bias = -1;  // the input of that name, which is added to each row of output 0
  // The input whose columns make those of output 0, so that a factor for each may be multiplied into it before.
  int columns = -1;

  // Sets of inputs, a bit each; that of the last named one stands for all that follow.
  uint32_t overwritten = 0;     // output 0 may be written over it if it has the same element count and item size and
                                // dies here
  uint32_t sizes = 0;           // its values say how large something is
  uint32_t linear = 0;          // zeros in it make zeros of all results, whatever the other inputs are
  uint32_t jointly_linear = 0;  // so zeros in all of these
  uint32_t neutral = 0;  // where it is `neutral_value` everywhere, the op gives back the other one of its two inputs
  double neutral_value = 0;

  bool has(uint32_t set, int input) const {
    const int last = static_cast<int>(inputs.size()) - 1;
    return set >> (input < last ? input : last) & 1;
  }
  bool is_optional(int input) const { return input < 32 && optional >> input & 1; }

  // What an op states beside its shape rule, as csrc/ops/<family>.cpp writes it down; inputs by name: "dy, w".
  OpDef& writes_over(const char* names) { return overwritten |= set_of(names), *this; }
  OpDef& sized_by(const char* names) { return sizes |= set_of(names), *this; }
  OpDef& linear_in(const char* names) { return linear |= set_of(names), *this; }
  OpDef& linear_together_in(const char* names) { return jointly_linear |= set_of(names), *this; }
  OpDef& neutral_at(const char* names, double value) { return neutral |= set_of(names), neutral_value = value, *this; }
  OpDef& only_moves() { return moves = true, *this; }
  OpDef& applies_activation() { return epilogue = true, *this; }
  OpDef& columns_from(const char* name);
  OpDef& made_by_rewrites() { return internal = true, *this; }

  // Throws TypeError where the op cannot have `n` inputs, and ValueError (TypeError of an elementwise op) where one
  // that is not optional is absent; `present(i)` says whether input i is there.
  template <class F> void check_inputs(int n, F present) const {
    if (n < min_inputs || (max_inputs >= 0 && n > max_inputs)) refuse_count(n);
    for (int i = 0; i < n; ++i)
      if (!present(i) && !is_optional(i)) refuse_absent(i);
  }

 private:
  uint32_t set_of(const char* names) const;
  [[noreturn]] void refuse_count(int n) const;
  [[noreturn]] void refuse_absent(int input) const;
};

class OpRegistry {
 public:
  static OpRegistry& get();
  const OpDef* find(const std::string& name) const;  // null if unknown
  const OpDef& at(const std::string& name) const;    // throws ValueError naming near misses
  std::vector<std::string> names() const;

  // Adds an op whose attributes are A. `inputs` names them as docs/ops.md does: "x, w, bias?", where ? marks an
  // optional one, "..." a last one of which there may be any number, and "...?" none, too. infer(const A&, inputs,
  // outputs).
  template <class A, class F>
  OpDef& add(const std::string& name, const char* inputs, int outputs, F infer);
  OpDef& named(const std::string& name) { return *ops_.at(name); }  // to add to what it states

 private:
  static void name_inputs(OpDef& def, const std::string& list);
  OpDef& insert(OpDef def);
  std::unordered_map<std::string, std::unique_ptr<OpDef>> ops_;
  std::vector<std::string> order_;
};

// ---- helpers for shape rules (ops/infer.cpp) ------------------------------------------------------
std::string shape_str(const Shape&);  // "(None, 3)"
const char* dtype_name(DType);
DType dtype_from_name(const std::string&);  // throws TypeError
// Throws ValueError "[op] message".
[[noreturn]] void op_error(const char* op, const std::string& message);
[[noreturn]] void op_type_error(const char* op, const std::string& message);
void want_rank(const char* op, const TypeInfo&, int rank, const char* what);
void want_min_rank(const char* op, const TypeInfo&, int rank, const char* what);
void want_same_dtype(const char* op, const TypeInfo& a, const TypeInfo& b);
void want_float(const char* op, const TypeInfo&);
// Merges two dims that must agree (unknown agrees with all); throws otherwise. Shape rules hand on
// unknown dims as they are, see core/shape.h.
int64_t same_dim(const char* op, int64_t a, int64_t b, const char* what);
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);
// Normalises a possibly negative axis; throws when out of range.
int normal_axis(const char* op, int64_t axis, int rank);
// The elements of a shape argument, e.g. reshape's second input; their number must be known.
std::vector<StaticInt> shape_argument(const char* op, const TypeInfo&);
// a * b, of sizes that are not negative. Throws where no tensor is so large.
int64_t size_product(const char* op, int64_t a, int64_t b);
// Output length of a window op ('valid', 'same', 'causal'), kUnknown for unknown input.
int64_t window_length(int64_t in, int64_t size, int64_t stride, int64_t dilation, Padding);

}  // namespace hornbeam

#include "ops/attrs_impl.h"
