"""``tf.sparse``: tensors of which some entries are kept. What is computed of them is dense sums at their places."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import graph
from ..backend.sparse import SparseTensor
from ..graph import RaggedTensor, Tensor
from . import k as K
from .common import axes, number, tensor, tensors
from .counting import unsorted_segment_max, unsorted_segment_sqrt_n
from .custom import on_values
from .index import gather, gather_nd, unsorted_segment_mean, unsorted_segment_sum
from .layout import matrix_transpose
from .select import true_places
from .table import for_scripts

for_scripts("SparseTensor", "sparse.SparseTensor", "compat.v1.SparseTensorValue", "SparseTensorValue")(SparseTensor)


def _sizes(sp: SparseTensor) -> list[int]:
    """The shape, which has to be known."""
    return [int(n) for n in sp.dense_shape.numpy()]


def _flat(sp: SparseTensor, along: Sequence[int] | None = None) -> Tensor:
    """Each entry's place along some axes (all by default), as one number."""
    place: Any = graph.constant(0, "int64")
    for axis in range(len(sp.shape)) if along is None else along:
        place = place * sp.dense_shape[axis] + sp.indices[:, axis]
    return place


# -- from and to dense tensors -----------------------------------------------------------------------------------------
@for_scripts("sparse.from_dense")
def from_dense(tensor: Any, name: Any = None) -> SparseTensor:
    """The entries that are not zero."""
    x = graph.convert(tensor)
    places = true_places(graph.apply("not_equal", [x, 0]))
    return SparseTensor(places, gather_nd(x, places), graph.cast(graph.shape_of(x), "int64"))


@for_scripts("sparse.to_dense", "sparse_tensor_to_dense", "sparse.tensor_to_dense")
def to_dense(sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: Any = None) -> Any:
    """The whole tensor, with ``default_value`` (zero, or no text) between the entries; a dense one as it is."""
    if isinstance(sp_input, RaggedTensor):
        return sp_input.to_tensor(default_value)
    if not isinstance(sp_input, SparseTensor):
        return K.to_dense(sp_input)
    parts = [sp_input.indices, sp_input.values, sp_input.dense_shape]
    if sp_input.values.dtype == "string" or any(t.op.op == "host" for t in parts):
        rank = sp_input.dense_shape.shape[0]
        fill = functools.partial(_filled, default_value)
        return graph.on_host(fill, parts, (sp_input.values.dtype, [None] * rank))
    dense = sp_input.dense()
    if default_value is None:
        return dense
    there = SparseTensor(sp_input.indices, K.ones_like(sp_input.values), sp_input.dense_shape).dense()
    kept = graph.apply("not_equal", [there, 0])
    return graph.apply("select", [kept, dense, tensor(default_value, dense.dtype)])


def _filled(default: Any, places: np.ndarray, values: np.ndarray, shape: np.ndarray) -> np.ndarray:
    empty = (b"" if values.dtype == object else 0) if default is None else default
    dense = np.full(shape, empty.encode() if isinstance(empty, str) else empty, dtype=values.dtype)
    dense[tuple(places.T)] = values
    return dense


@for_scripts("sparse.to_indicator")
def to_indicator(sp_input: SparseTensor, vocab_size: int, name: Any = None) -> Tensor:
    """Which of the numbers below ``vocab_size`` each row holds: bool, (..., vocab_size)."""
    sizes = _sizes(sp_input)[:-1]
    rows = int(np.prod(sizes))
    place = _flat(sp_input, range(len(sizes))) * vocab_size + graph.cast(sp_input.values, "int64")
    sums = graph.apply("scatter_add", [place, K.ones_like(place), graph.constant(np.array([rows * vocab_size]))])
    return K.reshape(graph.apply("greater", [sums, 0]), [*sizes, vocab_size])


