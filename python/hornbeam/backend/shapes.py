"""Changing shapes: reshape, permute, repeat, pad, slice, stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor, as_integer, floatx
from ..settings import settings
from .axes import axis_of, normalize_axes
from .common import normalize_data_format
from .creation import arange
from .variables import int_shape


def dims_of(x: Tensor) -> list:
    """The dims of x: numbers where known, else int32 scalar tensors, fit for :func:`reshape`."""
    return [graph.shape_of(x)[i] if d is None else d for i, d in enumerate(x.shape)]


def reshape(x: Tensor, shape: Any) -> Tensor:
    """Another shape for the same elements; one dim may be -1, and dims may be scalar tensors."""
    return graph.reshape(graph.convert(x), shape)


def permute_dimensions(x: Tensor, pattern: Sequence[int]) -> Tensor:
    """Reorder the axes: axis i of the result is axis ``pattern[i]`` of x."""
    x = graph.convert(x)
    pattern = [axis_of(x, a) for a in pattern]
    return x if pattern == list(range(x.ndim)) else graph.apply("transpose", [x], perm=pattern)


def expand_dims(x: Tensor, axis: int = -1) -> Tensor:
    """Insert an axis of length 1 at ``axis``."""
    x = graph.convert(x)
    return graph.apply("expand_dims", [x], axis=axis_of(x, axis, new=True))


def squeeze(x: Tensor, axis: int) -> Tensor:
    """Remove an axis of length 1."""
    x = graph.convert(x)
    return graph.apply("squeeze", [x], axes=[axis_of(x, axis)])


def flatten(x: Tensor) -> Tensor:
    """All elements in one axis."""
    return reshape(x, [-1])


def batch_flatten(x: Tensor) -> Tensor:
    """All axes but the first in one: shape (batch, features)."""
    rest: tuple[Any, ...] = x.shape[1:]
    features = -1 if None in rest else int(np.prod(rest))
    return reshape(x, [dims_of(x)[0] if features == -1 else -1, features])


def concatenate(tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
    """Join tensors along an axis.

    Raises:
        ValueError: no tensors, or shapes that differ elsewhere.
    """
    tensors = list(tensors)
    if not tensors:
        raise ValueError("`K.concatenate` needs at least one tensor.")
    return graph.apply("concat", tensors, axis=axis_of(graph.convert(tensors[0]), axis))


def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Raises:
        ValueError: no tensors, or shapes that differ.
    """
    tensors = [graph.convert(t) for t in x]
    if not tensors:
        raise ValueError("`K.stack` needs at least one tensor.")
    for t in tensors:
        if t.ndim != tensors[0].ndim or any(m != n for m, n in zip(t.shape, tensors[0].shape) if None not in (m, n)):
            raise ValueError(f"`K.stack` needs tensors of one shape, got {tensors[0].shape} and {t.shape}.")
    axis = axis_of(tensors[0], axis, new=True)
    return graph.apply("concat", [expand_dims(t, axis) for t in tensors], axis=axis)


def reverse(x: Tensor, axes: int | Sequence[int]) -> Tensor:
    """Reverse the order along axes."""
    x = graph.convert(x)
    return graph.apply("reverse", [x], axes=normalize_axes(x, axes))


def slice(x: Tensor, start: Any, size: Any) -> Tensor:
    """The part of x that begins at ``start`` and has ``size``; a size of -1 goes to the end.

    Raises:
        ValueError: start or size do not have one entry per axis.
    """
    starts, sizes = _entries(start), _entries(size)
    if not x.ndim == len(starts) == len(sizes):
        raise ValueError("The dimension and the size of indices should match.")
    for axis, (first, n) in enumerate(zip(starts, sizes)):
        if isinstance(first, Tensor) and first.ints is None and isinstance(n, int) and n >= 0:
            # Where it begins is known only while running, its size is not: rows are taken by their numbers.
            x = graph.apply("gather", [x, first + arange(n, dtype=first.dtype)], axis=axis)
            starts[axis], sizes[axis] = 0, -1
    open_end = sum(1 << i for i, n in enumerate(sizes) if isinstance(n, int) and n == -1)
    ends = [0 if isinstance(n, int) and n == -1 else s + n for s, n in zip(starts, sizes)]
    return graph.apply(
        "slice",
        [x, graph.shape_tensor(starts), graph.shape_tensor(ends)],
        strides=[1] * x.ndim,
        begin_mask=0,
        end_mask=open_end,
    )


def _entries(values: Any) -> list:
    if isinstance(values, Tensor):
        return [values[i] for i in range(int_shape(values)[0])]
    return [v if isinstance(v, Tensor) else as_integer(v, "a begin or size") for v in values]


# -- repetition -------------------------------------------------------------------------------------------
def tile(x: Tensor, n: Any) -> Tensor:
    """Repeat x ``n[i]`` times along axis i; a number, or fewer numbers than axes, repeat the last axes.

    Raises:
        ValueError: more numbers than axes.
    """
    x = graph.convert(x)
    if isinstance(n, (int, np.integer)):
        n = [n]
    if not isinstance(n, Tensor):
        n = [1] * (x.ndim - len(n)) + list(n)
    return graph.apply("tile", [x, graph.shape_tensor(n)])


def repeat(x: Tensor, n: Any) -> Tensor:
    """(batch, features) to (batch, n, features).

    Raises:
        ValueError: x does not have two axes.
    """
    if x.ndim != 2:
        raise ValueError(f"`K.repeat` expects a tensor with 2 axes, got shape {x.shape}.")
    return tile(expand_dims(x, 1), [1, n, 1])


