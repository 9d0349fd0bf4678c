"""The ops that move items, for strings: what the core does with numbers is done on the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _core
from .host import on_host
from .strings import StringTensor
from .tensor import Tensor

_ARRAYS: dict[str, Callable] = {
    "identity": lambda x: x,
    "stop_gradient": lambda x: x,
    "reshape": lambda x, shape: np.reshape(x, shape),
    "expand_dims": lambda x, axis: np.expand_dims(x, axis),
    "squeeze": lambda x, axes: np.squeeze(x, tuple(axes)),
    "transpose": lambda x, perm: np.transpose(x, perm),
    "reverse": lambda x, axes: np.flip(x, tuple(axes)),
    "concat": lambda *parts, axis: np.concatenate(parts, axis),
    "tile": lambda x, multiples: np.tile(x, multiples),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape).copy(),
    "gather": lambda x, indices, axis: np.take(x, indices, axis),
    "select": lambda chosen, x, y: np.where(chosen, x, y),
    "equal": lambda x, y: np.equal(x, y).astype(bool),
    "not_equal": lambda x, y: np.not_equal(x, y).astype(bool),
    "shape": lambda x: np.array(x.shape, "int32"),
}


def apply_to_strings(op: str, tensors: Sequence[Tensor | None], attrs: dict[str, Any]) -> Any:
    """Apply an op, some of whose inputs are strings.

    Raises:
        TypeError: it computes with numbers.
    """
    if op not in _ARRAYS:
        raise TypeError(f"{op} does not take strings; tf.strings and the layers StringLookup and TextVectorization do.")
    inputs = [t for t in tensors if t is not None]
    (dtype, dims, _), *_ = _core.infer(
        op, attrs, [("int32" if t.dtype == "string" else t.dtype, t.dims, t.ints) for t in inputs]
    )
    strings = op not in ("equal", "not_equal", "shape")
    kind = ("string" if strings else dtype, [d if d >= 0 else None for d in dims])
    return on_host(lambda *arrays: _ARRAYS[op](*arrays, **attrs), inputs, kind)


StringTensor.apply_op = staticmethod(apply_to_strings)  # type: ignore[method-assign]
