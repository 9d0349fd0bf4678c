"""``tf.math``: elementwise functions, comparisons, casts, clipping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import dtype_name, is_float, tensor, tensors
from .table import function

#: TensorFlow's name after ``math.`` to our op
_UNARY = {
    "abs": "abs", "exp": "exp", "log": "log", "sqrt": "sqrt", "square": "square", "sign": "sign", "sin": "sin",
    "cos": "cos", "tanh": "tanh", "sigmoid": "sigmoid", "round": "round", "softplus": "softplus", "softsign": "softsign",
    "negative": "neg", "rsqrt": "rsqrt", "reciprocal": "reciprocal", "log1p": "log1p", "expm1": "expm1",
    "floor": "floor", "ceil": "ceil", "erf": "erf", "logical_not": "logical_not", "is_nan": "is_nan", "is_inf": "is_inf",
}  # fmt: skip
_BINARY = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "truediv": "div", "floordiv": "floor_div",
    "floormod": "mod", "mod": "mod", "pow": "pow", "maximum": "maximum", "minimum": "minimum", "greater": "greater",
    "greater_equal": "greater_equal", "less": "less", "less_equal": "less_equal", "equal": "equal",
    "not_equal": "not_equal", "logical_and": "logical_and", "logical_or": "logical_or",
}  # fmt: skip
#: other names of theirs
_ALIASES = {
    "negative": ("neg",), "subtract": ("sub",), "multiply": ("mul",), "divide": ("realdiv",), "is_nan": ("debugging.is_nan",),
    "is_inf": ("debugging.is_inf",), "add": ("__operators__.add",), "equal": ("__operators__.eq",),
    "not_equal": ("__operators__.ne",), "sigmoid": ("nn.sigmoid",), "tanh": ("nn.tanh",), "softplus": ("nn.softplus",),
    "softsign": ("nn.softsign",),
}  # fmt: skip


def _unary(op: str) -> Callable:
    def apply(x: Any, name: Any = None) -> Tensor:
        return graph.apply(op, [tensor(x)])

    return apply


def _binary(op: str) -> Callable:
    def apply(x: Any, y: Any, name: Any = None) -> Tensor:
        return graph.apply(op, tensors(x, y))

    return apply


for _ops, _make in ((_UNARY, _unary), (_BINARY, _binary)):
    for _name, _op in _ops.items():
        function(f"math.{_name}", _name, *_ALIASES.get(_name, ()))(_make(_op))


@function("math.is_finite", "is_finite", "debugging.is_finite")
def is_finite(x: Any, name: Any = None) -> Tensor:
    return graph.apply("less", [graph.apply("abs", [tensor(x)]), np.inf])


@function("math.tan", "tan")
def tan(x: Any, name: Any = None) -> Tensor:
    x = tensor(x)
    return graph.apply("sin", [x]) / graph.apply("cos", [x])


def _with_side(x: Any) -> tuple[Tensor, Tensor]:
    """x, and -1 where it is negative, else 1: unlike the sign, it keeps the gradient at 0."""
    x = tensor(x)
    return x, graph.apply("select", [x < 0.0, tensor(-1.0, x.dtype), tensor(1.0, x.dtype)])


@function("math.sinh", "sinh")
def sinh(x: Any, name: Any = None) -> Tensor:
    """Through expm1 of the size, which is exact near zero and far from it."""
    x, side = _with_side(x)
    grown = graph.apply("expm1", [x * side])
    return side * (grown + grown / (grown + 1.0)) * 0.5


@function("math.cosh", "cosh")
def cosh(x: Any, name: Any = None) -> Tensor:
    x = tensor(x)
    return (graph.apply("exp", [x]) + graph.apply("exp", [-x])) * 0.5


@function("math.asinh", "asinh")
def asinh(x: Any, name: Any = None) -> Tensor:
    """Of the size, for the formula cancels below zero."""
    x, side = _with_side(x)
    square = x * x
    return side * graph.apply("log1p", [x * side + square / (1.0 + graph.apply("sqrt", [square + 1.0]))])


@function("math.acosh", "acosh")
def acosh(x: Any, name: Any = None) -> Tensor:
    above = tensor(x) - 1.0
    return graph.apply("log1p", [above + graph.apply("sqrt", [above * (above + 2.0)])])


@function("math.atanh", "atanh")
def atanh(x: Any, name: Any = None) -> Tensor:
    x = tensor(x)
    return (graph.apply("log1p", [x]) - graph.apply("log1p", [-x])) * 0.5


@function("math.erfc", "erfc")
def erfc(x: Any, name: Any = None) -> Tensor:
    return 1.0 - graph.apply("erf", [tensor(x)])


@function("math.log_sigmoid", "log_sigmoid")
def log_sigmoid(x: Any, name: Any = None) -> Tensor:
    return -graph.apply("softplus", [-tensor(x)])


@function("math.squared_difference", "squared_difference")
def squared_difference(x: Any, y: Any, name: Any = None) -> Tensor:
    x, y = tensors(x, y)
    return graph.apply("square", [x - y])


@function("div")
def div(x: Any, y: Any, name: Any = None) -> Tensor:
    """TensorFlow 1's: of integers, the floor."""
    x, y = tensors(x, y)
    return graph.apply("div" if is_float(x) else "floor_div", [x, y])


