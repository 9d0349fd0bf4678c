"""Elementwise ops in plain NumPy: one obvious function per op, for arrays of any float dtype."""

import numpy as np
from hornbeam import _core


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def relu(x):
    return np.maximum(x, 0)


def hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def hard_swish(x):
    return np.where(x <= -3, 0, x * np.minimum(x + 3, 6) / 6)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softsign(x):
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x)))


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def selu(x):
    return np.where(x > 0, 1.0507009873554805 * x, 1.0507009873554805 * 1.6732632423543772 * np.expm1(x))


def erf(x):
    from scipy.special import erf

    return erf(x)


UNARY = {
    "neg": np.negative, "abs": np.abs, "sign": np.sign, "square": np.square, "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x), "reciprocal": lambda x: 1 / x, "exp": np.exp, "expm1": np.expm1,
    "log": np.log, "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "sigmoid": sigmoid,
    "hard_sigmoid": hard_sigmoid, "relu": relu, "softplus": softplus, "softsign": softsign, "elu": elu,
    "selu": selu, "hard_swish": hard_swish, "erf": erf, "floor": np.floor, "ceil": np.ceil, "round": np.round,
    "logical_not": np.logical_not, "is_nan": np.isnan, "is_inf": np.isinf,
}  # fmt: skip
BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "floor_div": np.floor_divide,
    "mod": np.mod, "pow": np.power, "maximum": np.maximum, "minimum": np.minimum, "equal": np.equal,
    "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal, "greater": np.greater,
    "greater_equal": np.greater_equal, "logical_and": np.logical_and, "logical_or": np.logical_or,
    "relu_grad": lambda dy, y: np.where(y > 0, dy, np.zeros_like(dy)),
}  # fmt: skip

#: what ops apply to their results, by its name there
ACTIVATIONS = {"linear": lambda x: x, **{name: UNARY[op] for name, op, _ in _core.activations()}}
