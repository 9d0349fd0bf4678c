// A product as cuBLASLt has it, as plain data. Making the description is where mistakes are made (column-major
// operands, leading dimensions, batches), and that is tested on any machine: perform.h carries it out by definition.
#pragma once
#include "ops/matmul_dims.h"

namespace hornbeam {

// D = op(A) op(B), plus the bias of each row of D, and then relu; all column-major. `batch` such products, each operand
// a stride after that of the product before; a stride of 0 is the same operand again.
struct Gemm {
  DType dtype;
  int32_t tf32, transpose_a, transpose_b, bias, relu;
  int64_t m, n, k, lda, ldb, ldd;  // D is m x n
  int64_t batch, stride_a, stride_b, stride_d;

  HB_FIELDS(HB_F(dtype) HB_F(tf32) HB_F(transpose_a) HB_F(transpose_b) HB_F(bias) HB_F(relu) HB_F(m) HB_F(n) HB_F(k)
                HB_F(lda) HB_F(ldb) HB_F(ldd) HB_F(batch) HB_F(stride_a) HB_F(stride_b) HB_F(stride_d))
};

struct GemmData {
  const void *a, *b, *bias;
  void* d;
};

// A matmul is one description, and as many calls with it as its batch needs.
struct GemmCalls {
  Gemm gemm;
  int64_t count;
};

// Row-major y = a b is column-major y^T = b^T a^T: the library's A is b, its B is a, and its D has a row for each
// column of y, so that the epilogue's bias is that of the op. `d` are the op's operands (ops/matmul_dims.h).
inline GemmCalls gemm_of(const MatmulDims& d, const MatmulAttrs& attrs, DType dtype, bool bias, bool relu, bool tf32) {
  Gemm g{};
  g.dtype = dtype;
  g.tf32 = tf32, g.bias = bias, g.relu = relu;
  g.transpose_a = attrs.transpose_b, g.transpose_b = attrs.transpose_a;
  g.m = d.n, g.n = d.m, g.k = d.k;
  g.lda = attrs.transpose_b ? d.k : d.n;
  g.ldb = attrs.transpose_a ? d.m : d.k;
  g.ldd = d.n;
  g.batch = 1, g.stride_d = d.m * d.n;
  // Inner dims of the batch, as long as operands are the same distance apart.
  for (int i = d.batch_rank; i-- > 0;) {
    if (d.batch_dim[i] == 1) continue;
    if (g.batch == 1) {
      g.stride_a = d.b_step[i], g.stride_b = d.a_step[i];
    } else if (d.b_step[i] != g.stride_a * g.batch || d.a_step[i] != g.stride_b * g.batch) {
      break;
    }
    g.batch *= d.batch_dim[i];
  }
  return {g, d.batch / g.batch};
}

}  // namespace hornbeam
