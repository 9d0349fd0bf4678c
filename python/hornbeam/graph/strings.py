"""Tensors of strings: they live on the host, and no op of the core takes them (see ``graph/host.py``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .tensor import Operation, Tensor


class StringTensor(Tensor):
    """A tensor whose elements are ``bytes``: a value, a placeholder, or what a function on the host gives."""

    def __reduce__(self) -> Any:
        return (string_constant, (np.asarray(self.numpy(), object),)) if self.is_eager else super().__reduce__()

    @staticmethod
    def apply_op(op: str, tensors: Sequence[Tensor | None], attrs: dict[str, Any]) -> Any:
        """Apply an op of which some inputs are strings; ``graph/string_ops.py`` has it."""
        raise NotImplementedError


def as_strings(value: Any) -> np.ndarray | None:
    """An array of ``bytes`` objects of what holds text, in UTF-8; None for everything else."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "OUS":
            return None
    else:
        first = value
        while isinstance(first, (list, tuple)) and len(first):
            first = first[0]
        if not isinstance(first, (str, bytes)):
            return None
        value = np.array(value, dtype=object)  # NumPy's own strings would lose trailing zero bytes
    flat = value.reshape(-1).tolist()
    if not all(isinstance(x, (str, bytes)) for x in flat):
        return None
    array = np.empty(len(flat), dtype=object)
    array[:] = [x.encode() if isinstance(x, str) else x for x in flat]
    return array.reshape(value.shape)


def string_tensor(op: str, dims: Sequence[int | None], inputs: Sequence[Tensor] = (), **attrs: Any) -> StringTensor:
    """A leaf of strings."""
    node = Operation(op, tuple(inputs), attrs)
    tensor = StringTensor(node, 0, "string", dims)
    node.outputs = (tensor,)
    return tensor


def string_constant(array: np.ndarray) -> StringTensor:
    """A value, from what :func:`as_strings` gives."""
    tensor = string_tensor("constant", array.shape, value=array)
    tensor._known = True
    return tensor
