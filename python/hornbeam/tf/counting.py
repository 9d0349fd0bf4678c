"""Counting, segments, searching and sets: what is computed of values (see :mod:`~hornbeam.tf.custom`)."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import dims, dtype_name, number, tensor, tensors
from .custom import differentiable, on_values
from .index import gather, gather_nd, unsorted_segment_sum
from .select import boolean_mask
from .table import for_scripts


# -- counts ------------------------------------------------------------------------------------------------------------
@for_scripts("math.bincount", "bincount")
def bincount(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = "int32", name: Any = None,
    axis: Any = None, binary_output: bool = False,
) -> Tensor:  # fmt: skip
    """How often each number occurs, or the sum of its weights; of each row where ``axis`` is -1."""
    x = tensor(arr)
    if isinstance(minlength, int) and minlength == maxlength:
        return _counted(x, weights, minlength, dtype, axis, binary_output)
    size = int(np.max(x.numpy(), initial=-1)) + 1
    size = max(size, 0 if minlength is None else number(minlength))
    size = size if maxlength is None else min(size, number(maxlength))
    return _counted(x, weights, size, dtype, axis, binary_output)


def _counted(x: Tensor, weights: Any, size: int, dtype: Any, axis: Any, binary: bool) -> Tensor:
    """Sums of one-hot rows; what is beyond ``size`` is in none."""
    weight = None if weights is None else tensor(weights)
    dtype = dtype_name(dtype) if weight is None else weight.dtype
    rows = graph.apply("one_hot", [x], depth=size, dtype=dtype if dtype.startswith("float") else "float32")
    if weight is not None:
        rows = rows * K.expand_dims(weight, -1)
    axes = list(range(x.ndim)) if axis is None or x.ndim == 1 else [x.ndim - 1]
    counts = K.max(rows, axis=axes) if binary else K.sum(rows, axis=axes)
    return graph.cast(counts, dtype)


@for_scripts("math.confusion_matrix", "confusion_matrix")
def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, weights: Any = None, dtype: Any = "int32", name: Any = None
) -> Tensor:
    """How often (labels, predictions) are a pair of classes: rows are labels."""
    labels, predictions = (graph.cast(K.reshape(tensor(t), [-1]), "int64") for t in (labels, predictions))
    if num_classes is None:
        num_classes = int(max(np.max(t.numpy(), initial=-1) for t in (labels, predictions))) + 1
    n = number(num_classes)
    flat = bincount(labels * n + predictions, weights, n * n, n * n, dtype)
    return graph.cast(K.reshape(flat, [n, n]), dtype_name(dtype))


@for_scripts("histogram_fixed_width_bins")
def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: Any = None
) -> Tensor:
    """The bin of each value among ``nbins`` of one width; what is outside of the range is in the first or the last."""
    x = tensor(values)
    low, high = (tensor(v, x.dtype) for v in (value_range[0], value_range[1]))
    share = (x - low) / (high - low)
    places = graph.apply("floor", [share * float(number(nbins))])
    return graph.cast(K.minimum(K.maximum(places, 0.0), float(number(nbins) - 1)), dtype_name(dtype))


@for_scripts("histogram_fixed_width")
def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: Any = None
) -> Tensor:
    n = number(nbins)
    bins = K.reshape(histogram_fixed_width_bins(values, value_range, n), [-1])
    return bincount(bins, None, n, n, dtype)


# -- segments ------------------------------------------------------------------------------------------------------------
def _extreme(ufunc: np.ufunc, empty: Callable[[np.dtype], Any]) -> Callable:
    def unsorted(data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> Tensor:
        """The largest (or least, or the product) of each segment's rows; of none the least (or largest) number there is."""
        x, ids = tensor(data), tensor(segment_ids)
        count = number(num_segments)

        def value(rows: np.ndarray, places: np.ndarray) -> np.ndarray:
            out = np.full((count, *rows.shape[places.ndim :]), empty(rows.dtype), rows.dtype)
            flat, rows = places.reshape(-1), rows.reshape(-1, *rows.shape[places.ndim :])
            ufunc.at(out, flat[flat >= 0], rows[flat >= 0])
            return out

        def rule(y: Tensor, g: Tensor) -> list:
            chosen = graph.cast(graph.apply("equal", [x, gather(y, ids)]), x.dtype)
            among = unsorted_segment_sum(chosen, ids, count)
            return [chosen * gather(g / K.maximum(among, 1.0), ids), None]

        def of_product(y: Tensor, g: Tensor) -> list:
            return [gather(g * y, ids) / x, None]

        return differentiable(value, of_product if ufunc is np.multiply else rule, x, ids)

    return unsorted


