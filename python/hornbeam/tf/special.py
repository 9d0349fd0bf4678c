"""``tf.math``: inverse trigonometric functions, and those of statistics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import dims, tensor, tensors
from .custom import differentiable
from .elementwise import divide_no_nan
from .table import for_scripts, function


def _select(condition: Tensor, x: Any, y: Any) -> Tensor:
    return graph.apply("select", [condition, *tensors(x, y)])


def _op(name: str, *xs: Any) -> Tensor:
    return graph.apply(name, list(xs))


# -- angles ----------------------------------------------------------------------------------------------------------
@function("math.atan", "atan")
def atan(x: Any, name: Any = None) -> Tensor:
    """By halving the angle three times, to where a short series is exact."""
    x = tensor(x)
    size = _op("abs", x)
    far = size > 1.0
    t = _select(far, 1.0 / _op("maximum", size, 1.0), size)
    for _ in range(3):
        t = t / (1.0 + _op("sqrt", 1.0 + t * t))
    square, total = t * t, tensor(0.0, x.dtype)
    for k in range(15, 0, -2):
        total = (-1.0) ** (k // 2) / k + square * total
    angle = 8.0 * t * total
    angle = _op("sign", x) * _select(far, math.pi / 2 - angle, angle)
    return graph.with_gradient([x], [graph.apply("stop_gradient", [angle])], lambda g: [g / (1.0 + x * x)])[0]


@function("math.atan2", "atan2")
def atan2(y: Any, x: Any, name: Any = None) -> Tensor:
    """The angle of the point (x, y), from -pi to pi."""
    y, x = tensors(y, x)
    zero = _op("equal", x, 0.0)
    angle = atan(y / _select(zero, 1.0, x))
    turned = _select(y < 0.0, angle - math.pi, angle + math.pi)
    angle = _select(x < 0.0, turned, angle)
    angle = graph.apply("stop_gradient", [_select(zero, _op("sign", y) * (math.pi / 2), angle)])

    def rule(g: Tensor) -> list[Tensor]:
        square = x * x + y * y
        return [graph.unbroadcast(g * x / square, y), graph.unbroadcast(-g * y / square, x)]

    return graph.with_gradient([y, x], [angle], rule)[0]


@function("math.asin", "asin")
def asin(x: Any, name: Any = None) -> Tensor:
    x = tensor(x)
    return atan2(x, _op("sqrt", (1.0 - x) * (1.0 + x)))


@function("math.acos", "acos")
def acos(x: Any, name: Any = None) -> Tensor:
    x = tensor(x)
    return atan2(_op("sqrt", (1.0 - x) * (1.0 + x)), x)


# -- the gamma function -------------------------------------------------------------------------------------------------
_SHIFT = 8  # from where on the series of Stirling is exact
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


@function("math.lgamma", "lgamma")
def lgamma(x: Any, name: Any = None) -> Tensor:
    """The logarithm of the size of the gamma function: Stirling's series eight steps further, by reflection below a half."""
    x = tensor(x)
    below = x < 0.5
    z = _select(below, 1.0 - x, x)
    product = z
    for i in range(1, _SHIFT):
        product = product * (z + float(i))
    far = z + float(_SHIFT)
    series, power = tensor(0.0, x.dtype), 1.0 / far
    for factor in _STIRLING:
        series = series + factor * power
        power = power / (far * far)
    value = (far - 0.5) * _op("log", far) - far + 0.5 * math.log(2 * math.pi) + series - _op("log", product)
    sine = _op("abs", _op("sin", math.pi * (x - _op("floor", x))))
    reflected = math.log(math.pi) - _op("log", _select(below, sine, 1.0)) - value
    made = graph.apply("stop_gradient", [_select(below, reflected, value)])
    return graph.with_gradient([x], [made], lambda g: [g * digamma(x)])[0]


@function("math.digamma", "digamma")
def digamma(x: Any, name: Any = None) -> Tensor:
    """The derivative of :func:`lgamma`."""
    x = tensor(x)
    below = x < 0.5
    z = _select(below, 1.0 - x, x)
    value = -(1.0 / z)
    for i in range(1, _SHIFT):
        value = value - 1.0 / (z + float(i))
    far = z + float(_SHIFT)
    value = value + _op("log", far) - 0.5 / far
    power = 1.0 / (far * far)
    for n, factor in enumerate(_STIRLING):
        value = value - (2 * n + 1) * factor * power
        power = power / (far * far)
    angle = math.pi * _select(below, x - _op("floor", x), 0.25)
    return _select(below, value - math.pi * _op("cos", angle) / _op("sin", angle), value)


@function("math.lbeta", "lbeta")
def lbeta(x: Any, name: Any = None) -> Tensor:
    """The logarithm of the beta function along the last axis."""
    x = tensor(x)
    return K.sum(lgamma(x), axis=-1) - lgamma(K.sum(x, axis=-1))


