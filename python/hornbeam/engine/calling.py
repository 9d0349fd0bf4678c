"""Helpers of calling a layer: arrays as inputs, and errors that say which layer they come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import backend as K
from ..graph import Tensor, apply, constant
from ..utils.generic_utils import to_list, unpack_singleton

_CONCRETE_LEAVES = ("constant", "variable")


def concrete_inputs(inputs: Any) -> tuple[Any, bool]:
    """Return the inputs as tensors, and whether they are values rather than parts of a model.

    A layer called on values has nothing to record: no model can start from them.
    """
    if isinstance(inputs, (np.ndarray, np.generic, int, float)):
        return _as_tensor(inputs), True
    items = to_list(inputs, allow_tuple=True)
    if not items or not all(isinstance(x, (Tensor, np.ndarray)) for x in items):
        return inputs, False
    tensors = [_as_tensor(x) for x in items]
    concrete = all(_is_concrete(x) for x in tensors)
    return (tensors if isinstance(inputs, (list, tuple)) else unpack_singleton(tensors)), concrete


def _as_tensor(x: Any) -> Tensor:
    if isinstance(x, Tensor):
        return x
    array = np.asarray(x)
    if array.dtype == np.float64 and K.floatx() != "float64":
        array = array.astype(K.floatx())  # NumPy's default is an accident here, not a wish
    return constant(array)


def _is_concrete(x: Tensor) -> bool:
    if hasattr(x, "_keras_history"):
        return False
    return x._concrete or x.op.op in _CONCRETE_LEAVES


def mark_concrete(outputs: list[Tensor]) -> None:
    for x in outputs:
        x._concrete = True


def copy_if_passed_through(output: Any, inputs: Any) -> Any:
    """Give a tensor that a layer returned unchanged a new identity, so that it can carry its own history."""
    taken = to_list(inputs, allow_tuple=True)
    if isinstance(output, (list, tuple)):
        return [_copy(x) if any(x is y for y in taken) else x for x in output]
    return _copy(output) if any(output is x for x in taken) else output


def _copy(x: Tensor) -> Tensor:
    return apply("identity", [x])


@contextmanager
def naming_layer(layer: Any, inputs: Any) -> Iterator[None]:
    """Put the layer's name, class and input shapes in front of the message of an error raised inside.

    The innermost layer is the one that is named.
    """
    try:
        yield
    except (ValueError, TypeError, IndexError, RuntimeError) as error:
        if not getattr(error, "_names_layer", False) and error.args and isinstance(error.args[0], str):
            shapes = unpack_singleton([x.shape for x in to_list(inputs, allow_tuple=True) if hasattr(x, "shape")])
            where = f'layer "{layer.name}" (class {type(layer).__name__}, input shape {shapes}): '
            error.args = (where + error.args[0],) + error.args[1:]
            error._names_layer = True  # type: ignore[union-attr]
        raise
