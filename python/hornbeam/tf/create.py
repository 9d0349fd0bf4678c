"""Tensors of given contents."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..backend.creation import fill as filled
from ..backend.creation import fill_like
from ..graph import Tensor, Variable
from . import k as K
from .common import dims, dtype_name, entries, first_given, number, tensor
from .table import for_scripts, function


@for_scripts("constant")
def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None, verify_shape: bool = False) -> Tensor:
    """Of lists: float32, int32, bool. An array keeps its dtype. Too few values for ``shape``: the last one is repeated."""
    if isinstance(value, Tensor):
        return value if dtype is None else graph.cast(value, dtype_name(dtype))
    dtype = graph.constant(value).dtype if dtype is None else dtype_name(dtype)
    if dtype == "string":
        return graph.constant(value, dtype, None if shape is None else tuple(shape))
    return K.constant(value, dtype, None if shape is None else tuple(shape))


@for_scripts("convert_to_tensor")
def convert_to_tensor(
    value: Any, dtype: Any = None, name: Any = None, preferred_dtype: Any = None, dtype_hint: Any = None
) -> Tensor:
    """A tensor of numbers, arrays, or lists with tensors in them.

    Raises:
        TypeError: a tensor of another dtype than ``dtype``.
    """
    if isinstance(value, Tensor) and dtype is not None and value.dtype != dtype_name(dtype):
        raise TypeError(f"tf.convert_to_tensor: {value!r} is not {dtype_name(dtype)}; use tf.cast")
    if isinstance(value, Variable):
        return graph.apply("identity", [value])
    return tensor(value, dtype)


def _fill(shape: Any, value: float, dtype: Any) -> Tensor:
    return filled(entries(shape), value, dtype_name(dtype))


@for_scripts("zeros")
def zeros(shape: Any, dtype: Any = "float32", name: Any = None) -> Tensor:
    return _fill(shape, 0, dtype)


@for_scripts("ones")
def ones(shape: Any, dtype: Any = "float32", name: Any = None) -> Tensor:
    return _fill(shape, 1, dtype)


@function("fill")
def fill(dims: Any, value: Any, name: Any = None) -> Tensor:
    value = tensor(value)
    return graph.apply("broadcast_to", [value, graph.shape_tensor(dims)])


@function("zeros_like")
def zeros_like(input: Any = None, dtype: Any = None, name: Any = None, optimize: bool = True, **other: Any) -> Tensor:
    return fill_like(tensor(first_given(input, other.get("tensor"))), 0, dtype and dtype_name(dtype))


@function("ones_like")
def ones_like(input: Any = None, dtype: Any = None, name: Any = None, optimize: bool = True, **other: Any) -> Tensor:
    return fill_like(tensor(first_given(input, other.get("tensor"))), 1, dtype and dtype_name(dtype))


@function("range")
def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: Any = None) -> Tensor:
    """``start, start + delta, ...`` up to and without ``limit``; int32, or float32 of floats."""
    if limit is None:
        start, limit = 0, start
    given = [v.dtype if isinstance(v, Tensor) else graph.constant(v).dtype for v in (start, limit, delta)]
    dtype = dtype_name(dtype or next((d for d in given if d.startswith("float")), given[1]))
    if all(d.startswith("float") for d in given[1:2]) and isinstance(limit, Tensor):
        limit = graph.cast(limit, "int64")
    return K.arange(start, limit, delta, dtype)


@function("linspace", "lin_space")
def linspace(start: Any, stop: Any, num: Any, name: Any = None, axis: int = 0) -> Tensor:
    start = tensor(start, None if isinstance(start, (Tensor, np.ndarray, np.generic)) else "float32")
    count = number(num)
    steps = graph.constant(np.arange(count), start.dtype)
    if count == 1:
        return K.reshape(start, [1])
    share = steps / float(count - 1)
    return start * (1.0 - share) + stop * share


@function("eye", "linalg.eye")
def eye(
    num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = "float32", name: Any = None
) -> Tensor:
    rows = K.expand_dims(K.arange(num_rows, dtype="int64"), 1)
    columns = K.expand_dims(K.arange(num_rows if num_columns is None else num_columns, dtype="int64"), 0)
    matrix = graph.cast(graph.apply("equal", [rows, columns]), dtype_name(dtype))
    if batch_shape is None:
        return matrix
    return graph.apply("broadcast_to", [matrix, graph.shape_tensor([*entries(batch_shape), *dims(matrix)])])


@function("one_hot")
def one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: Any = None, dtype: Any = None,
    name: Any = None,
) -> Tensor:  # fmt: skip
    """``on_value`` (1) at each index along a new axis, by default the last, and ``off_value`` (0) elsewhere."""
    indices = tensor(indices)
    axis = (-1 if axis is None else int(axis)) % (indices.ndim + 1)
    given = next((graph.convert(v).dtype for v in (on_value, off_value) if v is not None), "float32")
    dtype = dtype_name(dtype or given)
    classes = K.arange(depth, dtype=indices.dtype)
    classes = K.reshape(classes, [-1] + [1] * (indices.ndim - axis))
    hot = graph.apply("equal", [K.expand_dims(indices, axis), classes])
    on, off = tensor(first_given(on_value, 1), dtype), tensor(first_given(off_value, 0), dtype)
    return graph.apply("select", [hot, on, off])


@function("sequence_mask")
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: Any = None) -> Tensor:
    """Whether a step lies before its sequence's end; ``maxlen`` is the longest of all by default."""
    lengths = tensor(lengths)
    steps = K.arange(K.max(lengths) if maxlen is None else maxlen, dtype=lengths.dtype)
    return graph.cast(graph.apply("less", [steps, K.expand_dims(lengths, -1)]), dtype_name(dtype))