# -- products ----------------------------------------------------------------------------------------------------------
@for_scripts("sparse.sparse_dense_matmul", "sparse_tensor_dense_matmul", "sparse.matmul", "sparse_matmul")
def sparse_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: Any = None
) -> Tensor:
    """The product of a sparse matrix and a dense one, or of a dense one and a sparse one, which costs what the entries cost."""
    if isinstance(b, SparseTensor):
        return matrix_transpose(sparse_dense_matmul(b, sp_a, not adjoint_b, not adjoint_a))
    dense = graph.convert(b, sp_a.values.dtype)
    dense = matrix_transpose(dense) if adjoint_b else dense
    rows, columns = sp_a.indices[:, 0], sp_a.indices[:, 1]
    count = sp_a.dense_shape[0]
    if adjoint_a:
        rows, columns, count = columns, rows, sp_a.dense_shape[1]
    parts = K.expand_dims(sp_a.values, 1) * gather(dense, columns)
    return unsorted_segment_sum(parts, rows, graph.cast(count, "int64"))


# -- shapes and order ----------------------------------------------------------------------------------------------------
def _ordered(sp: SparseTensor) -> SparseTensor:
    """Entries by their places, in the order of memory."""
    order = on_values(lambda p: np.argsort(p, kind="stable"), _flat(sp))
    return SparseTensor(gather(sp.indices, order), gather(sp.values, order), sp.dense_shape)


@for_scripts("sparse.reorder", "sparse_reorder")
def reorder(sp_input: SparseTensor, name: Any = None) -> SparseTensor:
    return _ordered(sp_input)


@for_scripts("sparse.reshape", "sparse_reshape")
def reshape(sp_input: SparseTensor, shape: Any, name: Any = None) -> SparseTensor:
    """The same entries in a tensor of another shape, in which one size may be -1."""
    total = int(np.prod(_sizes(sp_input)))
    sizes = [int(n) for n in np.ravel(tensor(shape).numpy())]
    if -1 in sizes:
        sizes[sizes.index(-1)] = total // -int(np.prod(sizes))
    place = _flat(sp_input)
    columns: list[Tensor] = []
    for size in reversed(sizes):
        columns.insert(0, place % size)
        place = place // size
    return SparseTensor(K.stack(columns, axis=1), sp_input.values, sizes)


@for_scripts("sparse.transpose", "sparse_transpose")
def sparse_transpose(sp_input: SparseTensor, perm: Any = None, name: Any = None) -> SparseTensor:
    order = list(range(len(sp_input.shape)))[::-1] if perm is None else [int(a) for a in np.ravel(perm)]
    columns = K.stack([sp_input.indices[:, a] for a in order], axis=1)
    return _ordered(SparseTensor(columns, sp_input.values, K.stack([sp_input.dense_shape[a] for a in order])))


@for_scripts("sparse.expand_dims")
def expand_dims(sp_input: SparseTensor, axis: Any = None, name: Any = None) -> SparseTensor:
    sizes = _sizes(sp_input)
    at = -1 if axis is None else int(axis)
    sizes.insert(at if at >= 0 else len(sizes) + at + 1, 1)
    return reshape(sp_input, sizes)


@for_scripts("sparse.concat", "sparse_concat")
def concat(axis: int, sp_inputs: Sequence[SparseTensor], *other: Any, **named: Any) -> SparseTensor:
    sizes = [_sizes(sp) for sp in sp_inputs]
    axis = int(axis) % len(sizes[0])
    begins = np.cumsum([0, *[s[axis] for s in sizes]])
    places = [sp.indices + np.eye(len(sizes[0]), dtype="int64")[axis] * int(b) for sp, b in zip(sp_inputs, begins)]
    whole = [*sizes[0]]
    whole[axis] = int(begins[-1])
    joined = SparseTensor(K.concatenate(places, axis=0), K.concatenate([sp.values for sp in sp_inputs], axis=0), whole)
    return _ordered(joined)