def _least(dtype: np.dtype) -> Any:
    return np.finfo(dtype).min if dtype.kind == "f" else np.iinfo(dtype).min


def _largest(dtype: np.dtype) -> Any:
    return np.finfo(dtype).max if dtype.kind == "f" else np.iinfo(dtype).max


_EXTREMES = {
    "max": _extreme(np.maximum, _least),
    "min": _extreme(np.minimum, _largest),
    "prod": _extreme(np.multiply, lambda dtype: 1),
}


def _sorted(unsorted: Callable, kind: str) -> Callable:
    def of_sorted(data: Any, segment_ids: Any, name: Any = None) -> Tensor:
        """As the unsorted one, with as many segments as there are; 0 of no rows, and 1 where they are multiplied."""
        ids = tensor(segment_ids)
        places = ids.numpy()
        count = int(places[-1]) + 1 if places.size else 0
        y = unsorted(data, ids, count)
        there = np.isin(np.arange(count), places)
        if kind == "prod" or there.all():
            return y
        mask = graph.constant(there.reshape(-1, *[1] * (y.ndim - 1)))
        return graph.apply("select", [mask, y, tensor(0, y.dtype)])

    return of_sorted


unsorted_segment_max = _EXTREMES["max"]
for _kind, _unsorted in _EXTREMES.items():
    for_scripts(f"math.unsorted_segment_{_kind}", f"unsorted_segment_{_kind}")(_unsorted)
    for_scripts(f"math.segment_{_kind}", f"segment_{_kind}")(_sorted(_unsorted, _kind))


@for_scripts("math.unsorted_segment_sqrt_n", "unsorted_segment_sqrt_n")
def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> Tensor:
    """The sum of each segment's rows over the root of their number."""
    data = tensor(data)
    total = unsorted_segment_sum(data, segment_ids, num_segments)
    count = unsorted_segment_sum(K.ones_like(data), segment_ids, num_segments)
    return total / graph.apply("sqrt", [K.maximum(count, 1.0)])


# -- searching -------------------------------------------------------------------------------------------------------------
@for_scripts("searchsorted")
def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = "int32", name: Any = None
) -> Tensor:
    """Where values belong in rows that are sorted: the number of items before them."""
    rows, x = tensors(sorted_sequence, values)
    before = K.expand_dims(rows, -2) < K.expand_dims(x, -1)
    if side == "right":
        before = K.expand_dims(rows, -2) <= K.expand_dims(x, -1)
    return graph.cast(K.sum(graph.cast(before, "int32"), axis=-1), dtype_name(out_type))


_WithCounts = namedtuple("_WithCounts", "y idx count")


@for_scripts("unique_with_counts")
def unique_with_counts(x: Any, out_idx: Any = "int32", name: Any = None) -> _WithCounts:
    """The values of a vector in the order of their first places, where each item is among them, how often it occurs."""

    def found(values: np.ndarray) -> list:
        _, first, back, counts = np.unique(values, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        kind = dtype_name(out_idx)
        return [values[np.sort(first)], rank[back.reshape(-1)].astype(kind), counts[order].astype(kind)]

    return _WithCounts(*on_values(found, x))


@for_scripts("sets.size")
def set_size(a: Any, validate_indices: bool = True) -> Tensor:
    """How many values each row of a SparseTensor has."""
    places, shape = a.indices.numpy(), a.dense_shape.numpy()
    counts = np.zeros(shape[:-1], "int32")
    np.add.at(counts, tuple(places[:, :-1].T), 1)
    return graph.constant(counts)


@for_scripts("edit_distance")
def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: Any = None) -> Tensor:
    """How many items have to be put in, left out or replaced (Levenshtein), for each row of two SparseTensors.

    Args:
        normalize: divide by the length of the truth.
    """
    first, second = (_sequences(t) for t in (hypothesis, truth))
    shape = tuple(int(max(a, b)) for a, b in zip(hypothesis.dense_shape.numpy()[:-1], truth.dense_shape.numpy()[:-1]))
    out = np.zeros(shape, "float32")
    for place in np.ndindex(*shape):
        a, b = first.get(place, []), second.get(place, [])
        steps = float(_levenshtein(a, b))
        if normalize:
            steps = steps / len(b) if b else (float("inf") if a else 0.0)
        out[place] = steps
    return graph.constant(out)


