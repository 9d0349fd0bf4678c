// The instructions of the elementwise interpreter; every one but elu's is also an op of the same name.
// X(name, arity, domain, result): domain `number` takes every dtype, `floating` floats only; the result
// is of the operands' dtype (`same`) or bool (`boolean`). Registration, shape rules and kernels derive
// from this list. Add at the end only: programs hold the numbers.
#pragma once

#define HB_ELEMENTWISE(X)              \
  X(neg, 1, number, same)              \
  X(abs, 1, number, same)              \
  X(sign, 1, number, same)             \
  X(square, 1, number, same)           \
  X(sqrt, 1, floating, same)           \
  X(rsqrt, 1, floating, same)          \
  X(reciprocal, 1, floating, same)     \
  X(exp, 1, floating, same)            \
  X(expm1, 1, floating, same)          \
  X(log, 1, floating, same)            \
  X(log1p, 1, floating, same)          \
  X(sin, 1, floating, same)            \
  X(cos, 1, floating, same)            \
  X(tanh, 1, floating, same)           \
  X(sigmoid, 1, floating, same)        \
  X(hard_sigmoid, 1, floating, same)   \
  X(relu, 1, number, same)             \
  X(softplus, 1, floating, same)       \
  X(softsign, 1, floating, same)       \
  X(elu, 2, floating, same)            \
  X(selu, 1, floating, same)           \
  X(erf, 1, floating, same)            \
  X(floor, 1, number, same)            \
  X(ceil, 1, number, same)             \
  X(round, 1, number, same)            \
  X(logical_not, 1, number, boolean)   \
  X(is_nan, 1, number, boolean)        \
  X(is_inf, 1, number, boolean)        \
  X(add, 2, number, same)              \
  X(sub, 2, number, same)              \
  X(mul, 2, number, same)              \
  X(div, 2, floating, same)            \
  X(floor_div, 2, number, same)        \
  X(mod, 2, number, same)              \
  X(pow, 2, number, same)              \
  X(maximum, 2, number, same)          \
  X(minimum, 2, number, same)          \
  X(equal, 2, number, boolean)         \
  X(not_equal, 2, number, boolean)     \
  X(less, 2, number, boolean)          \
  X(less_equal, 2, number, boolean)    \
  X(greater, 2, number, boolean)       \
  X(greater_equal, 2, number, boolean) \
  X(logical_and, 2, number, boolean)   \
  X(logical_or, 2, number, boolean)    \
  X(relu_grad, 2, number, same)        \
  X(select, 3, number, same)           \
  X(hard_swish, 1, floating, same)