@for_scripts("sparse.slice", "sparse_slice")
def slice_(sp_input: SparseTensor, start: Any, size: Any, name: Any = None) -> SparseTensor:
    """The entries in a box, counted from its corner."""
    begin = np.ravel(tensor(start).numpy()).astype("int64")
    length = np.minimum(np.ravel(tensor(size).numpy()), np.array(_sizes(sp_input)) - begin)
    places = sp_input.indices.numpy()
    inside = ((places >= begin) & (places < begin + length)).all(1)
    return SparseTensor(places[inside] - begin, gather(sp_input.values, np.flatnonzero(inside)), length)


@for_scripts("sparse.split", "sparse_split")
def split(sp_input: SparseTensor, num_split: int, axis: int, name: Any = None) -> list[SparseTensor]:
    """Parts along an axis; the first ones are longer by one where it does not divide."""
    sizes = _sizes(sp_input)
    axis, parts, begin = int(axis) % len(sizes), [], 0
    for i in range(num_split):
        length = sizes[axis] // num_split + (i < sizes[axis] % num_split)
        corner, box = [0] * len(sizes), [*sizes]
        corner[axis], box[axis] = begin, length
        parts.append(slice_(sp_input, corner, box))
        begin += length
    return parts


@for_scripts("sparse.retain", "sparse_retain")
def retain(sp_input: SparseTensor, to_retain: Any) -> SparseTensor:
    """The entries for which ``to_retain`` holds."""
    kept = np.flatnonzero(np.asarray(tensor(to_retain).numpy()))
    return SparseTensor(gather(sp_input.indices, kept), gather(sp_input.values, kept), sp_input.dense_shape)


@for_scripts("sparse.mask", "sparse_mask")
def mask(a: Any, mask_indices: Any, name: Any = None) -> Any:
    """``tf.IndexedSlices`` without the rows of these indices."""
    kept = np.flatnonzero(~np.isin(a.indices.numpy(), np.asarray(tensor(mask_indices).numpy())))
    return type(a)(gather(a.values, kept), gather(a.indices, kept), a.dense_shape)


@for_scripts("sparse.eye")
def eye(num_rows: int, num_columns: int | None = None, dtype: Any = "float32", name: Any = None) -> SparseTensor:
    columns = num_rows if num_columns is None else num_columns
    places = np.arange(min(num_rows, columns))
    return SparseTensor(np.stack([places, places], 1), np.ones(len(places), str(dtype)), [num_rows, columns])


@for_scripts("sparse.reset_shape", "sparse_reset_shape")
def reset_shape(sp_input: SparseTensor, new_shape: Any = None) -> SparseTensor:
    """The same entries in a larger tensor, or in the smallest one that holds them."""
    if new_shape is None:
        new_shape = sp_input.indices.numpy().max(0, initial=-1) + 1
    return SparseTensor(sp_input.indices, sp_input.values, new_shape)


@for_scripts("sparse.fill_empty_rows", "sparse_fill_empty_rows")
def fill_empty_rows(sp_input: SparseTensor, default_value: Any, name: Any = None) -> tuple[SparseTensor, Tensor]:
    """With an entry ``default_value`` at the beginning of rows that have none, and which rows those are."""
    rows, columns = _sizes(sp_input)[0], sp_input.indices.shape[1]
    empty = ~np.isin(np.arange(rows), sp_input.indices.numpy()[:, 0])
    places = np.zeros((int(empty.sum()), columns), "int64")
    places[:, 0] = np.flatnonzero(empty)
    values = graph.constant(default_value, sp_input.values.dtype, (len(places),))
    joined = K.concatenate([sp_input.indices, graph.constant(places)], axis=0)
    filled = SparseTensor(joined, K.concatenate([sp_input.values, values], axis=0), sp_input.dense_shape)
    return _ordered(filled), graph.constant(empty)


# -- values --------------------------------------------------------------------------------------------------------------
@for_scripts("sparse.map_values")
def map_values(op: Callable, *args: Any, **kwargs: Any) -> SparseTensor:
    """A function of the entries of SparseTensors that have the same places."""
    first = next(a for a in args if isinstance(a, SparseTensor))
    values = op(*[a.values if isinstance(a, SparseTensor) else a for a in args], **kwargs)
    return SparseTensor(first.indices, values, first.dense_shape)


