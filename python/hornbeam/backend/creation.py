"""Tensors and variables of given contents: zeros, ones, ranges, random variables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor, floatx
from . import random
from .variables import constant, variable


def zeros(shape: int | Sequence[int] | Tensor, dtype: str | None = None, name: str | None = None) -> Tensor:
    """A variable of zeros; a tensor of zeros where ``shape`` holds tensors."""
    return _filled(shape, 0, dtype, name)


def ones(shape: int | Sequence[int] | Tensor, dtype: str | None = None, name: str | None = None) -> Tensor:
    """A variable of ones; a tensor of ones where ``shape`` holds tensors."""
    return _filled(shape, 1, dtype, name)


def _filled(shape: Any, value: float, dtype: str | None, name: str | None) -> Tensor:
    dtype = dtype or floatx()
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    if isinstance(shape, Tensor) or any(isinstance(d, Tensor) for d in shape):
        return fill(shape, value, dtype)
    return variable(np.full(tuple(graph.as_integer(d) for d in shape), value, dtype), dtype, name)


def fill(shape: Any, value: float, dtype: str | None = None) -> Tensor:
    """A tensor of the given shape (numbers and scalar tensors mixed) that holds ``value`` everywhere."""
    return graph.apply("fill", [graph.shape_tensor(shape)], value=float(value), dtype=dtype or floatx())


def eye(size: int | Sequence[int], dtype: str | None = None, name: str | None = None) -> Tensor:
    """A variable that holds the identity matrix; ``size`` may be (rows, columns)."""
    rows, columns = (size, size) if isinstance(size, (int, np.integer)) else size
    return variable(np.eye(graph.as_integer(rows), graph.as_integer(columns)), dtype, name)


def zeros_like(x: Tensor, dtype: str | None = None, name: str | None = None) -> Tensor:
    """Zeros in the shape that ``x`` has when run."""
    return fill_like(x, 0, dtype)


def ones_like(x: Tensor, dtype: str | None = None, name: str | None = None) -> Tensor:
    """Ones in the shape that ``x`` has when run."""
    return fill_like(x, 1, dtype)


def fill_like(x: Any, value: float, dtype: str | None = None) -> Tensor:
    x = graph.convert(x)
    if None not in x.shape and not x.shape:
        return graph.constant(value, dtype or x.dtype)
    return fill(graph.shape_of(x), value, dtype or x.dtype)


def identity(x: Any, name: str | None = None) -> Tensor:
    """A new tensor with the same content."""
    return graph.apply("identity", [x])


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str = "int32") -> Tensor:
    """``start, start + step, ...`` up to and without ``stop``; ``arange(n)`` counts from 0 to n - 1.

    Bounds are numbers or integer scalar tensors. Of fractions (Python floats) the default dtype makes float32.
    """
    if stop is None:
        start, stop = 0, start
    bounds = start, stop, step
    if any(isinstance(v, (float, np.floating)) for v in bounds) and not any(isinstance(v, Tensor) for v in bounds):
        steps = (stop - start) / step
        if not math.isfinite(steps):
            raise ValueError(f"`K.arange` cannot count from {start} to {stop} by {step}.")
        count = max(math.ceil(steps), 0)
        values = graph.cast(arange(count), "float32") * float(step) + float(start)
        return values if dtype == "int32" else graph.cast(values, dtype)
    integers = [graph.cast(v, "int64") if isinstance(v, Tensor) else constant(v, "int64") for v in bounds]
    return graph.apply("arange", integers, dtype=dtype)


def random_uniform_variable(
    shape: Sequence[int],
    low: float,
    high: float,
    dtype: str | None = None,
    name: str | None = None,
    seed: int | None = None,
) -> Tensor:
    """A variable drawn from the uniform distribution on [low, high)."""
    return variable(random.random_uniform(shape, low, high, dtype, seed), dtype, name)


def random_normal_variable(
    shape: Sequence[int],
    mean: float,
    scale: float,
    dtype: str | None = None,
    name: str | None = None,
    seed: int | None = None,
) -> Tensor:
    """A variable drawn from the normal distribution with the given mean and standard deviation."""
    return variable(random.random_normal(shape, mean, scale, dtype, seed), dtype, name)
