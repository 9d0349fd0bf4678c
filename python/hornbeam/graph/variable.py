"""Variables: tensors that own a buffer which survives from run to run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _core
from .arrays import as_array
from .ops import constant, floatx
from .tensor import Node, Tensor, unique_name


class Variable(Tensor):
    """A leaf of the graph that owns its value.

    Args:
        initial: the first value: an array, a number, a tensor to evaluate, or a function without arguments
            that returns one of these. Tensors and functions are evaluated at the first read only, so
            a model that is built and then loaded never pays for its initializers.
        dtype: defaults to the array's dtype, or floatx for Python numbers.
        shape: needed when ``initial`` is a function.
        name: a name for people and files.
        constraint: a function from tensor to tensor that optimizers apply after an update.

    Reads during a run see the value from before the run's updates.
    """

    def __init__(
        self,
        initial: Any,
        dtype: str | None = None,
        shape: tuple[int, ...] | None = None,
        name: str | None = None,
        constraint: Callable | None = None,
    ) -> None:
        self._initial: Any = None
        if isinstance(initial, Tensor):
            dtype = dtype or initial.dtype
            shape = initial.shape if shape is None else shape  # type: ignore[assignment]
        elif callable(initial):
            if shape is None:
                raise ValueError("a variable with a function as initial value needs a shape")
            dtype = dtype or floatx()
        else:
            array = constant(initial, dtype).op.attrs["value"]
            dtype, shape = array.dtype.name, array.shape
        if shape is None or any(d is None for d in shape):
            raise ValueError(f"a variable needs a fully known shape, got {shape}")
        node = Node("variable", (), {"variable": self})
        super().__init__(node, 0, dtype, tuple(int(d) for d in shape), name or unique_name("Variable"))
        node.outputs = (self,)
        self.core = _core.Variable(self.dtype, self.dims)
        self.constraint = constraint
        self._uses_learning_phase = False
        if isinstance(initial, Tensor) or callable(initial):
            self._initial = initial
        else:
            self.core.set(array)

    def materialize(self) -> None:
        """Compute the initial value if no value was set yet."""
        initial, self._initial = self._initial, None
        if initial is None or self.core.is_set():
            return
        value = initial() if callable(initial) else initial
        value = value.numpy() if isinstance(value, Tensor) else as_array(value)
        if value.shape != self.shape:
            raise ValueError(f"initial value of variable {self.name!r} has shape {value.shape}, expected {self.shape}")
        self.core.set(np.ascontiguousarray(value, dtype=self.dtype).reshape(self.shape))

    def get_value(self) -> np.ndarray:
        """A copy of the value."""
        self.materialize()
        return self.core.get()

    def numpy(self) -> Any:
        """A copy of the value, as a NumPy scalar where the variable has no dims."""
        return self.get_value()[()]

    def set_value(self, value: Any) -> None:
        """Replace the value.

        Raises:
            ValueError: the shapes differ.
        """
        array = as_array(value)
        if array.shape != self.shape:
            raise ValueError(
                f"Cannot set variable {self.name!r} of shape {self.shape} to a value of shape {array.shape}."
            )
        self._initial = None
        self.core.set(np.ascontiguousarray(array, dtype=self.dtype).reshape(self.shape))

    # Each returns a tensor whose value is the new value; running it (or anything made from it) writes.
    def assign(self, value: Any) -> Tensor:
        """The update that sets the variable to ``value``."""
        return self._update(value, "set")

    def assign_add(self, delta: Any) -> Tensor:
        """The update that adds ``delta``, which may broadcast."""
        return self._update(delta, "add")

    def assign_sub(self, delta: Any) -> Tensor:
        """The update that subtracts ``delta``, which may broadcast."""
        return self._update(delta, "sub")

    def _update(self, value: Any, how: str) -> Tensor:
        from .body import refuse_updates
        from .ops import cast, convert, marker

        refuse_updates(self.name)
        value = convert(value, self.dtype)
        if value.dtype != self.dtype:
            value = cast(value, self.dtype)
        if not self._takes(value.shape, how):
            raise ValueError(f"Cannot update variable {self.name!r} of shape {self.shape} with shape {value.shape}.")
        return marker("assign", (self, value), self.dtype, self.shape, variable=self, how=how)

    def _takes(self, shape: tuple[int | None, ...], how: str) -> bool:
        """Whether a value of that shape may be set, or be added by broadcasting."""
        if how == "set":
            return len(shape) == len(self.shape) and all(n in (None, own) for n, own in zip(shape, self.shape))
        offset = len(self.shape) - len(shape)
        return offset >= 0 and all(n in (None, 1, own) for n, own in zip(shape, self.shape[offset:]))

    def __repr__(self) -> str:
        return f"<hornbeam.Variable {self.name!r} shape={self.shape} dtype={self.dtype}>"
