"""Reductions, elementwise functions, comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor, floatx
from .axes import Axis, axis_of, normalize_axes


# -- reductions -------------------------------------------------------------------------------------------
def _reduce(op: str, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    x = graph.convert(x)
    axes = normalize_axes(x, axis)
    return graph.apply(op, [x], axes=axes, keepdims=bool(keepdims)) if axes else x


def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest value over ``axis`` (all axes for None)."""
    return _reduce("reduce_max", x, axis, keepdims)


def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest value over ``axis``."""
    return _reduce("reduce_min", x, axis, keepdims)


def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum over ``axis``."""
    return _reduce("reduce_sum", x, axis, keepdims)


def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Product over ``axis``."""
    return _reduce("reduce_prod", x, axis, keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Mean over ``axis``; booleans count as 0 and 1, that of integers is rounded towards zero (as TensorFlow has it)."""
    x = _numeric(x)
    if x.dtype.startswith(("int", "uint")):
        total = sum(x, axis, keepdims)
        count = sum(graph.cast(graph.apply("equal", [x, x]), x.dtype), axis, keepdims)
        return sign(total) * graph.apply("floor_div", [abs(total), count])
    return _reduce("reduce_mean", x, axis, keepdims)


def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Variance over ``axis``, divided by N."""
    x = _numeric(x)
    return mean(square(x - mean(x, axis, keepdims=True)), axis, keepdims)


def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Standard deviation over ``axis``, divided by N."""
    return sqrt(var(x, axis, keepdims))


def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element over ``axis`` is true; a bool tensor."""
    return _reduce("reduce_any", graph.cast(graph.convert(x), "bool"), axis, keepdims)


def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements over ``axis`` are true; a bool tensor."""
    return _reduce("reduce_all", graph.cast(graph.convert(x), "bool"), axis, keepdims)


def argmax(x: Tensor, axis: int = -1) -> Tensor:
    """Index of the (first) largest value along ``axis``, int64."""
    x = graph.convert(x)
    return graph.apply("argmax", [x], axis=axis_of(x, axis))


def argmin(x: Tensor, axis: int = -1) -> Tensor:
    """Index of the (first) smallest value along ``axis``, int64."""
    x = graph.convert(x)
    return graph.apply("argmin", [x], axis=axis_of(x, axis))


def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` without overflow for large and underflow for small x."""
    peak = max(x, axis, keepdims=True)
    # An infinite peak would give inf - inf; and it shifts nothing, so no gradient need pass it.
    peak = graph.apply("stop_gradient", [where(is_finite(peak), peak, 0.0)])
    out = log(sum(exp(x - peak), axis, keepdims=True)) + peak
    axes = normalize_axes(x, axis)
    return out if keepdims or not axes else graph.apply("squeeze", [out], axes=axes)


def cumsum(x: Tensor, axis: int = 0) -> Tensor:
    """Running sum along an axis."""
    return graph.apply("cumsum", [x], axis=axis)


def cumprod(x: Tensor, axis: int = 0) -> Tensor:
    """Running product along an axis."""
    return graph.apply("cumprod", [x], axis=axis)


# -- elementwise ----------------------------------------------------------------------------------------
def _numeric(x: Any) -> Tensor:
    x = graph.convert(x)
    return graph.cast(x, floatx()) if x.dtype == "bool" else x


def square(x: Tensor) -> Tensor:
    """``x * x``, element by element."""
    return graph.apply("square", [x])


def abs(x: Tensor) -> Tensor:
    """The size of each element."""
    return graph.apply("abs", [x])


def sqrt(x: Tensor) -> Tensor:
    """Square root; negative numbers give 0."""
    return graph.apply("sqrt", [graph.apply("maximum", [x, 0.0])])


def exp(x: Tensor) -> Tensor:
    """e to the power of each element."""
    return graph.apply("exp", [x])


def log(x: Tensor) -> Tensor:
    """Natural logarithm; nan for negative numbers, -inf for 0."""
    return graph.apply("log", [x])


def round(x: Tensor) -> Tensor:
    """Round to the nearest integer, halves to the even one."""
    return graph.apply("round", [x])


def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1 for each element."""
    return graph.apply("sign", [x])


def pow(x: Any, a: Any) -> Tensor:
    """``x`` to the power ``a``, element by element, broadcast against each other."""
    return graph.apply("pow", [x, a])


def sin(x: Tensor) -> Tensor:
    """Sine of radians."""
    return graph.apply("sin", [x])


def cos(x: Tensor) -> Tensor:
    """Cosine of radians."""
    return graph.apply("cos", [x])


def clip(x: Tensor, min_value: Any, max_value: Any) -> Tensor:
    """Limit x to [min_value, max_value]; None leaves a side open, and max below min counts as min."""
    numbers = isinstance(min_value, (int, float)) and isinstance(max_value, (int, float))
    if numbers and max_value < min_value:
        max_value = min_value
    if min_value is not None and not _is_number(min_value, -np.inf):
        x = graph.apply("maximum", [x, min_value])
    if max_value is not None and not _is_number(max_value, np.inf):
        x = graph.apply("minimum", [x, max_value])
    return x


def _is_number(value: Any, number: float) -> bool:
    return isinstance(value, (int, float)) and value == number


def maximum(x: Any, y: Any) -> Tensor:
    """The larger of two elements, broadcast against each other."""
    return graph.apply("maximum", [x, y])


def minimum(x: Any, y: Any) -> Tensor:
    """The smaller of two elements, broadcast against each other."""
    return graph.apply("minimum", [x, y])


def where(condition: Tensor, x: Any, y: Any) -> Tensor:
    """Elementwise choice by a bool tensor; numbers take the dtype of the other value."""
    like = x if isinstance(x, Tensor) else y
    dtype = like.dtype if isinstance(like, Tensor) else floatx()
    return graph.apply("select", [condition, graph.convert(x, dtype), graph.convert(y, dtype)])


def is_finite(x: Tensor) -> Tensor:
    """Which elements are neither infinite nor nan: bool."""
    return graph.apply("less", [graph.apply("abs", [x]), np.inf])


# -- comparisons: bool tensors ----------------------------------------------------------------------------
def equal(x: Any, y: Any) -> Tensor:
    """Which elements are equal, broadcast against each other: bool."""
    return graph.apply("equal", [x, y])


def not_equal(x: Any, y: Any) -> Tensor:
    """Which elements differ: bool."""
    return graph.apply("not_equal", [x, y])


def greater(x: Any, y: Any) -> Tensor:
    """Where ``x > y``: bool."""
    return graph.apply("greater", [x, y])


def greater_equal(x: Any, y: Any) -> Tensor:
    """Where ``x >= y``: bool."""
    return graph.apply("greater_equal", [x, y])


def less(x: Any, y: Any) -> Tensor:
    """Where ``x < y``: bool."""
    return graph.apply("less", [x, y])


def less_equal(x: Any, y: Any) -> Tensor:
    """Where ``x <= y``: bool."""
    return graph.apply("less_equal", [x, y])