def repeat_elements(x: Tensor, rep: int, axis: int) -> Tensor:
    """Repeat each element along an axis: with rep 2, a b becomes a a b b."""
    return _repeat_each(x, {axis_of(x, axis): rep if isinstance(rep, Tensor) else as_integer(rep, "`rep`")})


def _repeat_each(x: Tensor, reps: dict[int, int]) -> Tensor:
    """Repeat along several axes at once: tile a new axis after each, then merge the two."""
    dims = dims_of(x)
    split: list = []
    times: list[int] = []
    merged: list = []
    for axis, dim in enumerate(dims):
        rep = reps.get(axis, 1)
        split += [dim] if rep == 1 else [dim, 1]
        times += [1] if rep == 1 else [1, rep]
        merged.append(dim * rep)
    return reshape(tile(reshape(x, split), times), merged) if len(split) > len(dims) else x


def one_hot(indices: Tensor, num_classes: int) -> Tensor:
    """Rows of zeros with a one at each index: shape (..., num_classes), dtype floatx."""
    return graph.apply("one_hot", [indices], depth=as_integer(num_classes, "`num_classes`"), dtype=floatx())


# -- padding ----------------------------------------------------------------------------------------------
def _pad(x: Tensor, pairs: Sequence[tuple[int, int]], first: int) -> Tensor:
    before, after = [0] * x.ndim, [0] * x.ndim
    for axis, (b, a) in enumerate(pairs, start=first):
        before[axis], after[axis] = as_integer(b, "padding"), as_integer(a, "padding")
    return graph.apply("pad", [x], before=before, after=after, value=0.0)


def temporal_padding(x: Tensor, padding: tuple[int, int] = (1, 1)) -> Tensor:
    """Zeros before and after the middle axis of a tensor (batch, steps, features)."""
    if len(padding) != 2:
        raise ValueError(f"`padding` must be a pair (left, right), got {padding}")
    if x.ndim != 3:
        raise ValueError(f"`K.temporal_padding` expects a tensor (batch, steps, features), got shape {x.shape}")
    return _pad(x, [padding], 1)


def spatial_2d_padding(
    x: Tensor, padding: Sequence[tuple[int, int]] = ((1, 1), (1, 1)), data_format: str | None = None
) -> Tensor:
    """Zeros around the two image axes: ((top, bottom), (left, right))."""
    return _spatial_padding(x, padding, data_format, 2)


def spatial_3d_padding(
    x: Tensor, padding: Sequence[tuple[int, int]] = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Tensor:
    """Zeros around the three volume axes."""
    return _spatial_padding(x, padding, data_format, 3)


def _spatial_padding(x: Tensor, padding: Sequence, data_format: str | None, n: int) -> Tensor:
    if x.ndim != n + 2:
        raise ValueError(f"padding of {n} axes expects a tensor with {n + 2} axes, got shape {x.shape}")
    if len(padding) != n or any(len(p) != 2 for p in padding):
        raise ValueError(f"`padding` must hold {n} pairs, got {padding}")
    return _pad(x, padding, 1 if normalize_data_format(data_format) == "channels_last" else 2)


# -- resizing ---------------------------------------------------------------------------------------------
def interpolation_meant(name: str) -> str:
    """What the name of a way to enlarge images means in the dialect, in names that mean the same in both.

    Raises:
        ValueError: another name.
    """
    if name not in ("nearest", "bilinear", "bilinear_half_pixel"):
        raise ValueError(f"interpolation should be one of 'nearest' or 'bilinear', got {name!r}")
    return "bilinear_half_pixel" if name == "bilinear" and settings.dialect.half_pixels else name


def resize_images(
    x: Tensor, height_factor: int, width_factor: int, data_format: str | None, interpolation: str = "nearest"
) -> Tensor:
    """Enlarge images by whole factors.

    Args:
        interpolation: ``'nearest'`` repeats pixels; ``'bilinear'`` interpolates between the pixel at ``i / factor``
            and the next, as TensorFlow 1 did (pixel i of the input lies at ``i * factor``);
            ``'bilinear_half_pixel'`` as TensorFlow 2 does (its middle lies at ``(i + 0.5) * factor``).

    Raises:
        ValueError: another interpolation or data format.
    """
    interpolation = interpolation_meant(interpolation)
    first = normalize_data_format(data_format) == "channels_first"
    if first:
        x = permute_dimensions(x, [0, 2, 3, 1])
    if interpolation == "bilinear_half_pixel":
        y = _resize_half_pixel(x, height_factor, width_factor)
    else:
        y = _resize(x, height_factor, width_factor, interpolation)
    return permute_dimensions(y, [0, 3, 1, 2]) if first else y


def _resize(x: Tensor, height_factor: int, width_factor: int, interpolation: str) -> Tensor:
    height, width = dims_of(x)[1:3]
    size = graph.shape_tensor([height * height_factor, width * width_factor])
    return graph.apply("resize", [x, size], interpolation=interpolation)


def _resize_half_pixel(x: Tensor, height_factor: int, width_factor: int) -> Tensor:
    """With the edges repeated and twice the factor, the middles of the new pixels lie on every second one of TensorFlow 1."""
    x = concatenate([x[:, :1], x, x[:, -1:]], axis=1)
    x = concatenate([x[:, :, :1], x, x[:, :, -1:]], axis=2)
    y = _resize(x, 2 * height_factor, 2 * width_factor, "bilinear")
    h, w = 1 + height_factor, 1 + width_factor
    return y[:, h : -3 * height_factor : 2, w : -3 * width_factor : 2]


def resize_volumes(
    x: Tensor, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None
) -> Tensor:
    """Enlarge volumes by whole factors, repeating voxels."""
    first = 1 if normalize_data_format(data_format) == "channels_last" else 2
    return _repeat_each(x, {first: depth_factor, first + 1: height_factor, first + 2: width_factor})
