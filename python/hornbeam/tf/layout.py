"""Shapes: reshape, transpose, join, cut, repeat, pad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..backend.creation import fill as filled
from ..graph import Tensor
from . import k as K
from .common import along, axes, dim, dims, dtype_name, entries, first_given, number, product, tensor, tensors
from .table import for_scripts, function


@function("identity", "ensure_shape")
def identity(input: Any, *shape: Any, name: Any = None) -> Tensor:
    return graph.apply("identity", [tensor(input)])


@function("stop_gradient")
def stop_gradient(input: Any, name: Any = None) -> Tensor:
    return graph.apply("stop_gradient", [tensor(input)])


# -- asking -----------------------------------------------------------------------------------------------
@function("shape")
def shape(input: Any, name: Any = None, out_type: Any = "int32") -> Tensor:
    return graph.cast(graph.shape_of(tensor(input)), dtype_name(out_type))


@function("size")
def size(input: Any, name: Any = None, out_type: Any = "int32") -> Tensor:
    return graph.cast(tensor(product(dims(tensor(input)))), dtype_name(out_type))


@function("rank")
def rank(input: Any, name: Any = None) -> Tensor:
    return graph.constant(tensor(input).ndim, "int32")


# -- the same elements in another shape or order ------------------------------------------------------------
@function("reshape")
def reshape(tensor: Any, shape: Any, name: Any = None) -> Tensor:
    return K.reshape(tensor, shape if isinstance(shape, Tensor) else entries(shape))


@function("transpose")
def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: Any = None) -> Tensor:
    a = tensor(a)
    return K.permute_dimensions(a, list(range(a.ndim))[::-1] if perm is None else [number(p) for p in perm])


@function("linalg.matrix_transpose", "matrix_transpose")
def matrix_transpose(a: Any, name: Any = None, conjugate: bool = False) -> Tensor:
    a = tensor(a)
    return K.permute_dimensions(a, [*range(a.ndim - 2), a.ndim - 1, a.ndim - 2])


@function("expand_dims")
def expand_dims(input: Any, axis: Any = None, name: Any = None, dim: Any = None) -> Tensor:
    axis = axes(first_given(axis, dim, -1))
    return K.expand_dims(input, axis[0] if isinstance(axis, list) else axis)


@function("squeeze")
def squeeze(input: Any, axis: Any = None, name: Any = None, squeeze_dims: Any = None) -> Tensor:
    """Without ``axis``, all axes that are known to have length 1."""
    x = tensor(input)
    over = axes(first_given(axis, squeeze_dims))
    if over is None or over == []:
        over = [i for i, n in enumerate(x.shape) if n == 1]
    over = sorted({a % x.ndim for a in np.ravel(over).astype(int).tolist()})
    return graph.apply("squeeze", [x], axes=over) if over else x


@function("reverse")
def reverse(tensor: Any, axis: Any, name: Any = None) -> Tensor:
    return K.reverse(tensor, axes(axis))


@function("roll")
def roll(input: Any, shift: Any, axis: Any, name: Any = None) -> Tensor:
    x = tensor(input)
    for by, a in zip(np.ravel(shift).tolist(), np.ravel(axis).tolist()):
        a %= x.ndim
        length = x.shape[a]
        if length is None:
            raise ValueError(f"tf.roll needs a known length of axis {a}, got shape {x.shape}")
        cut = -by % length if length else 0
        if cut:
            x = K.concatenate([x[along(a, slice(cut, None))], x[along(a, slice(None, cut))]], axis=a)
    return x


# -- joining and cutting ------------------------------------------------------------------------------------
@function("concat")
def concat(values: Any, axis: Any = None, name: Any = "concat", concat_dim: Any = None) -> Tensor:
    if isinstance(values, Tensor):
        return values
    return K.concatenate(tensors(*values), axis=number(first_given(axis, concat_dim)))


@function("stack", "parallel_stack")
def stack(values: Any, axis: Any = 0, name: Any = "stack") -> Tensor:
    return K.stack(unstack(values) if isinstance(values, Tensor) else tensors(*values), axis=number(axis))


@function("unstack")
def unstack(value: Any, num: Any = None, axis: Any = 0, name: Any = "unstack") -> list[Tensor]:
    """The slices along an axis.

    Raises:
        ValueError: the axis has no known length, and ``num`` is not given.
    """
    value = tensor(value)
    axis = number(axis) % value.ndim
    count = first_given(value.shape[axis], num)
    if count is None:
        raise ValueError(f"tf.unstack needs a known size of axis {axis}, got shape {value.shape}")
    return [value[along(axis, i)] for i in range(count)]


@function("split")
def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: Any = "split") -> list[Tensor]:
    """Parts of equal or given sizes along an axis; one size may be -1 for what is left.

    Raises:
        ValueError: the sizes do not add up.
    """
    value = tensor(value)
    axis = number(axis) % value.ndim
    length = value.shape[axis]
    if isinstance(num_or_size_splits, (list, tuple, np.ndarray)):
        sizes = [number(n) for n in num_or_size_splits]
        if sizes.count(-1) == 1 and length is not None:
            sizes[sizes.index(-1)] = length - sum(sizes) - 1
        if min(sizes, default=0) < 0 or (length is not None and sum(sizes) != length):
            raise ValueError(f"tf.split cannot cut {length} into {sizes}")
    else:
        count = number(num_or_size_splits)
        if count < 1 or (length or 0) % count:
            raise ValueError(f"tf.split cannot cut {length} into {count} parts")
        sizes = [dim(value, axis) // count] * count
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [value[along(axis, slice(at, at + n))] for at, n in zip(starts, sizes)]


@function("slice")
def slice_(input_: Any, begin: Any, size: Any, name: Any = None) -> Tensor:
    return K.slice(tensor(input_), begin, size)


def getitem(tensor: Any, slice_spec: Any, var: Any = None) -> Tensor:
    """``tensor[slice_spec]``: numbers, None and ``{start, stop, step}`` as files hold them."""
    items = slice_spec if isinstance(slice_spec, (list, tuple)) else [slice_spec]
    return tensor[tuple(_index(item) for item in items)]


function("__operators__.getitem")(getitem)


def _index(item: Any) -> Any:
    if isinstance(item, dict):
        if {"start", "stop", "step"} <= set(item):
            return slice(item["start"], item["stop"], item["step"])
        if "ellipsis" in str(item.get("class_name")).lower():
            return Ellipsis
    if item == "Ellipsis":
        return Ellipsis
    if item is None or isinstance(item, int):
        return item
    raise ValueError(f"unknown index {str(item)[:100]}")


@function("strided_slice")
def strided_slice(
    input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0,
    new_axis_mask: int = 0, shrink_axis_mask: int = 0, var: Any = None, name: Any = None,
) -> Tensor:  # fmt: skip
    """TensorFlow's form of an index: three lists of numbers, and bits that say what they are not to mean."""
    items: list[Any] = []
    for i, (start, stop, step) in enumerate(zip(begin, end, [1] * len(begin) if strides is None else strides)):
        bit = 1 << i
        if ellipsis_mask & bit:
            items.append(Ellipsis)
        elif new_axis_mask & bit:
            items.append(None)
        elif shrink_axis_mask & bit:
            items.append(_bound(start))
        else:
            start, stop = None if begin_mask & bit else _bound(start), None if end_mask & bit else _bound(stop)
            items.append(slice(start, stop, int(step)))
    return tensor(input_)[tuple(items)]


