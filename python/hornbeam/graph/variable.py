"""Variables: tensors that own a buffer which survives from run to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import _core
from ..settings import settings
from .arrays import as_array
from .body import refuse_updates
from .context import context
from .control import current_value
from .integers import as_integer
from .locks import Lock
from .naming import checked_name
from .ops import apply, cast, constant, convert, floatx
from .tensor import Operation, Tensor, marker, unique_name


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
        self._initial: tuple[Any, Lock] | None = None  #: what the first value is computed from, by one thread
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
        node = Operation("variable", (), {"variable": self})
        super().__init__(
            node, 0, dtype, tuple(as_integer(d) for d in shape), checked_name(name or unique_name("Variable"))
        )
        node.outputs = (self,)
        self.core = _core.Variable(self.dtype, self.dims)
        self.constraint = constraint
        self._known = True
        self._uses_learning_phase = False
        if isinstance(initial, Tensor) or callable(initial):
            self._initial = initial, Lock()
        else:
            self.core.initialize(array)

    # What code for TensorFlow asks of its variables besides.
    device = "/device:CPU:0"

    @property
    def handle(self) -> Variable:
        return self

    @property
    def _shared_name(self) -> str:
        return self.name.removesuffix(":0")

    @property
    def _unique_id(self) -> str:
        return f"{self._shared_name}_{self.op.serial}"

    def materialize(self) -> None:
        """Compute the initial value if no value was set yet."""
        pending = self._initial
        if pending is None:
            return
        initial, lock = pending
        with lock:
            if not self.core.is_set():
                value = initial() if callable(initial) else initial
                value = value.numpy() if isinstance(value, Tensor) else as_array(value)
                if value.shape != self.shape:
                    raise ValueError(
                        f"initial value of variable {self.name!r} has shape {value.shape}, expected {self.shape}"
                    )
                self.core.initialize(self._stored(value))
            self._initial = None

    def _stored(self, value: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(value, dtype=self.dtype).reshape(self.shape)

    def get_value(self) -> np.ndarray:
        """A copy of the value."""
        return read_state([self])[0]

    def numpy(self) -> Any:
        """A copy of the value, as a NumPy scalar where the variable has no dims."""
        return self.get_value()[()]

    def set_value(self, value: Any) -> None:
        """Replace the value.

        Raises:
            ValueError: the shapes differ.
        """
        write_state([(self, value)])

    def __reduce__(self) -> Any:
        return _restored, (self.get_value(), self._name, getattr(self, "trainable", True))

    # Each returns a tensor whose value is the new value; running it (or anything made from it) writes.
    def assign(self, value: Any, use_locking: Any = None, name: Any = None, read_value: Any = None) -> Tensor:
        """The update that sets the variable to ``value``."""
        return self._update(value, "set")

    def assign_add(self, delta: Any, use_locking: Any = None, name: Any = None, read_value: Any = None) -> Tensor:
        """The update that adds ``delta``, which may broadcast."""
        return self._update(delta, "add")

    def assign_sub(self, delta: Any, use_locking: Any = None, name: Any = None, read_value: Any = None) -> Tensor:
        """The update that subtracts ``delta``, which may broadcast."""
        return self._update(delta, "sub")

    def value(self) -> Tensor:
        """The value as a tensor, which keeps it whatever is assigned later where tensors are eager."""
        return apply("identity", [self])

    read_value = value

    def _update(self, value: Any, how: str) -> Tensor:
        refuse_updates(self.name)
        value = current_value(convert(value, self.dtype))
        if value.dtype != self.dtype:
            value = cast(value, self.dtype)
        if not self._takes(value.shape, how):
            raise ValueError(f"Cannot update variable {self.name!r} of shape {self.shape} with shape {value.shape}.")
        before = current_value(self)
        if how != "set" and before is not self:  # after another assignment of the same trace
            value, how = apply(how, [before, value]), "set"
        return self._made(self.assign_formula(value, how))

    def assign_formula(self, value: Tensor, how: str = "set") -> Tensor:
        """The description of an update, which nothing makes yet."""
        return marker("assign", (self, value), self.dtype, self.shape, variable=self, how=how)

    def _made(self, update: Tensor) -> Tensor:
        """What an assignment gives: where it is made at once, the variable; else a tensor whose value is the new value."""
        if context.trace is not None:
            context.trace.assign([update])
            return self
        if settings.recorder is not None and settings.recorder.records:
            settings.recorder.assign([update])
            return self
        if context.assigned is not None:
            context.assigned.append(update)
        return update

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return super().__format__(spec) if spec else str(self)

    def _takes(self, shape: tuple[int | None, ...], how: str) -> bool:
        """Whether a value of that shape may be set, or be added by broadcasting."""
        if how == "set":
            return len(shape) == len(self.shape) and all(n in (None, own) for n, own in zip(shape, self.shape))
        offset = len(self.shape) - len(shape)
        return offset >= 0 and all(n in (None, 1, own) for n, own in zip(shape, self.shape[offset:]))

    def __repr__(self) -> str:
        if self.is_eager:
            value = self.numpy()
            shown = repr(value) if self.shape else str(value)
            return f"<tf.Variable {self.name!r} shape={tuple(self.shape)} dtype={self.dtype}, numpy={shown}>"
        return f"<hornbeam.Variable {self.name!r} shape={self.shape} dtype={self.dtype}>"


def _restored(value: np.ndarray, name: str, trainable: bool) -> Variable:
    variable = Variable(value, name=name)
    variable.trainable = trainable  # type: ignore[attr-defined]
    return variable


def read_state(variables: Sequence[Variable]) -> list[np.ndarray]:
    """Copies of the variables' values at one moment: no run, and no :func:`write_state`, comes between them."""
    return read_state_and_runs(variables, None)[0]


def read_state_and_runs(
    variables: Sequence[Variable], counter: _core.RunCounter | None
) -> tuple[list[np.ndarray], int]:
    """As :func:`read_state`, and the number of random runs that ``counter`` had counted at that moment."""
    if settings.recorder is not None:
        settings.recorder.settle()
    for variable in variables:
        variable.materialize()
    return _core.read_state([variable.core for variable in variables], counter)


def write_state(pairs: Iterable[tuple[Variable, Any]]) -> None:
    """Set variables from (variable, value) pairs, all at once: every run sees the old values or the new ones.

    Raises:
        ValueError: a shape differs, and nothing was set.
    """
    if settings.recorder is not None:
        settings.recorder.settle()
    variables, arrays = [], []
    for variable, value in pairs:
        array = as_array(value)
        if array.shape != variable.shape:
            raise ValueError(
                f"Cannot set variable {variable.name!r} of shape {variable.shape} to a value of shape {array.shape}."
            )
        variables.append(variable)
        arrays.append(variable._stored(array))
    _core.write_state([variable.core for variable in variables], arrays)
    for variable in variables:
        variable._initial = None
