"""Elementwise ops. Outputs are used instead of inputs where that saves work, and gradients are masked by
selection: 0 times an infinite gradient would be NaN."""

import math

from ..ops import apply, cast, constant, unbroadcast
from . import not_differentiable, register

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805

not_differentiable(
    "sign", "floor", "ceil", "round", "floor_div", "logical_not", "logical_and", "logical_or", "is_nan", "is_inf",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
)  # fmt: skip


def _where(condition, a, b):
    """Select between tensors, or a tensor and a number."""
    dtype = next(t.dtype for t in (a, b) if not isinstance(t, float))
    a, b = (constant(t, dtype) if isinstance(t, float) else t for t in (a, b))
    return apply("select", [condition, a, b])


def _unary(op):
    """Register ``rule(x, y, g)``: the gradient from the input, the output and the output's gradient."""

    def decorate(rule):
        register(op)(lambda node, grads: [rule(node.inputs[0], node.outputs[0], grads[0])])
        return rule

    return decorate


_unary("neg")(lambda x, y, g: -g)
_unary("abs")(lambda x, y, g: g * apply("sign", [x]))
_unary("square")(lambda x, y, g: g * (x * 2.0))
_unary("sqrt")(lambda x, y, g: g * 0.5 / y)
_unary("rsqrt")(lambda x, y, g: g * -0.5 * y / x)
_unary("reciprocal")(lambda x, y, g: -g * apply("square", [y]))
_unary("exp")(lambda x, y, g: g * y)
_unary("expm1")(lambda x, y, g: g * (y + 1.0))
_unary("log")(lambda x, y, g: g / x)
_unary("log1p")(lambda x, y, g: g / (x + 1.0))
_unary("sin")(lambda x, y, g: g * apply("cos", [x]))
_unary("cos")(lambda x, y, g: -g * apply("sin", [x]))
_unary("tanh")(lambda x, y, g: g * (1.0 - apply("square", [y])))
_unary("sigmoid")(lambda x, y, g: g * y * (1.0 - y))
_unary("softplus")(lambda x, y, g: g * apply("sigmoid", [x]))
_unary("softsign")(lambda x, y, g: g / apply("square", [apply("abs", [x]) + 1.0]))
_unary("relu")(lambda x, y, g: apply("relu_grad", [g, y]))
_unary("selu")(lambda x, y, g: g * _where(x > 0.0, _SELU_SCALE, y + _SELU_SCALE * _SELU_ALPHA))
_unary("erf")(lambda x, y, g: g * (apply("exp", [-apply("square", [x])]) * (2 / math.sqrt(math.pi))))


@_unary("hard_sigmoid")
def _hard_sigmoid(x, y, g):
    return _where(apply("logical_and", [y > 0.0, y < 1.0]), g * 0.2, 0.0)


@_unary("hard_swish")
def _hard_swish(x, y, g):
    return _where(x > -3.0, g * _where(x < 3.0, x * (1 / 3) + 0.5, 1.0), 0.0)


@register("elu")
def _elu(node, grads):
    x, y = node.inputs[0], node.outputs[0]
    return [grads[0] * _where(x > 0.0, 1.0, y + node.attrs.get("alpha", 1.0))]


@register("cast")
def _cast(node, grads):
    x = node.inputs[0]
    both_floats = x.dtype.startswith("float") and node.outputs[0].dtype.startswith("float")
    return [cast(grads[0], x.dtype) if both_floats else None]


def _binary(op):
    """Register ``rule(a, b, y, g)``, whose two gradients are summed down to the inputs' shapes."""

    def decorate(rule):
        def gradient(node, grads):
            a, b = node.inputs
            if not a.dtype.startswith("float"):
                return [None, None]
            da, db = rule(a, b, node.outputs[0], grads[0])
            return [unbroadcast(da, a), None if db is None else unbroadcast(db, b)]

        register(op)(gradient)
        return rule

    return decorate


_binary("add")(lambda a, b, y, g: (g, g))
_binary("sub")(lambda a, b, y, g: (g, -g))
_binary("mul")(lambda a, b, y, g: (g * b, g * a))
_binary("div")(lambda a, b, y, g: (g / b, -g * y / b))
_binary("mod")(lambda a, b, y, g: (g, -g * apply("floor_div", [a, b])))
_binary("relu_grad")(lambda dy, y, out, g: (apply("relu_grad", [g, y]), None))


@_binary("pow")
def _pow(a, b, y, g):
    # d a^b / da at b = 0 is 0 even where a^-1 is not finite; the logarithm only counts where it exists.
    da = _where(apply("equal", [b, 0.0]), 0.0, b * apply("pow", [a, b - 1.0]))
    positive = a > 0.0
    log_a = apply("log", [_where(positive, a, 1.0)])
    return g * da, g * _where(positive, y * log_a, 0.0)


# Where both are equal, the first argument takes the whole gradient, as in TensorFlow.
@_binary("maximum")
def _maximum(a, b, y, g):
    first = a >= b
    return _where(first, g, 0.0), _where(first, 0.0, g)


@_binary("minimum")
def _minimum(a, b, y, g):
    first = a <= b
    return _where(first, g, 0.0), _where(first, 0.0, g)


@register("select")
def _select(node, grads):
    condition, a, b = node.inputs
    g = grads[0]
    return [None, unbroadcast(_where(condition, g, 0.0), a), unbroadcast(_where(condition, 0.0, g), b)]