def _bound(value: Any) -> Any:
    return value if isinstance(value, Tensor) else int(value)


# -- repeating and filling ------------------------------------------------------------------------------------
@function("tile")
def tile(input: Any, multiples: Any, name: Any = None) -> Tensor:
    if not isinstance(multiples, Tensor):
        multiples = [m if isinstance(m, Tensor) else int(m) for m in multiples]
    return K.tile(tensor(input), multiples)


@function("repeat")
def repeat(input: Any, repeats: Any, axis: Any = None, name: Any = None) -> Tensor:
    """Each element ``repeats`` times along an axis; without one, of all elements in a row.

    ``repeats`` is a number, or one for each element.
    """
    x = tensor(input)
    if axis is None:
        x, axis = K.reshape(x, [-1]), 0
    axis = number(axis) % x.ndim
    if not isinstance(repeats, (int, Tensor)) and np.size(repeats) > 1:
        places = np.repeat(np.arange(len(repeats)), np.asarray(repeats))
        return graph.apply("gather", [x, graph.constant(places)], axis=axis)
    times = repeats if isinstance(repeats, Tensor) else int(np.ravel(repeats)[0])
    sizes = dims(x)
    wide = K.expand_dims(x, axis + 1)
    wide = K.tile(wide, [times if a == axis + 1 else 1 for a in range(wide.ndim)])
    return K.reshape(wide, [*sizes[:axis], sizes[axis] * times, *sizes[axis + 1 :]])


@function("broadcast_to")
def broadcast_to(input: Any, shape: Any, name: Any = None) -> Tensor:
    return graph.apply("broadcast_to", [tensor(input), graph.shape_tensor(shape)])


@for_scripts("broadcast_static_shape")
def broadcast_static_shape(shape_x: Any, shape_y: Any) -> tuple:
    """The shape of what tensors of two shapes broadcast to."""
    return np.broadcast_shapes(tuple(shape_x), tuple(shape_y))


