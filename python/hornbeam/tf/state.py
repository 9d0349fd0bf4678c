"""Variables, placeholders and updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import dtype_name, entries
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
        super().__init__(initial_value, dtype, name=graph.scoped_name(name) if name else None, constraint=constraint)
        self.trainable = bool(trainable)


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
