// random_uniform, random_normal, truncated_normal, random_bernoulli: tensors of a shape that is an
// integer input. Their numbers are a function of (seed, run, element), see core/philox.h.
#include "ops/random.h"

#include "ops/ints.h"

namespace hornbeam {
namespace {

template <class A> void infer(const char* op, const A& a, const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
  out.push_back(TypeInfo::of(a.dtype, shape_from(op, in[0])));
}

void want_float_result(const char* op, DType t) {
  if (!is_float(t)) op_type_error(op, std::string("gives floats, not ") + dtype_name(t));
}

}  // namespace

void register_random(OpRegistry& r) {
  r.add<UniformAttrs>("random_uniform", "shape", 1,
                      [](const UniformAttrs& a, const auto& in, auto& out) {
                        if (a.dtype == DType::boolean)
                          op_type_error("random_uniform", "gives numbers; random_bernoulli gives truth");
                        if (!is_float(a.dtype) && !(a.low < a.high))
                          op_error("random_uniform", "no integer lies in [" + std::to_string(a.low) + ", " +
                                                         std::to_string(a.high) + ")");
                        infer("random_uniform", a, in, out);
                      })
      .sized_by("shape")
      .random = true;
  for (const char* name : {"random_normal", "truncated_normal"})
    r.add<NormalAttrs>(name, "shape", 1,
                       [name](const NormalAttrs& a, const auto& in, auto& out) {
                         want_float_result(name, a.dtype);
                         infer(name, a, in, out);
                       })
        .sized_by("shape")
        .random = true;
  r.add<BernoulliAttrs>("random_bernoulli", "shape", 1,
                        [](const BernoulliAttrs& a, const auto& in, auto& out) {
                          if (!(a.p >= 0 && a.p <= 1))
                            op_error("random_bernoulli", "p must lie in [0, 1], got " + std::to_string(a.p));
                          infer("random_bernoulli", a, in, out);
                        })
      .sized_by("shape")
      .random = true;
}

}  // namespace hornbeam