@for_scripts("sparse.add", "sparse_add")
def add(a: Any, b: Any, threshold: Any = 0, name: Any = None, **other: Any) -> Any:
    """The sum: sparse of two sparse tensors, where entries at one place become one; dense where one of them is dense."""
    if not isinstance(a, SparseTensor) or not isinstance(b, SparseTensor):
        return K.to_dense(a) + K.to_dense(b)
    together = SparseTensor(
        K.concatenate([a.indices, b.indices], axis=0), K.concatenate([a.values, b.values], axis=0), a.dense_shape
    )
    return _merged(together)


def _merged(sp: SparseTensor) -> SparseTensor:
    """One entry for each place that has some, which is their sum."""
    places, ids = np.unique(_flat(sp).numpy(), return_inverse=True)
    values = unsorted_segment_sum(sp.values, ids.reshape(-1), len(places))
    columns = np.stack(np.unravel_index(places, _sizes(sp)), 1)
    return SparseTensor(columns.astype("int64"), values, sp.dense_shape)


def _extreme(op: str) -> Callable:
    def combine(sp_a: SparseTensor, sp_b: SparseTensor, name: Any = None) -> SparseTensor:
        """At each place that one of them has, the larger (or lesser) value; a missing one is zero."""
        both = add(map_values(K.ones_like, sp_a), map_values(K.ones_like, sp_b))
        values = graph.apply(op, [gather_nd(to_dense(s), both.indices) for s in (sp_a, sp_b)])
        return SparseTensor(both.indices, values, both.dense_shape)

    return combine


for_scripts("sparse.maximum", "sparse_maximum")(_extreme("maximum"))
for_scripts("sparse.minimum", "sparse_minimum")(_extreme("minimum"))


def _reduced(sp: SparseTensor, axis: Any, keepdims: bool, reduce: Callable) -> Tensor:
    rank = len(sp.shape)
    gone = list(range(rank)) if axis is None else [a % rank for a in np.ravel(axes(axis))]
    kept = [a for a in range(rank) if a not in gone]
    sizes = _sizes(sp)
    rows = graph.cast(_flat(sp, kept), "int64") + 0 * sp.indices[:, 0]
    flat = reduce(sp.values, rows, int(np.prod([sizes[a] for a in kept])))
    shape = [1 if a in gone else sizes[a] for a in range(rank)] if keepdims else [sizes[a] for a in kept]
    return K.reshape(flat, shape)


@for_scripts("sparse.reduce_sum", "sparse_reduce_sum")
def reduce_sum(sp_input: SparseTensor, axis: Any = None, keepdims: Any = None, output_is_sparse: bool = False, name: Any = None) -> Any:  # fmt: skip
    dense = _reduced(sp_input, axis, bool(keepdims), unsorted_segment_sum)
    return from_dense(dense) if output_is_sparse else dense


@for_scripts("sparse.reduce_max", "sparse_reduce_max")
def reduce_max(sp_input: SparseTensor, axis: Any = None, keepdims: Any = None, output_is_sparse: bool = False, name: Any = None) -> Any:  # fmt: skip
    """The largest entry; 0 of none."""
    dense = _reduced(sp_input, axis, bool(keepdims), _largest)
    return from_dense(dense) if output_is_sparse else dense


def _largest(values: Tensor, rows: Tensor, count: int) -> Tensor:
    found = unsorted_segment_max(values, rows, count)
    there = unsorted_segment_sum(K.ones_like(values), rows, count)
    return graph.apply("select", [graph.apply("greater", [there, 0]), found, tensor(0, found.dtype)])


