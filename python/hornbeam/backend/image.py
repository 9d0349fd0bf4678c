"""Images (batch, height, width, channels) of another size or in another place, as TensorFlow 2 means it.

The middle of pixel i lies at i + 0.5, in the input as in the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import math
from .creation import arange
from .shapes import dims_of, expand_dims, reshape


def resize_to(x: Tensor, size: Sequence[int], interpolation: str = "bilinear") -> Tensor:
    """Images of (height, width) ``size``: ``'bilinear'`` between the four nearest pixels, or the ``'nearest'`` one.

    Raises:
        ValueError: another interpolation.
    """
    if interpolation not in ("bilinear", "nearest"):
        raise ValueError(f"Images are resized by 'bilinear' or 'nearest' interpolation here, not by {interpolation!r}.")
    for axis, length in zip((1, 2), size):
        if x.shape[axis] != length:
            x = _resize_axis(x, axis, length, interpolation)
    return x


def _resize_axis(x: Tensor, axis: int, length: Any, interpolation: str) -> Tensor:
    old = dims_of(x)[axis]
    if isinstance(old, int) and isinstance(length, int):
        at: Any = (np.arange(length, dtype="float32") + np.float32(0.5)) * np.float32(old / length)
        at = graph.constant(at)
    else:
        scale = graph.cast(graph.convert(old), "float32") / graph.cast(graph.convert(length), "float32")
        at = (graph.cast(arange(length, dtype="int32"), "float32") + 0.5) * scale
    if interpolation == "nearest":
        return _taken(x, axis, at, old)
    low = graph.apply("floor", [at - 0.5])
    share = reshape(graph.cast(at - 0.5 - low, x.dtype), [-1 if a == axis else 1 for a in range(x.ndim)])
    before, behind = _taken(x, axis, low, old), _taken(x, axis, low + 1.0, old)
    return before + (behind - before) * share


def _taken(x: Tensor, axis: int, at: Tensor, length: Any) -> Tensor:
    """The pixels whose numbers are ``at``, rounded down; those outside are the last ones at the edge."""
    numbers = math.minimum(math.maximum(graph.cast(at, "int32"), 0), graph.cast(graph.convert(length), "int32") - 1)
    return graph.apply("gather", [x, numbers], axis=axis)


def crop(x: Tensor, top: Any, left: Any, height: Any, width: Any) -> Tensor:
    """The rows from ``top`` and columns from ``left`` on; numbers, or scalar tensors known when run."""
    rows, columns = arange(height, dtype="int32") + top, arange(width, dtype="int32") + left
    return graph.apply("gather", [graph.apply("gather", [x, rows], axis=1), columns], axis=2)


def fit(x: Tensor, size: tuple[int, int], interpolation: str = "bilinear") -> Tensor:
    """The largest middle part with the proportions of ``size``, resized to it.

    Raises:
        ValueError: the height or width of x is not known.
    """
    (height, width), (new_height, new_width) = x.shape[1:3], size
    if height is None or width is None:
        raise ValueError(f"To keep proportions, images must have a known height and width, got shape {x.shape}.")
    rows, columns = min(height, width * new_height // new_width), min(width, height * new_width // new_height)
    top, left = (height - rows) // 2, (width - columns) // 2
    return resize_to(x[:, top : top + rows, left : left + columns], size, interpolation)


# -- moving ---------------------------------------------------------------------------------------------------
def transform(
    x: Tensor,
    matrix: Sequence[Any],
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    interpolation: str = "bilinear",
) -> Tensor:
    """Images whose pixel (column, row) is what x has at ``(a column + b row + c, d column + e row + f)``.

    Args:
        matrix: a, b, c, d, e, f: numbers, or tensors with one number per image.
        fill_mode: what lies outside: ``'constant'``, ``'nearest'`` (the last pixel), ``'wrap'``, or ``'reflect'``
            (mirrored, the last pixel twice).
        fill_value: the constant.
        interpolation: ``'bilinear'`` or ``'nearest'``.

    Raises:
        ValueError: another mode or interpolation.
    """
    if fill_mode not in ("constant", "nearest", "wrap", "reflect") or interpolation not in ("bilinear", "nearest"):
        raise ValueError(f"Unknown fill_mode {fill_mode!r} or interpolation {interpolation!r}.")
    dims = dims_of(x)
    height, width = (graph.cast(graph.convert(d), "float32") for d in dims[1:3])
    rows = expand_dims(graph.cast(arange(dims[1], dtype="int32"), "float32"), 1)
    columns = expand_dims(graph.cast(arange(dims[2], dtype="int32"), "float32"), 0)
    a, b, c, d, e, f = (v if not isinstance(v, Tensor) else reshape(v, [-1, 1, 1]) for v in matrix)
    across, down = a * columns + b * rows + c, d * columns + e * rows + f
    across, down = _folded(across, width, fill_mode), _folded(down, height, fill_mode)
    # All images as one list of pixels, of which each output pixel takes some.
    pixels = reshape(x, [-1, dims[3]])
    first = reshape(arange(dims[0], dtype="int32"), [-1, 1, 1]) * (_integer(dims[1]) * _integer(dims[2]))

    def at(row: Tensor, column: Tensor) -> Tensor:
        inside = [_clipped(row, height), _clipped(column, width)]
        row_number, column_number = (graph.cast(v, "int32") for v in inside)
        found = graph.apply("gather", [pixels, first + row_number * _integer(dims[2]) + column_number], axis=0)
        if fill_mode != "constant":
            return found
        seen = graph.apply("logical_and", [math.equal(inside[0], row), math.equal(inside[1], column)])
        return math.where(expand_dims(seen, -1), found, graph.constant(fill_value, x.dtype))

    if interpolation == "nearest":
        moved = at(graph.apply("floor", [down + 0.5]), graph.apply("floor", [across + 0.5]))
    else:
        top, left = graph.apply("floor", [down]), graph.apply("floor", [across])
        low, right = (expand_dims(graph.cast(v, x.dtype), -1) for v in (down - top, across - left))
        above = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right
        below = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right
        moved = above * (1.0 - low) + below * low
    return reshape(moved, dims)


def _integer(length: Any) -> Any:
    return graph.cast(length, "int32") if isinstance(length, Tensor) else length


def _clipped(at: Tensor, length: Tensor) -> Tensor:
    return math.minimum(math.maximum(at, 0.0), length - 1.0)


def _folded(at: Tensor, length: Tensor, fill_mode: str) -> Tensor:
    """Coordinates brought back into the image, where the mode has it so."""
    if fill_mode == "constant":
        return at
    if fill_mode == "reflect":  # ... 1 0 | 0 1 ... n-1 | n-1 n-2 ..., with period 2n
        at = at - 2.0 * length * graph.apply("floor", [at / (2.0 * length)])
        at = math.where(math.greater_equal(at, length), 2.0 * length - at - 1.0, at)
    elif fill_mode == "wrap":  # counted in steps of n - 1, each of which moves by n: TensorFlow's way of it
        step = math.maximum(length - 1.0, 1.0)
        below = at + length * (graph.apply("floor", [-at / step]) + 1.0)
        above = at - length * graph.apply("floor", [at / step])
        at = math.where(math.less(at, 0.0), below, math.where(math.greater(at, length - 1.0), above, at))
    return _clipped(at, length)
