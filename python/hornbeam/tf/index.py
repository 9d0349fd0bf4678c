"""Reading and writing at indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import axes, dims, entries, first_given, number, product, tensor
from .table import function


def _indices(value: Any) -> Tensor:
    x = tensor(value, None if isinstance(value, (Tensor, np.ndarray)) else "int32")
    return x if x.dtype in ("int32", "int64") else graph.cast(x, "int32")


@function("gather", "nn.embedding_lookup")
def gather(
    params: Any, indices: Any = None, validate_indices: Any = None, name: Any = None, axis: Any = None,
    batch_dims: int = 0, ids: Any = None, **other: Any,
) -> Tensor:  # fmt: skip
    """The slices of ``params`` at indices along an axis.

    With ``batch_dims``, the first axes of both belong together: sample b reads its own rows.
    """
    params, indices = tensor(params), _indices(first_given(indices, ids))
    batch = int(batch_dims) % (indices.ndim + 1) if batch_dims else 0
    axis = batch if axis is None else axes(axis) % params.ndim
    if not batch:
        return graph.apply("gather", [params, indices], axis=axis)
    # Batch axes and `axis` become one; a sample's indices begin where its rows do.
    front = K.permute_dimensions(params, [*range(batch), axis, *range(batch, axis), *range(axis + 1, params.ndim)])
    sizes, inner = dims(front), dims(indices)
    rows = K.reshape(front, [product(sizes[: batch + 1]), *sizes[batch + 1 :]])
    first = K.reshape(
        K.arange(product(sizes[:batch]), dtype=indices.dtype), [*sizes[:batch], *[1] * (indices.ndim - batch)]
    )
    taken = graph.apply("gather", [rows, first * graph.cast(tensor(sizes[batch]), indices.dtype) + indices], axis=0)
    # The result has batch, indices, then what stood before and behind `axis`.
    before = axis - batch
    moved = [*range(batch), *range(len(inner), len(inner) + before), *range(batch, len(inner))]
    return K.permute_dimensions(taken, [*moved, *range(len(inner) + before, taken.ndim)])


@function("batch_gather")
def batch_gather(params: Any, indices: Any, name: Any = None) -> Tensor:
    return gather(params, indices, batch_dims=tensor(indices).ndim - 1)


def _flat(indices: Tensor, sizes: list) -> Tensor:
    """Places in the first axes of a tensor, as numbers of rows of those axes laid out in one."""
    flat: Any = 0
    for i, size in enumerate(sizes):
        step = indices[..., i]
        flat = step if i == 0 else flat * graph.cast(tensor(size), indices.dtype) + step
    return flat


@function("gather_nd")
def gather_nd(params: Any, indices: Any, name: Any = None, batch_dims: int = 0) -> Tensor:
    """The elements or slices of ``params`` at places: rows of the last axis of ``indices``."""
    params, indices = tensor(params), _indices(indices)
    if batch_dims:
        batch = int(batch_dims)
        sizes = dims(indices)
        own = []
        for i in range(batch):
            numbers = K.reshape(K.arange(sizes[i], dtype=indices.dtype), [-1] + [1] * (indices.ndim - 1 - i))
            own.append(graph.apply("broadcast_to", [numbers, graph.shape_tensor([*sizes[:-1], 1])]))
        indices = K.concatenate([*own, indices], axis=-1)
    depth = _depth(indices)
    sizes = dims(params)
    rows = K.reshape(params, [product(sizes[:depth]), *sizes[depth:]])
    return graph.apply("gather", [rows, _flat(indices, sizes[:depth])], axis=0)


def _depth(indices: Tensor) -> int:
    if not indices.ndim or indices.shape[-1] is None:
        raise ValueError(f"the last axis of indices needs a known length, got shape {indices.shape}")
    return indices.shape[-1]


@function("scatter_nd")
def scatter_nd(indices: Any, updates: Any, shape: Any, name: Any = None) -> Tensor:
    """Zeros of ``shape`` to which ``updates`` are added at places; those outside are skipped."""
    indices, updates = _indices(indices), tensor(updates)
    depth = _depth(indices)
    sizes = entries(shape)
    rest = sizes[depth:]
    places = K.reshape(_flat(indices, sizes[:depth]), [-1])
    rows = K.reshape(updates, [-1, *rest])
    summed = graph.apply("scatter_add", [places, rows, graph.shape_tensor([product(sizes[:depth]), *rest])])
    return K.reshape(summed, sizes)


@function("tensor_scatter_nd_add", "tensor_scatter_add")
def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: Any = None) -> Tensor:
    x = graph.convert(tensor)
    return x + scatter_nd(indices, graph.convert(updates, x.dtype), dims(x))


@function("tensor_scatter_nd_sub", "tensor_scatter_sub")
def tensor_scatter_nd_sub(tensor: Any, indices: Any, updates: Any, name: Any = None) -> Tensor:
    x = graph.convert(tensor)
    return x - scatter_nd(indices, graph.convert(updates, x.dtype), dims(x))


@function("tensor_scatter_nd_update", "tensor_scatter_update")
def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: Any = None) -> Tensor:
    x = graph.convert(tensor)
    updates = graph.convert(updates, x.dtype)
    written = scatter_nd(indices, K.ones_like(updates, dtype="float32"), dims(x))
    return graph.apply("select", [graph.apply("greater", [written, 0.0]), scatter_nd(indices, updates, dims(x)), x])


@function("math.unsorted_segment_sum", "unsorted_segment_sum")
def unsorted_segment_sum(data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> Tensor:
    data, ids = tensor(data), _indices(segment_ids)
    rest = dims(data)[ids.ndim :]
    rows = K.reshape(data, [-1, *rest])
    shape = graph.shape_tensor([num_segments, *rest])
    return graph.apply("scatter_add", [K.reshape(ids, [-1]), rows, shape])


@function("math.unsorted_segment_mean", "unsorted_segment_mean")
def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> Tensor:
    """The mean of each segment's rows; 0 of none."""
    data = tensor(data)
    total = unsorted_segment_sum(data, segment_ids, num_segments)
    count = unsorted_segment_sum(K.ones_like(data), segment_ids, num_segments)
    return total / K.maximum(count, 1.0)


