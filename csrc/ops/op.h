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

constexpr int64_t kUnknownValue = INT64_MIN;  // one unknown element among known integer values

// Some unknown elements are known to be a certain unknown dim (core/shape.h): K.shape(x)[0] is x's batch size, whatever
// that is. They lie just above kUnknownValue, and make that dim again where a shape is built from them.
inline bool is_unknown(int64_t value) { return value < INT64_MIN / 2; }
inline int64_t value_of_dim(int64_t dim) {
  return dim >= 0 ? dim : dim == kUnknown ? kUnknownValue : kUnknownValue - dim;
}
inline int64_t dim_of_value(int64_t value) {
  return !is_unknown(value) ? value : value == kUnknownValue ? kUnknown : kUnknownValue - value;
}

// What is known of a value before it is computed. An absent optional input has present == false.
struct TypeInfo {
  DType dtype = DType::float32;
  Shape shape;
  bool present = true;
  bool has_ints = false;      // integer values known (all or some) at this point
  std::vector<int64_t> ints;  // then: one per element, some may be is_unknown()

  static TypeInfo of(DType t, const Shape& s) {
    TypeInfo i;
    i.dtype = t;
    i.shape = s;
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
  int min_inputs = 0, max_inputs = 0;  // max_inputs < 0: any number
  int outputs = 1;                     // < 0: as many as infer says
  InferFn infer;
  std::unique_ptr<Attrs> (*parse)(const AttrMap&) = nullptr;
  bool view = false;          // output 0 is input 0's bytes under another shape; never runs
  bool view_if_same = false;  // so where output 0 and input 0 have one shape
  // A program of the elementwise interpreter (ops/elementwise.h). Each tile reads all its inputs before
  // it writes, so any output may be written over any input that has its element count and item size and
  // dies here, provided that all outputs that are read have one shape; in `fused_multi` this holds
  // inside each group, whose scalars are never written over.
  bool elementwise = false;
  bool random = false;   // never folded, merged or remembered
  bool control = false;  // runs Programs of its own, its bodies: program/control.cpp
  // Its kernels move items and never compute with them: float16 as any other dtype. What computes with float16 is
  // given float32 by the graph's rewrites (graph/rewrites/half.py), unless it is elementwise.
  bool moves = false;
  // bit i set: output 0 may be written over input i if that has the same element count and item size and
  // dies here
  uint32_t inplace = 0;
};

class OpRegistry {
 public:
  static OpRegistry& get();
  const OpDef* find(const std::string& name) const;  // null if unknown
  const OpDef& at(const std::string& name) const;    // throws ValueError naming near misses
  std::vector<std::string> names() const;

  // Adds an op whose attributes are A. infer(const A&, inputs, outputs).
  template <class A, class F>
  OpDef& add(const std::string& name, int min_inputs, int max_inputs, int outputs, F infer);

 private:
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
// Integer values of a shape argument, e.g. reshape's second input; known element count required.
// Some elements may be is_unknown(); dim_of_value() makes dims of them.
std::vector<int64_t> shape_argument(const char* op, const TypeInfo&);
// Output length of a window op ('valid', 'same', 'causal'), kUnknown for unknown input.
int64_t window_length(int64_t in, int64_t size, int64_t stride, int64_t dilation, Padding);
// Left padding that goes with it ('same' pads the extra cell at the end, as TensorFlow does).
int64_t window_pad_before(int64_t in, int64_t out, int64_t size, int64_t stride, int64_t dilation, Padding);

}  // namespace hornbeam

#include "ops/attrs_impl.h"