@function("math.erfinv", "erfinv")
def erfinv(x: Any, name: Any = None) -> Tensor:
    """The inverse of erf: a guess (Winitzki 2008), and Newton's steps of it, of the third order."""
    x = tensor(x)
    log = _op("log", (1.0 - x) * (1.0 + x))
    half = 2 / (math.pi * 0.147) + 0.5 * log
    guess = _op("sign", x) * _op("sqrt", _op("sqrt", half * half - log / 0.147) - half)
    for _ in range(3):
        step = (_op("erf", guess) - x) * (math.sqrt(math.pi) / 2) * _op("exp", guess * guess)
        guess = guess - step / (1.0 + guess * step)
    edge = _op("equal", _op("abs", x), 1.0)
    y = graph.apply("stop_gradient", [_select(edge, x * np.inf, guess)])
    found: list[Tensor] = []
    outputs = graph.with_gradient([x], [y], lambda g: [g * (math.sqrt(math.pi) / 2) * _op("exp", found[0] * found[0])])
    found.append(outputs[0])
    return outputs[0]


@function("math.erfcinv", "erfcinv")
def erfcinv(x: Any, name: Any = None) -> Tensor:
    return erfinv(1.0 - tensor(x))


@function("math.ndtri", "ndtri")
def ndtri(x: Any, name: Any = None) -> Tensor:
    """The value below which the normal distribution has this share."""
    return math.sqrt(2) * erfinv(2.0 * tensor(x) - 1.0)


@for_scripts("math.bessel_i0", "math.special.bessel_i0")
def bessel_i0(x: Any, name: Any = None) -> Tensor:
    x = tensor(x)
    return differentiable(lambda v: np.i0(v).astype(v.dtype), lambda y, g: [g * bessel_i1(x)], x)


@for_scripts("math.bessel_i1", "math.special.bessel_i1")
def bessel_i1(x: Any, name: Any = None) -> Tensor:
    """The mean of exp(x cos t) cos t over a half turn."""
    x = tensor(x)

    def value(v: np.ndarray) -> np.ndarray:
        t = (np.arange(512) + 0.5) * np.pi / 512
        return (np.exp(np.multiply.outer(v.astype("float64"), np.cos(t))) * np.cos(t)).mean(-1).astype(v.dtype)

    return differentiable(value, lambda y, g: [g * (bessel_i0(x) - y / x)], x)


# -- with care at zero ---------------------------------------------------------------------------------------------------
@function("math.xlog1py", "xlog1py")
def xlog1py(x: Any, y: Any, name: Any = None) -> Tensor:
    """x * log(1 + y), and 0 where x is 0."""
    x, y = tensors(x, y)
    zero = _op("equal", x, 0.0)
    return _select(zero, tensor(0.0, x.dtype), x * _op("log1p", _select(zero, tensor(0.0, y.dtype), y)))


@function("math.xdivy", "xdivy")
def xdivy(x: Any, y: Any, name: Any = None) -> Tensor:
    """x / y, and 0 where x is 0."""
    x, y = tensors(x, y)
    zero = _op("equal", x, 0.0)
    return _select(zero, tensor(0.0, x.dtype), x / _select(zero, tensor(1.0, y.dtype), y))


@function("math.reciprocal_no_nan", "reciprocal_no_nan")
def reciprocal_no_nan(x: Any, name: Any = None) -> Tensor:
    """1 / x, and 0 where x is 0."""
    x = tensor(x)
    return divide_no_nan(K.ones_like(x), x)


@function("math.rint", "rint")
def rint(x: Any, name: Any = None) -> Tensor:
    return _op("round", tensor(x))


@function("truncatediv")
def truncatediv(x: Any, y: Any, name: Any = None) -> Tensor:
    """The quotient of integers, rounded towards zero."""
    x, y = tensors(x, y)
    return _op("sign", x) * _op("sign", y) * _op("floor_div", _op("abs", x), _op("abs", y))


@function("truncatemod")
def truncatemod(x: Any, y: Any, name: Any = None) -> Tensor:
    """The remainder with the sign of x."""
    x, y = tensors(x, y)
    return _op("sign", x) * _op("mod", _op("abs", x), _op("abs", y))


@function("math.polyval")
def polyval(coeffs: Any, x: Any, name: Any = None) -> Tensor:
    """The polynomial with these coefficients, of the highest power first."""
    x = tensor(x)
    total: Any = K.zeros_like(x)
    for c in coeffs:
        total = total * x + tensor(c, x.dtype)
    return total


@function("math.cumulative_logsumexp")
def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: Any = None
) -> Tensor:
    """The logarithms of the running sums of exponentials; -inf of none."""
    x = tensor(x)
    axis = int(axis) % x.ndim
    n = dims(x)[axis]
    before = K.expand_dims(K.arange(n), 0) <= K.expand_dims(K.arange(n), 1)
    if exclusive:
        before = K.expand_dims(K.arange(n), 0) < K.expand_dims(K.arange(n), 1)
    if reverse:
        before = K.permute_dimensions(before, (1, 0))
    order = [a for a in range(x.ndim) if a != axis] + [axis]
    rows = K.expand_dims(K.permute_dimensions(x, order), -2)
    masked = _select(before, rows, tensor(-np.inf, x.dtype))
    top = graph.apply("maximum", [K.max(masked, axis=-1, keepdims=True), float(np.finfo(x.dtype).min)])
    summed = _op("log", K.sum(_op("exp", masked - top), axis=-1)) + K.squeeze(top, -1)
    return K.permute_dimensions(summed, [order.index(a) for a in range(x.ndim)])
