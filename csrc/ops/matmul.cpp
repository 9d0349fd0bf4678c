// matmul(a, b, bias?): products of the last two dims; leading dims broadcast. The bias is a vector as
// long as the result's rows, added before the activation.
#include "ops/matmul.h"

#include "ops/op.h"

namespace hornbeam {

void register_matmul(OpRegistry& r) {
  r.add<MatmulAttrs>("matmul", "a, b, bias?", 1,
                     [](const MatmulAttrs& attrs, const auto& in, auto& out) {
                       const char* op = "matmul";
                       want_float(op, in[0]);
                       want_same_dtype(op, in[0], in[1]);
                       want_min_rank(op, in[0], 2, "a");
                       want_min_rank(op, in[1], 2, "b");
                       const Shape &a = in[0].shape, &b = in[1].shape;
                       const int64_t rows = a[attrs.transpose_a ? -1 : -2], inner = a[attrs.transpose_a ? -2 : -1];
                       const int64_t b_inner = b[attrs.transpose_b ? -1 : -2], columns = b[attrs.transpose_b ? -2 : -1];
                       if (inner >= 0 && b_inner >= 0 && inner != b_inner)
                         op_error(op, "inner dimensions differ: a is " + shape_str(a) +
                                          (attrs.transpose_a ? " transposed" : "") + ", b is " + shape_str(b) +
                                          (attrs.transpose_b ? " transposed" : ""));
                       Shape a_batch = a, b_batch = b;
                       a_batch.rank -= 2;
                       b_batch.rank -= 2;
                       Shape y = broadcast_shapes(op, a_batch, b_batch);
                       y.push(rows);
                       y.push(columns);
                       if (in.size() > 2 && in[2].present) {
                         want_same_dtype(op, in[0], in[2]);
                         want_rank(op, in[2], 1, "bias");
                         y[-1] = same_dim(op, columns, in[2].shape[0], "of b's columns and the bias");
                       }
                       out.push_back(TypeInfo::of(in[0].dtype, y));
                     })
      .linear_in("a, b")
      .columns_from("b")
      .applies_activation();
}

}  // namespace hornbeam
