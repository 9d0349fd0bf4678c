// softmax_cross_entropy(logits, labels) and sparse_softmax_cross_entropy(logits, integer labels) -> loss,
// probabilities; and their gradients with respect to the logits, (probabilities, labels, dloss) -> dlogits.
#include "ops/cross_entropy.h"

#include "ops/op.h"

namespace hornbeam {
namespace {

Shape without_last(const Shape& s) {
  Shape out = s;
  --out.rank;
  return out;
}

Shape same_shape(const char* op, const Shape& a, const Shape& b, const char* what) {
  if (a.rank != b.rank) op_error(op, std::string(what) + " has shape " + shape_str(b) + ", want " + shape_str(a));
  Shape out;
  for (int i = 0; i < a.rank; ++i) out.push(same_dim(op, a[i], b[i], what));
  return out;
}

// Checks logits (or probabilities) and labels; gives the shape of the former.
Shape classes_shape(const char* op, bool sparse, const TypeInfo& logits, const TypeInfo& labels) {
  want_float(op, logits);
  want_min_rank(op, logits, 1, "logits");
  if (!sparse) {
    want_same_dtype(op, logits, labels);
    return same_shape(op, logits.shape, labels.shape, "labels");
  }
  if (is_float(labels.dtype) || labels.dtype == DType::boolean)
    op_type_error(op, std::string("labels must be integers, got ") + dtype_name(labels.dtype));
  Shape out = same_shape(op, without_last(logits.shape), labels.shape, "labels");
  out.push(logits.shape[-1]);
  return out;
}

void add_pair(OpRegistry& r, const char* name, const char* grad, bool sparse) {
  r.add<CrossEntropyAttrs>(name, "logits, labels", 2,
                           [name, sparse](const CrossEntropyAttrs&, const auto& in, auto& out) {
                             const Shape classes = classes_shape(name, sparse, in[0], in[1]);
                             out.push_back(TypeInfo::of(in[0].dtype, without_last(classes)));
                             out.push_back(TypeInfo::of(in[0].dtype, classes));
                           });
  r.add<CrossEntropyAttrs>(grad, "probabilities, labels, dloss", 1,
                           [grad, sparse](const CrossEntropyAttrs&, const auto& in, auto& out) {
                             const Shape classes = classes_shape(grad, sparse, in[0], in[1]);
                             want_same_dtype(grad, in[0], in[2]);
                             same_shape(grad, without_last(classes), in[2].shape, "dloss");
                             out.push_back(TypeInfo::of(in[0].dtype, classes));
                           })
      .writes_over(sparse ? "probabilities" : "probabilities, labels")
      .linear_in(sparse ? "dloss" : "labels, dloss");
}

}  // namespace

void register_cross_entropy(OpRegistry& r) {
  add_pair(r, "softmax_cross_entropy", "softmax_cross_entropy_grad", false);
  add_pair(r, "sparse_softmax_cross_entropy", "sparse_softmax_cross_entropy_grad", true);
}

}  // namespace hornbeam
