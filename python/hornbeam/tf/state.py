"""Variables, placeholders and updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import dtype_name, entries, tensor
from .index import (
    gather,
    gather_nd,
    scatter_nd,
    tensor_scatter_nd_add,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
)
from .table import for_scripts


class _OfAll(type):
    """Every variable is an instance, whoever made it."""

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, graph.Variable)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, graph.Variable)


@for_scripts("Variable")
class Variable(graph.Variable, metaclass=_OfAll):
    """``tf.Variable``: a number, an array, or a tensor (or a function that gives one) computed at the first read."""

    def __init__(
        self, initial_value: Any = None, trainable: Any = True, collections: Any = None, validate_shape: bool = True,
        caching_device: Any = None, name: Any = None, variable_def: Any = None, dtype: Any = None, import_scope: Any = None,
        constraint: Callable | None = None, shape: Any = None, **other: Any,
    ) -> None:  # fmt: skip
        if callable(initial_value) and not isinstance(initial_value, Tensor):
            initial_value = initial_value()
        dtype = None if dtype is None else dtype_name(dtype)
        if isinstance(initial_value, Tensor) and dtype is not None:
            initial_value = graph.cast(initial_value, dtype)
        if isinstance(initial_value, Tensor) and graph.is_eager() and initial_value._known:
            initial_value = initial_value.numpy()
        name = name or ("Variable" if graph.is_eager() else None)
        super().__init__(initial_value, dtype, name=graph.scoped_name(name) if name else None, constraint=constraint)
        self.trainable = trainable is None or bool(trainable)

    def scatter_nd_update(self, indices: Any, updates: Any, name: Any = None) -> Tensor:
        """Replace the elements or slices at places: rows of the last axis of ``indices``."""
        return self.assign(tensor_scatter_nd_update(self, indices, updates))

    def scatter_nd_add(self, indices: Any, updates: Any, name: Any = None) -> Tensor:
        return self.assign(tensor_scatter_nd_add(self, indices, updates))

    def scatter_nd_sub(self, indices: Any, updates: Any, name: Any = None) -> Tensor:
        return self.assign(tensor_scatter_nd_sub(self, indices, updates))

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Tensor:
        """Replace rows by those of ``tf.IndexedSlices``."""
        return self.scatter_nd_update(K.expand_dims(sparse_delta.indices, -1), sparse_delta.values)

    batch_scatter_update = scatter_update

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Tensor:
        return self.scatter_nd_add(K.expand_dims(sparse_delta.indices, -1), sparse_delta.values)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Tensor:
        return self.scatter_nd_sub(K.expand_dims(sparse_delta.indices, -1), sparse_delta.values)

    def _moved(self, op: str, delta: Any) -> Tensor:
        rows = gather(self, delta.indices)
        return self.scatter_nd_update(K.expand_dims(delta.indices, -1), graph.apply(op, [rows, delta.values]))

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Tensor:
        return self._moved("mul", sparse_delta)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Tensor:
        return self._moved("div", sparse_delta)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Tensor:
        return self._moved("maximum", sparse_delta)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Tensor:
        return self._moved("minimum", sparse_delta)

    def sparse_read(self, indices: Any, name: Any = None) -> Tensor:
        return gather(self, indices)

    def gather_nd(self, indices: Any, name: Any = None) -> Tensor:
        return gather_nd(self, indices)

    def initialized_value(self) -> Tensor:
        return self.value()

    def is_initialized(self) -> bool:
        return True


@for_scripts("IndexedSlices")
class IndexedSlices:
    """Rows ``values`` at ``indices`` of a tensor whose other rows are zero."""

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self.values, self.indices = tensor(values), graph.convert(indices)
        self.dense_shape = None if dense_shape is None else graph.convert(dense_shape)
        self.dtype = self.values.dtype

    @property
    def shape(self) -> Any:
        rows = None if self.dense_shape is None else int(self.dense_shape[0])
        return graph.StaticShape([rows, *self.values.shape[1:]])

    def dense(self) -> Tensor:
        """The whole tensor; rows of one index are added.

        Raises:
            ValueError: the shape is not known.
        """
        if self.dense_shape is None:
            raise ValueError("tf.IndexedSlices without dense_shape cannot become a tensor")
        return scatter_nd(K.expand_dims(self.indices, -1), self.values, self.dense_shape)


@for_scripts("assign")
def assign(ref: Any, value: Any, validate_shape: Any = None, use_locking: Any = None, name: Any = None) -> Tensor:
    return K.update(ref, value)


@for_scripts("assign_add")
def assign_add(ref: Any, value: Any, use_locking: Any = None, name: Any = None) -> Tensor:
    return K.update_add(ref, value)


@for_scripts("assign_sub")
def assign_sub(ref: Any, value: Any, use_locking: Any = None, name: Any = None) -> Tensor:
    return K.update_sub(ref, value)


@for_scripts("placeholder")
def placeholder(dtype: Any, shape: Any = None, name: Any = None) -> Tensor:
    """To be fed, by ``Session.run`` or ``K.function``.

    Raises:
        ValueError: no shape: tensors of unknown rank do not exist here.
    """
    if shape is None:
        raise ValueError("tf.placeholder needs its shape, () for a number: tensors of unknown rank do not exist here.")
    return K.placeholder(shape=tuple(entries(shape)), dtype=dtype_name(dtype), name=name)