def _sequences(t: Any) -> dict[tuple, list]:
    rows: dict[tuple, list] = {}
    for place, value in zip(t.indices.numpy(), t.values.numpy()):
        rows.setdefault(tuple(int(i) for i in place[:-1]), []).append(value)
    return rows


def _levenshtein(a: list, b: list) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(diagonal + (x != y), row[j] + 1, row[j - 1] + 1)
    return row[-1]


# -- places -------------------------------------------------------------------------------------------------------------------
@for_scripts("math.invert_permutation")
def invert_permutation(x: Any, name: Any = None) -> Tensor:
    return on_values(lambda v: np.argsort(v).astype(v.dtype), x)


@for_scripts("unravel_index")
def unravel_index(indices: Any, dims: Any, name: Any = None) -> Tensor:
    """The places in a tensor of shape ``dims`` of flat indices: an axis for each column."""
    left, sizes = tensor(indices), [int(d) for d in np.asarray(tensor(dims).numpy())]
    columns: list[Tensor] = []
    for size in reversed(sizes):
        columns.insert(0, graph.apply("mod", [left, size]))
        left = graph.apply("floor_div", [left, size])
    return K.stack(columns, axis=0)


@for_scripts("math.is_non_decreasing")
def is_non_decreasing(x: Any, name: Any = None) -> Tensor:
    x = K.reshape(tensor(x), [-1])
    return K.all(x[:-1] <= x[1:])


@for_scripts("math.is_strictly_increasing")
def is_strictly_increasing(x: Any, name: Any = None) -> Tensor:
    x = K.reshape(tensor(x), [-1])
    return K.all(x[:-1] < x[1:])


@for_scripts("dynamic_partition")
def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: Any = None) -> list[Tensor]:
    """The rows of each number among ``partitions``, a tensor for each."""
    parts = tensor(partitions)
    return [boolean_mask(data, graph.apply("equal", [parts, i])) for i in range(num_partitions)]


@for_scripts("dynamic_stitch")
def dynamic_stitch(indices: Any, data: Any, name: Any = None) -> Tensor:
    """Rows put together at their numbers; of several with one number, the last."""
    places = np.concatenate([np.ravel(tensor(i).numpy()) for i in indices])
    rows = [tensor(d) for d in data]
    flat = [K.reshape(d, [-1, *dims(d)[tensor(i).ndim :]]) for i, d in zip(indices, rows)]
    last = {int(p): at for at, p in enumerate(places)}
    order = [last.get(p, 0) for p in range(int(places.max(initial=-1)) + 1)]
    return gather(K.concatenate(flat, axis=0), np.array(order, "int32"))


def _moved_max(op: str) -> Callable:
    def updated(tensor: Any, indices: Any, updates: Any, name: Any = None) -> Tensor:
        """``tensor`` whose elements at places become the larger (or lesser) of themselves and what ``updates`` has there."""
        x, places, new = graph.convert(tensor), graph.convert(indices), graph.convert(updates)
        at = np.maximum.at if op == "maximum" else np.minimum.at

        def value(old: np.ndarray, where: np.ndarray, rows: np.ndarray) -> np.ndarray:
            out = old.copy()
            at(out, tuple(np.moveaxis(where, -1, 0)), rows)
            return out

        def rule(y: Tensor, g: Tensor) -> list:
            kept = graph.cast(graph.apply("equal", [x, y]), g.dtype)
            moved = graph.cast(graph.apply("equal", [new, gather_nd(y, places)]), g.dtype)
            return [g * kept, None, gather_nd(g, places) * moved]

        return differentiable(value, rule, x, places, new)

    return updated


for_scripts("tensor_scatter_nd_max", "tensor_scatter_max")(_moved_max("maximum"))
for_scripts("tensor_scatter_nd_min", "tensor_scatter_min")(_moved_max("minimum"))