def _segments(ids: Any) -> Tensor:
    return K.max(_indices(ids)) + 1


@function("math.segment_sum", "segment_sum")
def segment_sum(data: Any, segment_ids: Any, name: Any = None) -> Tensor:
    return unsorted_segment_sum(data, segment_ids, _segments(segment_ids))


@function("math.segment_mean", "segment_mean")
def segment_mean(data: Any, segment_ids: Any, name: Any = None) -> Tensor:
    return unsorted_segment_mean(data, segment_ids, _segments(segment_ids))


@function("reverse_sequence")
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: Any = None, batch_axis: Any = None, name: Any = None, seq_dim: Any = None,
    batch_dim: Any = None,
) -> Tensor:  # fmt: skip
    """The first ``seq_lengths[b]`` steps of each sample in reverse order, the others as they are.

    Raises:
        ValueError: the batch is not the first axis, or time not the second.
    """
    x = tensor(input)
    time, batch = number(first_given(seq_axis, seq_dim)), number(first_given(batch_axis, batch_dim, 0))
    if (time % x.ndim, batch % x.ndim) != (1, 0):
        raise ValueError("tf.reverse_sequence is supported for (batch, time, ...) only")
    lengths = K.expand_dims(_indices(seq_lengths), 1)
    steps = K.expand_dims(K.arange(dims(x)[1], dtype=lengths.dtype), 0)
    places = graph.apply("select", [steps < lengths, lengths - 1 - steps, steps + 0 * lengths])
    return gather(x, places, batch_dims=1)
