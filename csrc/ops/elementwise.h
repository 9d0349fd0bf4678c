// Elementwise ops and the register programs of `fused` and `fused_multi`.
//
// A program numbers its values: the inputs first, then the constants, then the result of each
// instruction in order. `code` is a flat list of instructions: the opcode, then as many value numbers as
// its arity says, all of them smaller than the number of its own result. `outputs` names the values that
// are written. Everything is computed in one dtype, `dtype` (float32, float64, int32 or int64): inputs of
// other dtypes are converted when loaded, outputs to their entry of `out_dtypes` when stored, and truth
// is 1 or 0. So a run of ops may be fused without changing a bit of its results if each of its values
// has that dtype or is bool; float16 and the narrow integers round or wrap after every op, and may only
// stand at the ends of a program.
//
// A value's shape is the broadcast of what it depends on. `fused_multi` runs one program over n_groups
// groups of tensors: its inputs are n_shared scalars, then the inputs of group 0, of group 1, ..., its
// outputs those of group 0, of group 1, ...; inside a group every input is a scalar or has the group's
// shape. The program's inputs are the shared scalars, then one group's.
//
// `fused_rows` runs a program whose first input is mostly zeros, and is never made: what `sum_rows` (ops/index.h)
// gives of it stands for it, the rows that are something and for each row its place among them, or -1. All
// outputs have its shape.
#pragma once
#include "ops/attrs.h"
#include "ops/elementwise_list.h"

namespace hornbeam {

enum class Opcode : int32_t {
#define HB_X(name, arity, domain, result) name,
  HB_ELEMENTWISE(HB_X)
#undef HB_X
};

struct Instruction {
  const char* name;
  int32_t arity;
  bool floating;  // takes floats only
  bool boolean;   // gives truth
};
namespace detail {
constexpr bool number = false, floating = true, same = false, boolean = true;
#define HB_X(name, arity, domain, result) {#name, arity, domain, result},
constexpr Instruction instruction_list[] = {HB_ELEMENTWISE(HB_X)};
#undef HB_X
}  // namespace detail
constexpr const Instruction* kInstructions = detail::instruction_list;  // by opcode
constexpr int kOpcodes = sizeof(detail::instruction_list) / sizeof(Instruction);

constexpr int kMaxFusedInputs = 32, kMaxFusedOutputs = 16, kMaxFusedConstants = 64, kMaxFusedInstructions = 128;

struct FusedAttrs {
  InlineList<int32_t, 4 * kMaxFusedInstructions> code;
  InlineList<double, kMaxFusedConstants> constants;
  InlineList<int32_t, kMaxFusedOutputs> outputs;
  InlineList<int32_t, kMaxFusedOutputs> out_dtypes;  // numbers of DType
  DType dtype = DType::float32;
  HB_FIELDS(HB_F(code) HB_F(constants) HB_F(outputs) HB_F(out_dtypes) HB_F(dtype))
};

struct FusedMultiAttrs {
  FusedAttrs program;
  int64_t n_shared = 0, n_groups = 0;
  template <class V> void fields(V& visit) {
    program.fields(visit);
    HB_F(n_shared) HB_F(n_groups)
  }
};

struct EluAttrs {
  double alpha = 1;
  HB_FIELDS(HB_F(alpha))
};

struct CastAttrs {
  DType dtype = DType::float32;
  HB_FIELDS(HB_F(dtype))
};

// A program of n_in inputs as a kernel reads it.
struct Formula {
  const int32_t* code;
  int32_t code_size;
  const double* constants;
  int32_t n_constants;
  const int32_t* outputs;  // value numbers
  int32_t n_in, n_out;
};
constexpr int kMaxFusedValues = kMaxFusedInputs + kMaxFusedConstants + kMaxFusedInstructions;

HB_INLINE Formula formula_of(const FusedAttrs& a, int32_t n_in) {
  return {a.code.value, a.code.size, a.constants.value, a.constants.size, a.outputs.value, n_in, a.outputs.size};
}

// How an input of shape `in` covers a result of shape `out`: innermost dim first, dims of 1 left out and dims that step
// alike merged; strides in elements of the input, the innermost 0 or 1.
struct Cover {
  int32_t rank;
  int64_t dim[kMaxRank], stride[kMaxRank];

  HB_INLINE bool is_scalar() const { return rank == 0 || (rank == 1 && stride[0] == 0); }  // one element for all
  HB_INLINE bool is_whole() const { return rank == 1 && stride[0] == 1; }                  // element by element

  HB_INLINE void set(const Shape& in, const Shape& out) {
    rank = 0;
    int64_t step = 1;
    for (int i = 1; i <= out.rank; ++i) {
      const int64_t n = out.dim[out.rank - i];
      if (n == 1) continue;
      const bool present = i <= in.rank && in.dim[in.rank - i] != 1;
      const int64_t s = present ? step : 0;
      if (present) step *= n;
      const int last = rank - 1;
      if (rank && (s ? stride[last] && s == stride[last] * dim[last] : !stride[last])) {
        dim[last] *= n;
      } else {
        dim[rank] = n;
        stride[rank++] = s;
      }
    }
  }
};

// The dtype in which tensors of dtype t are computed with.
HB_INLINE DType compute_dtype(DType t) {
  switch (t) {
    case DType::float16:
    case DType::float32: return DType::float32;
    case DType::float64:
    case DType::int64: return t;
    default: return DType::int32;
  }
}

// That of one op, given the dtypes of its first inputs and its result. Truth values of select come as bool; true
// division of integers is done in its result's dtype.
HB_INLINE DType op_dtype(Opcode op, DType first, DType second, DType result) {
  return compute_dtype(op == Opcode::select ? second : op == Opcode::div ? result : first);
}

// That of a cast: the wider kind of the two, so that nothing is lost on the way.
HB_INLINE DType cast_dtype(DType from, DType to) {
  from = compute_dtype(from), to = compute_dtype(to);
  return is_float(from) == is_float(to) ? (from > to ? from : to) : is_float(from) ? from : to;
}

}  // namespace hornbeam
