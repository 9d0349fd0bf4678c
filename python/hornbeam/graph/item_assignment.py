"""``variable[key].assign(value)``: a variable's elements at an index are replaced."""

from __future__ import annotations

from typing import Any

import numpy as np

from .control import current_value
from .indexing import getitem
from .ops import apply, cast, constant, convert, reshape
from .tensor import Tensor
from .variable import Variable


def variable_item(self: Variable, key: Any) -> Tensor:
    """The elements at an index. The tensor has ``assign``, ``assign_add`` and ``assign_sub``, which change the variable."""
    item = getitem(self, key)
    if item is self:
        item = apply("identity", [self])
    for how in ("assign", "assign_add", "assign_sub"):
        item.__dict__[how] = _Assigning(self, key, how)
    return item


class _Assigning:
    """One of those methods; it holds the variable and the index, and not the tensor, which would hold itself."""

    def __init__(self, variable: Variable, key: Any, how: str) -> None:
        self._variable = variable
        self._key = key
        self._how = how

    def __call__(self, value: Any, use_locking: Any = None, name: Any = None, read_value: bool = True) -> Tensor:
        variable = self._variable
        size = int(np.prod(variable.shape))
        places = getitem(constant(np.arange(size, dtype="int64").reshape(variable.shape)), self._key)
        value = cast(convert(value, variable.dtype), variable.dtype)
        value = apply("broadcast_to", [value, apply("shape", [places])])
        flat_places, count = reshape(places, [-1]), constant(np.array([size]))
        sums = apply("scatter_add", [flat_places, reshape(value, [-1]), count])
        flat = reshape(current_value(variable), [-1])
        if self._how == "assign":
            ones = apply("add", [apply("mul", [cast(flat_places, "float32"), 0.0]), 1.0])
            chosen = apply("greater", [apply("scatter_add", [flat_places, ones, count]), 0.0])
            flat = apply("select", [chosen, sums, flat])
        else:
            flat = apply("add" if self._how == "assign_add" else "sub", [flat, sums])
        return variable.assign(reshape(flat, list(variable.shape)))


Variable.__getitem__ = variable_item  # type: ignore[assignment, method-assign]
