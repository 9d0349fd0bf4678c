"""What code of layers imports from tf.keras's module of this name: questions about tensors and shapes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend as K
from ..graph import StaticShape, Tensor, Variable, choose, is_tracing
from .seeds import set_random_seed

__all__ = [
    "constant_value", "convert_shapes", "is_symbolic_tensor", "is_tensor_or_tensor_list", "is_tensor_or_variable",
    "set_random_seed", "shape_type_conversion", "smart_cond",
]  # fmt: skip


def is_tensor_or_variable(x: Any) -> bool:
    """Whether ``x`` is a tensor; a variable is one."""
    return isinstance(x, Tensor)


def is_tensor_or_tensor_list(x: Any) -> bool:
    """Whether ``x`` is a tensor, or a list that begins with one."""
    return isinstance(x, Tensor) or (isinstance(x, (list, tuple)) and bool(x) and isinstance(x[0], Tensor))


def is_symbolic_tensor(x: Any) -> bool:
    """Whether ``x`` is a formula, and not a variable or a value."""
    return isinstance(x, Tensor) and not isinstance(x, Variable) and not x.is_eager


def constant_value(x: Any) -> Any:
    """The value of a number, an array or a tensor that has one; None of a formula."""
    if not isinstance(x, Tensor):
        return x
    return None if is_symbolic_tensor(x) else x.numpy()


def smart_cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: Any = None) -> Any:
    """What one of two functions returns. Only that one is called where the condition is known, else both are."""
    if is_symbolic_tensor(pred):
        return choose(pred, true_fn, false_fn) if is_tracing() else K.switch(pred, true_fn, false_fn)
    return true_fn() if pred else false_fn()


def convert_shapes(input_shape: Any, to_tuples: bool = True) -> Any:
    """Shapes as tuples in whatever holds them: ``(2, None)`` of a TensorShape, a list of tuples of a list of them.

    Args:
        to_tuples: tuples if True, else what ``tf.TensorShape`` makes.
    """
    if input_shape is None:
        return None
    if isinstance(input_shape, dict):
        return {key: convert_shapes(shape, to_tuples) for key, shape in input_shape.items()}
    if _is_shape(input_shape):
        dims = tuple(None if dim is None else int(dim) for dim in input_shape)
        return dims if to_tuples else StaticShape(dims)
    return type(input_shape)([convert_shapes(shape, to_tuples) for shape in input_shape])


def shape_type_conversion(fn: Callable) -> Callable:
    """Let a layer's ``build`` or ``compute_output_shape`` take shapes as tuples."""

    @functools.wraps(fn)
    def with_tuples(instance: Any, input_shape: Any) -> Any:
        return fn(instance, convert_shapes(input_shape))

    return with_tuples


def _is_shape(x: Any) -> bool:
    return not isinstance(x, (list, tuple)) or all(dim is None or isinstance(dim, (int, np.integer)) for dim in x)