@function("math.divide_no_nan", "div_no_nan")
def divide_no_nan(x: Any, y: Any, name: Any = None) -> Tensor:
    """x / y, and 0 where y is 0; there the gradient is 0, too."""
    x, y = tensors(x, y)
    zero = graph.apply("equal", [y, 0])
    quotient = x / graph.apply("select", [zero, tensor(1, y.dtype), y])
    return graph.apply("select", [zero, tensor(0, y.dtype), quotient])


@function("math.multiply_no_nan")
def multiply_no_nan(x: Any, y: Any, name: Any = None) -> Tensor:
    """x * y, and 0 where y is 0, whatever x is."""
    x, y = tensors(x, y)
    return graph.apply("select", [graph.apply("equal", [y, 0]), tensor(0, y.dtype), x * y])


@function("math.xlogy")
def xlogy(x: Any, y: Any, name: Any = None) -> Tensor:
    """x * log(y), and 0 where x is 0."""
    x, y = tensors(x, y)
    zero = graph.apply("equal", [x, 0])
    safe = graph.apply("select", [zero, tensor(1, y.dtype), y])
    return graph.apply("select", [zero, tensor(0, y.dtype), x * graph.apply("log", [safe])])


@function("math.logical_xor", "logical_xor")
def logical_xor(x: Any, y: Any, name: Any = None) -> Tensor:
    return graph.apply("not_equal", [graph.cast(t, "int32") for t in tensors(x, y)])


@function("math.scalar_mul", "scalar_mul")
def scalar_mul(scalar: Any, x: Any, name: Any = None) -> Tensor:
    return graph.apply("mul", tensors(scalar, x))


@function("math.add_n", "add_n", "math.accumulate_n", "accumulate_n")
def add_n(inputs: Any, name: Any = None, shape: Any = None, tensor_dtype: Any = None) -> Tensor:
    if isinstance(inputs, Tensor):
        return inputs
    total, *others = tensors(*inputs)
    for x in others:
        total = total + x
    return total


@function("cast", "dtypes.cast")
def cast(x: Any, dtype: Any, name: Any = None) -> Tensor:
    return K.cast(x, dtype_name(dtype))


@function("saturate_cast", "dtypes.saturate_cast")
def saturate_cast(value: Any, dtype: Any, name: Any = None) -> Tensor:
    """A cast of what is first limited to the range of ``dtype``."""
    dtype = dtype_name(dtype)
    value = tensor(value)
    if dtype.startswith("float"):
        return graph.cast(value, dtype)
    limits = np.iinfo(dtype)
    return graph.cast(clip_by_value(value, limits.min, limits.max), dtype)


def _to(dtype: str) -> Callable:
    def apply(x: Any, name: Any = None) -> Tensor:
        return graph.cast(tensor(x), dtype)

    return apply


for _name, _dtype in (("float", "float32"), ("double", "float64"), ("int32", "int32"), ("int64", "int64")):
    function(f"to_{_name}")(_to(_dtype))


@function("clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: Any = None) -> Tensor:
    return graph.apply("minimum", [graph.apply("maximum", [tensor(t), clip_value_min]), clip_value_max])