@for_scripts("sparse.softmax", "sparse_softmax")
def softmax(sp_input: SparseTensor, name: Any = None) -> SparseTensor:
    """Of the entries of each row along the last axis."""
    rows = _flat(sp_input, range(len(sp_input.shape) - 1)) + 0 * sp_input.indices[:, 0]
    count = int(np.prod(_sizes(sp_input)[:-1]))
    top = gather(_largest(sp_input.values, rows, count), rows)
    grown = graph.apply("exp", [sp_input.values - graph.apply("stop_gradient", [top])])
    return SparseTensor(
        sp_input.indices, grown / gather(unsorted_segment_sum(grown, rows, count), rows), sp_input.dense_shape
    )


def _of_segments(reduce: Callable) -> Callable:
    def segments(data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: Any = None) -> Tensor:
        """What is computed of the rows ``indices`` of each segment."""
        ids = tensor(segment_ids)
        count = int(ids.numpy()[-1]) + 1 if num_segments is None else number(num_segments)
        return reduce(gather(data, indices), ids, count)

    return segments


for _name, _reduce in (
    ("sum", unsorted_segment_sum),
    ("mean", unsorted_segment_mean),
    ("sqrt_n", unsorted_segment_sqrt_n),
):
    for_scripts(f"sparse.segment_{_name}", f"sparse_segment_{_name}")(_of_segments(_reduce))


# -- embeddings ------------------------------------------------------------------------------------------------------------
@for_scripts("nn.embedding_lookup_sparse")
def embedding_lookup_sparse(
    params: Any, sp_ids: SparseTensor, sp_weights: SparseTensor | None = None, combiner: Any = None, max_norm: Any = None,
    name: Any = None,
) -> Tensor:  # fmt: skip
    """The rows of ``params`` that each row of ids names, combined: ``'sum'``, ``'mean'`` (by default) or ``'sqrtn'``.

    Args:
        params: the rows; or a list of tensors, whose rows follow one another.

    Raises:
        ValueError: another combiner, or ``max_norm``.
    """
    if max_norm is not None or combiner not in (None, "sum", "mean", "sqrtn"):
        raise ValueError(
            f"tf.nn.embedding_lookup_sparse with combiner={combiner!r}, max_norm={max_norm} is not supported: "
            "'sum', 'mean' and 'sqrtn' are, without max_norm"
        )
    table = K.concatenate(tensors(*params), axis=0) if isinstance(params, (list, tuple)) else tensor(params)
    rows, count = sp_ids.indices[:, 0], _sizes(sp_ids)[0]
    weights = K.ones_like(sp_ids.values, dtype=table.dtype) if sp_weights is None else sp_weights.values
    total = unsorted_segment_sum(gather(table, sp_ids.values) * K.expand_dims(weights, 1), rows, count)
    if combiner == "sum":
        return total
    power = weights if combiner in (None, "mean") else K.square(weights)
    norm = unsorted_segment_sum(K.expand_dims(power, 1), rows, count)
    return total / (norm if combiner in (None, "mean") else graph.apply("sqrt", [norm]))


# -- sets ------------------------------------------------------------------------------------------------------------------
def _set_operation(operation: Callable) -> Callable:
    def of_rows(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
        """Of the items along the last axis, as sets: a SparseTensor whose rows hold them in order."""
        first, second = (
            np.asarray(t.numpy()) for t in tensors(*(to_dense(t) if isinstance(t, SparseTensor) else t for t in (a, b)))
        )
        shape = first.shape[:-1]
        pairs = zip(first.reshape(-1, first.shape[-1]), second.reshape(-1, second.shape[-1]))
        rows = [operation(p, q) for p, q in pairs]
        places = [(*np.unravel_index(i, shape), j) for i, row in enumerate(rows) for j in range(len(row))]
        width = max([len(row) for row in rows], default=0)
        return SparseTensor(np.array(places, "int64").reshape(-1, first.ndim), np.concatenate([first[:0].reshape(-1), *rows]), [*shape, width])  # fmt: skip

    return of_rows


for_scripts("sets.union", "sets.set_union")(_set_operation(np.union1d))
for_scripts("sets.difference", "sets.set_difference")(_set_operation(np.setdiff1d))
