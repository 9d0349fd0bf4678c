"""Choosing by truth values: where, boolean_mask, and the largest."""

from __future__ import annotations

from typing import Any

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import SizesFromData, axes, dim, dims, dtype_name, known, number, product, tensor, tensors
from .table import for_scripts, function


@function("where", "where_v2")
def where(condition: Any, x: Any = None, y: Any = None, name: Any = None) -> Tensor:
    """x where the condition holds, else y, all broadcast. With a condition alone, the places where it holds.

    Returns:
        x's or y's elements; or int64 (how many, axes of the condition), in order.
    """
    condition = tensor(condition)
    if condition.dtype != "bool":
        condition = graph.apply("not_equal", [condition, 0])
    if x is None and y is None:
        return true_places(condition)
    if x is None or y is None:
        raise ValueError("tf.where takes both x and y, or none of them")
    return graph.apply("select", [condition, *tensors(x, y)])


@function("compat.v1.where", "select")
def where_v1(condition: Any, x: Any = None, y: Any = None, name: Any = None) -> Tensor:
    """:func:`where` as TensorFlow 1 had it: a vector may choose among rows."""
    condition = tensor(condition)
    if x is not None and y is not None and condition.ndim == 1:
        x, y = tensors(x, y)
        length, rows, columns = condition.shape[0], x.shape[:1], x.shape[-1:]
        if x.ndim > 1 and not (length == columns[0] and length != rows[0] and rows[0] is not None):
            condition = K.reshape(condition, [-1] + [1] * (x.ndim - 1))
    return where(condition, x, y)


def flat_places(mask: Tensor) -> Tensor:
    """Where a bool vector is true: int64 numbers, as many as there are, in order.

    Each true element is sent to its place among the true ones; what is behind the last is cut off.
    """
    length = graph.cast(graph.shape_of(mask)[0], "int64")
    counted = graph.cast(mask, "int64")
    place = graph.apply("cumsum", [counted], axis=0) - 1
    target = graph.apply("select", [mask, place, length])  # there is no row `length`: those are dropped
    SizesFromData.count += 1
    padded = graph.apply("scatter_add", [target, K.arange(length, dtype="int64"), K.reshape(length, [1])])
    return padded[: K.sum(counted)]


def true_places(condition: Tensor) -> Tensor:
    """The places of true elements as rows of indices: int64 (how many, axes)."""
    flat = flat_places(K.reshape(condition, [-1]))
    columns: list[Tensor] = []
    for size in reversed([graph.cast(tensor(n), "int64") for n in dims(condition)]):
        columns.insert(0, graph.apply("mod", [flat, size]))
        flat = graph.apply("floor_div", [flat, size])
    return K.stack(columns, axis=1)


@function("boolean_mask")
def boolean_mask(tensor: Any, mask: Any, name: Any = "boolean_mask", axis: Any = None) -> Tensor:
    """The elements (or rows) where ``mask``, which covers the axes from ``axis`` on, is true."""
    x, mask = graph.convert(tensor), graph.convert(mask, "bool")
    axis = 0 if axis is None else axes(axis) % x.ndim
    sizes, covered = dims(x), mask.ndim
    if covered != 1:
        x = K.reshape(x, [*sizes[:axis], product(sizes[axis : axis + covered]), *sizes[axis + covered :]])
    return graph.apply("gather", [x, flat_places(K.reshape(mask, [-1]))], axis=axis)


@function("math.top_k", "nn.top_k")
def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = None, name: Any = None) -> TopK:
    """The k largest of the last axis and where they were, largest first; k may be computed from data."""
    x = tensor(input)
    if not isinstance(k, Tensor) or known(k) is not None:
        return TopK(graph.apply("top_k", [x], k=number(k)))
    SizesFromData.count += 1
    return TopK([ordered[..., :k] for ordered in graph.apply("top_k", [x], k=-1)])


class TopK(tuple):
    """Values and indices, by number or by name."""

    @property
    def values(self) -> Tensor:
        return self[0]

    @property
    def indices(self) -> Tensor:
        return self[1]


def _ordered(values: Any, axis: Any, direction: str) -> tuple[Tensor, Tensor, list[int]]:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"direction is ASCENDING or DESCENDING, got {direction!r}")
    x = tensor(values)
    axis = int(axis) % x.ndim
    order = [a for a in range(x.ndim) if a != axis] + [axis]
    x = K.permute_dimensions(x, order)
    rising = direction == "ASCENDING"
    largest, places = graph.apply("top_k", [-x if rising else x], k=-1)
    back = [order.index(a) for a in range(x.ndim)]
    return -largest if rising else largest, places, back


@function("sort")
def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: Any = None) -> Tensor:
    ordered, _, back = _ordered(values, axis, direction)
    return K.permute_dimensions(ordered, back)


@function("argsort")
def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: Any = None
) -> Tensor:
    """Where the sorted elements were, int32; equal ones keep their order."""
    _, places, back = _ordered(values, axis, direction)
    return K.permute_dimensions(places, back)


@function("nn.in_top_k", "math.in_top_k")
def in_top_k(predictions: Any, targets: Any, k: int, name: Any = None) -> Tensor:
    """Takes its first two arguments in TensorFlow 1's order; where they are given in 2's, the dtypes tell."""
    predictions, targets = tensor(predictions), tensor(targets)
    if not predictions.dtype.startswith("float"):
        predictions, targets = targets, predictions
    return K.in_top_k(predictions, targets, k)


@for_scripts("unique")
def unique(x: Any, out_idx: Any = "int32", name: Any = None) -> tuple[Tensor, Tensor]:
    """The different elements of a vector in the order in which they come, and for each element which of them it is."""
    x = tensor(x)
    same = graph.apply("equal", [K.expand_dims(x, 1), K.expand_dims(x, 0)])
    first = K.argmax(graph.cast(same, "int32"), axis=1)
    is_first = graph.apply("equal", [first, K.arange(dim(x, 0), dtype="int64")])
    place = graph.apply("cumsum", [graph.cast(is_first, "int64")], axis=0) - 1
    places = graph.apply("gather", [place, first], axis=0)
    return boolean_mask(x, is_first), graph.cast(places, dtype_name(out_idx))


@for_scripts("sets.intersection", "sets.set_intersection")
def intersection(a: Any, b: Any, validate_indices: bool = True) -> Tensor:
    """What two rows (1, n) and (1, m) have in common, once each, in order: (1, how many).

    TensorFlow gives it as a sparse tensor, of which scripts take the dense one with ``tf.sparse.to_dense``.

    Raises:
        ValueError: several rows.
    """
    a, b = tensors(a, b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[0] not in (1, None) or b.shape[0] not in (1, None):
        raise ValueError(f"tf.sets.intersection is supported for one row each, got shapes {a.shape} and {b.shape}")
    row, other = a[0], b[0]
    both = K.any(graph.apply("equal", [K.expand_dims(row, 1), K.expand_dims(other, 0)]), axis=1)
    return K.expand_dims(sort(unique(boolean_mask(row, both))[0]), 0)


@for_scripts("random.shuffle", "random_shuffle")
def shuffle(value: Any, seed: Any = None, name: Any = None) -> Tensor:
    """The rows in another order at each run."""
    x = tensor(value)
    _, order = graph.apply("top_k", [K.random_uniform([dim(x, 0)], seed=seed)], k=-1)
    return graph.apply("gather", [x, order], axis=0)
