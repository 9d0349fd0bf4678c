"""Elements of data sets: arrays in dicts and tuples within a pipeline, tensors in the same structure outside of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import graph
from ...backend.sparse import SparseTensor
from ...graph import RaggedTensor, Tensor, as_strings, nest
from ..sparse import to_dense
from ..specs import RaggedTensorSpec, SparseTensorSpec, TensorSpec
from .sparse_array import SparseArray


class DatasetSpec:
    """What an element is that is a data set itself, as ``window`` gives them."""

    def __init__(self, element_spec: Any) -> None:
        self.element_spec = element_spec

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetSpec) and self.element_spec == other.element_spec

    def __hash__(self) -> int:
        return hash(DatasetSpec)

    def __repr__(self) -> str:
        return f"DatasetSpec({self.element_spec!r})"


def is_dataset(x: Any) -> bool:
    return hasattr(x, "element_spec") and hasattr(x, "stage")


def is_leaf(x: Any) -> bool:
    """Whether an item is handed on as it is."""
    return x is None or isinstance(x, (RaggedTensor, SparseArray)) or is_dataset(x)


def to_arrays(value: Any) -> Any:
    """An element as the pipeline has it, of what users write. A list is one tensor, as in TensorFlow."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {key: to_arrays(item) for key, item in value.items()}
    if isinstance(value, tuple):
        parts = [to_arrays(item) for item in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, SparseTensor):
        return SparseArray.of(value)
    return value if is_leaf(value) else to_array(value)


def to_array(value: Any) -> np.ndarray:
    """One array. Python's floats become float32, its integers int32; text becomes an array of bytes, a sparse tensor dense."""
    if isinstance(value, SparseTensor):
        value = to_dense(value)
    if isinstance(value, Tensor):
        if value.op.op == "constant":
            return value.op.attrs["value"]
        return np.asarray(value.numpy(), dtype=object if value.dtype == "string" else None)
    if isinstance(value, np.ndarray) and value.dtype != object and value.dtype.kind not in "US":
        return value
    if hasattr(value, "to_numpy"):  # a column of pandas
        value = value.to_numpy()
    strings = as_strings(value)
    if strings is not None:
        return strings
    if isinstance(value, list) and any(isinstance(x, Tensor) for x in value):
        return to_array(graph.convert(value))
    return graph.constant(value).op.attrs["value"]


def to_tensors(element: Any) -> Any:
    """An element as users see it."""
    return map_leaves(_as_seen, element)


def _as_seen(x: Any) -> Any:
    if isinstance(x, SparseArray):
        return x.tensor()
    return x if is_leaf(x) else graph.constant(np.asarray(x))


def rows_of(x: Any) -> Any:
    """What ``[i, ...]`` gives the rows of: an array, or a list of rows of another kind."""
    if isinstance(x, RaggedTensor):
        return list(x._rows())
    return list(x.rows()) if isinstance(x, SparseArray) else x


def map_leaves(function: Any, element: Any) -> Any:
    """``nest.map_structure`` for one structure, in less time."""
    if isinstance(element, tuple):
        parts = [map_leaves(function, x) for x in element]
        return type(element)(*parts) if hasattr(element, "_fields") else tuple(parts)
    if isinstance(element, dict):
        return {key: map_leaves(function, x) for key, x in element.items()}
    return function(element)


def spec_of(element: Any) -> Any:
    """The specs of an element's arrays."""

    def spec(x: Any) -> Any:
        if x is None:
            return None
        if isinstance(x, RaggedTensor):
            return RaggedTensorSpec([None] * len(x.shape), x.dtype, x.ragged_rank)
        if isinstance(x, SparseArray):
            return SparseTensorSpec(x.shape, dtype_of(x))
        if is_dataset(x):
            return DatasetSpec(x.element_spec)
        return TensorSpec(x.shape, dtype_of(x))

    return map_leaves(spec, element)


def dtype_of(array: np.ndarray | SparseArray) -> str:
    return "string" if array.dtype == object else array.dtype.name


def with_dim(dim: int | None, spec: Any) -> Any:
    """The spec of a batch of tensors of a spec, with ``dim`` of them."""

    def batched(s: Any) -> Any:
        if isinstance(s, TensorSpec):
            return TensorSpec(None if s.shape is None else (dim, *s.shape), s.dtype)
        if isinstance(s, RaggedTensorSpec):
            return RaggedTensorSpec(s.shape and (dim, *s.shape), s.dtype, s.ragged_rank + 1)
        if isinstance(s, SparseTensorSpec):
            return SparseTensorSpec(s.shape and (dim, *s.shape), s.dtype)
        return s

    return map_leaves(batched, spec)


def without_dim(spec: Any) -> Any:
    """The spec of the rows of tensors of a spec."""

    def row(s: Any) -> Any:
        if isinstance(s, TensorSpec):
            return TensorSpec(None if s.shape is None else s.shape[1:], s.dtype)
        if isinstance(s, RaggedTensorSpec):
            return RaggedTensorSpec(s.shape and s.shape[1:], s.dtype, s.ragged_rank - 1)
        if isinstance(s, SparseTensorSpec):
            return SparseTensorSpec(s.shape and s.shape[1:], s.dtype)
        return s

    return map_leaves(row, spec)


def merged(first: Any, second: Any) -> Any:
    """The spec of what is of one of two specs; None where their structures differ."""
    if first is None or second is None or nest.outline(first) != nest.outline(second):
        return None

    def both(a: Any, b: Any) -> Any:
        if not isinstance(a, TensorSpec) or not isinstance(b, TensorSpec) or a.shape is None or b.shape is None:
            return a
        if len(a.shape) != len(b.shape):
            return TensorSpec(None, a.dtype)
        return TensorSpec([m if m == n else None for m, n in zip(a.shape, b.shape)], a.dtype)

    return nest.map_structure(both, first, second)
