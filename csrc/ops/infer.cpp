// What shape rules have in common.
#include <algorithm>

#include "core/error.h"
#include "core/extent.h"
#include "ops/op.h"

namespace hornbeam {

static const char* const kDTypeNames[kDTypeCount] = {"bool",  "uint8", "int8",    "uint16",  "int16",
                                                     "int32", "int64", "float16", "float32", "float64"};

const char* dtype_name(DType t) { return kDTypeNames[static_cast<int>(t)]; }

DType dtype_from_name(const std::string& name) {
  for (int i = 0; i < kDTypeCount; ++i)
    if (name == kDTypeNames[i]) return static_cast<DType>(i);
  throw TypeError("unsupported dtype '" + name + "'");
}

std::string shape_str(const Shape& s) {
  std::string r = "(";
  for (int i = 0; i < s.rank; ++i) {
    if (i) r += ", ";
    r += s[i] < 0 ? "None" : std::to_string(s[i]);
  }
  return r + (s.rank == 1 ? ",)" : ")");
}

void op_error(const char* op, const std::string& m) { throw ValueError("[" + std::string(op) + "] " + m); }
void op_type_error(const char* op, const std::string& m) { throw TypeError("[" + std::string(op) + "] " + m); }

void want_rank(const char* op, const TypeInfo& t, int rank, const char* what) {
  if (t.shape.rank != rank)
    op_error(op,
             std::string(what) + " must have " + std::to_string(rank) + " dimensions, got shape " + shape_str(t.shape));
}

void want_min_rank(const char* op, const TypeInfo& t, int rank, const char* what) {
  if (t.shape.rank < rank)
    op_error(op, std::string(what) + " must have at least " + std::to_string(rank) + " dimensions, got shape " +
                     shape_str(t.shape));
}

void want_same_dtype(const char* op, const TypeInfo& a, const TypeInfo& b) {
  if (a.dtype != b.dtype)
    op_type_error(op, std::string("inputs have different dtypes, ") + dtype_name(a.dtype) + " and " +
                          dtype_name(b.dtype) + ": cast one of them with K.cast");
}

void want_float(const char* op, const TypeInfo& t) {
  if (!is_float(t.dtype)) op_type_error(op, std::string("needs a floating point input, got ") + dtype_name(t.dtype));
}

int64_t same_dim(const char* op, int64_t a, int64_t b, const char* what) {
  if (a == b || b < 0) return a;
  if (a < 0) return b;
  op_error(op, std::string(what) + " differ: " + std::to_string(a) + " and " + std::to_string(b));
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  Shape r;
  r.rank = std::max(a.rank, b.rank);
  for (int i = 1; i <= r.rank; ++i) {
    int64_t x = i <= a.rank ? a[-i] : 1, y = i <= b.rank ? b[-i] : 1;
    if (x == 1) r[-i] = y;
    else if (y == 1 || x == y) r[-i] = x;
    else if (x < 0 && y < 0) r[-i] = kUnknown;  // either may turn out to be 1
    else if (x < 0) r[-i] = y;                  // must turn out to be y or 1
    else if (y < 0) r[-i] = x;
    else op_error(op, "shapes " + shape_str(a) + " and " + shape_str(b) + " cannot be broadcast together");
  }
  return r;
}

int normal_axis(const char* op, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    op_error(op, "axis " + std::to_string(axis) + " is out of range for a tensor of " + std::to_string(rank) +
                     " dimensions");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

std::vector<StaticInt> shape_argument(const char* op, const TypeInfo& t) {
  if (is_float(t.dtype) || t.shape.rank > 1) op_type_error(op, "a shape argument must be a vector of integers");
  if (t.has_ints) return t.ints;
  int64_t n = t.shape.rank ? t.shape[0] : 1;
  if (n < 0) op_error(op, "the length of a shape argument must be known");
  if (n > kMaxRank) op_error(op, "a shape has at most 8 dimensions, got " + std::to_string(n));
  return std::vector<StaticInt>(n);
}

int64_t size_product(const char* op, int64_t a, int64_t b) {
  int64_t size;
  if (__builtin_mul_overflow(a, b, &size) || size > kMaxBytes)
    op_error(op, "a dimension cannot be " + std::to_string(a) + " times " + std::to_string(b));
  return size;
}

int64_t window_length(int64_t in, int64_t size, int64_t stride, int64_t dilation, Padding padding) {
  if (in < 0) return kUnknown;
  int64_t reach = (size - 1) * dilation + 1;
  if (padding != Padding::valid) return (in + stride - 1) / stride;
  return in < reach ? 0 : (in - reach) / stride + 1;
}

}  // namespace hornbeam