@function("broadcast_dynamic_shape")
def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The same of shapes that are known when run: vectors of integers, of known lengths."""
    x, y = (tensor(shape, None if isinstance(shape, Tensor) else "int32") for shape in (shape_x, shape_y))
    rank = max(x.shape[0], y.shape[0])
    x, y = (K.concatenate([graph.constant([1] * (rank - s.shape[0]), s.dtype), s]) for s in (x, y))
    return K.maximum(x, y)


@function("pad")
def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: Any = None) -> Tensor:
    """More before and after each axis: a constant, or the reflected elements without (REFLECT) or with (SYMMETRIC) the edge.

    Raises:
        ValueError: another mode, or not a pair for each axis.
    """
    x = graph.convert(tensor)
    pairs = [tuple(_bound(n) for n in pair) for pair in paddings]
    if len(pairs) != x.ndim:
        raise ValueError(f"tf.pad needs a pair for each of {x.ndim} axes, got {len(pairs)}")
    mode = mode.upper()
    if mode == "CONSTANT" and not any(isinstance(n, Tensor) for pair in pairs for n in pair):
        before, after = ([pair[i] for pair in pairs] for i in (0, 1))
        return graph.apply("pad", [x], before=before, after=after, value=float(constant_values))
    if mode not in _FILLINGS:
        raise ValueError(f"tf.pad has no mode {mode!r}: CONSTANT, REFLECT, SYMMETRIC")
    for axis, (before, after) in enumerate(pairs):
        x = _FILLINGS[mode](x, axis, before, after, constant_values)
    return x


def _constant(x: Tensor, axis: int, before: Any, after: Any, value: Any) -> Tensor:
    """With sizes known only when run; a negative one, as a choice not taken may compute it, adds nothing."""
    sizes = [K.maximum(n, 0) if isinstance(n, Tensor) else n for n in (before, after)]
    edges = [filled([*dims(x)[:axis], n, *dims(x)[axis + 1 :]], value, x.dtype) for n in sizes]
    return K.concatenate([edges[0], x, edges[1]], axis=axis)


def _mirror(edge: int) -> Callable:
    """Of the elements at the edge, the first ``edge`` (0 or 1) is left out."""

    def fill(x: Tensor, axis: int, before: Any, after: Any, value: Any) -> Tensor:
        parts = [x]
        if not isinstance(before, int) or before:
            parts.insert(0, K.reverse(x[along(axis, slice(edge, edge + before))], axis))
        if not isinstance(after, int) or after:
            length = dim(x, axis)
            parts.append(K.reverse(x[along(axis, slice(length - edge - after, length - edge))], axis))
        return K.concatenate(parts, axis=axis) if len(parts) > 1 else x

    return fill


_FILLINGS: dict[str, Callable] = {"CONSTANT": _constant, "REFLECT": _mirror(1), "SYMMETRIC": _mirror(0)}


# -- blocks of pixels as channels -----------------------------------------------------------------------------
@function("nn.depth_to_space", "depth_to_space")
def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC", name: Any = None) -> Tensor:
    """Channels into blocks of ``block_size`` by ``block_size`` pixels."""
    x, n = _nhwc(input, data_format), int(block_size)
    batch, height, width, channels = dims(x)
    y = K.reshape(x, [batch, height, width, n, n, channels // (n * n)])
    y = K.reshape(K.permute_dimensions(y, [0, 1, 3, 2, 4, 5]), [batch, height * n, width * n, channels // (n * n)])
    return _as(data_format, y)


@function("nn.space_to_depth", "space_to_depth")
def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC", name: Any = None) -> Tensor:
    """Blocks of ``block_size`` by ``block_size`` pixels into channels."""
    x, n = _nhwc(input, data_format), int(block_size)
    batch, height, width, channels = dims(x)
    y = K.reshape(x, [batch, height // n, n, width // n, n, channels])
    y = K.reshape(K.permute_dimensions(y, [0, 1, 3, 2, 4, 5]), [batch, height // n, width // n, channels * n * n])
    return _as(data_format, y)


def _nhwc(x: Any, data_format: str) -> Tensor:
    x = tensor(x)
    return K.permute_dimensions(x, [0, 2, 3, 1]) if data_format == "NCHW" else x


def _as(data_format: str, x: Tensor) -> Tensor:
    return K.permute_dimensions(x, [0, 3, 1, 2]) if data_format == "NCHW" else x


@for_scripts("meshgrid")
def meshgrid(*args: Any, indexing: str = "xy", name: Any = None) -> list[Tensor]:
    """Coordinates of a grid, a tensor for each vector; with ``xy`` the first two axes are swapped."""
    vectors = [K.reshape(tensor(a), [-1]) for a in args]
    n = len(vectors)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    lengths = [dim(vectors[v], 0) for v in order]
    grids = []
    for v, x in enumerate(vectors):
        at = order.index(v)
        line = K.reshape(x, [1] * at + [-1] + [1] * (n - at - 1))
        grids.append(graph.apply("broadcast_to", [line, graph.shape_tensor(lengths)]))
    return grids
