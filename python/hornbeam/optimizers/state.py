"""What an optimizer holds: the counter of steps, its weights, and hyperparameters as attributes."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend as K
from ..graph import Tensor, Variable
from ..utils.overriding import default
from . import schedules
from .legacy_protocol import put


class OptimizerState:
    """What optimizers hold, whichever way they make a step."""

    if TYPE_CHECKING:
        name: str
        _protocol: str
        _built: bool
        _weights: list

        def _get_hyper(self, name: str, dtype: Any = None) -> Any: ...
        def _set_hyper(self, name: str, value: Any) -> None: ...
        def _build_learning_rate(self, learning_rate: Any) -> Any: ...

    _iterations: Any = None  #: optimizers that wrap others set it, to count for them
    _counter: Any = None  #: the optimizer's own

    @property
    def iterations(self) -> Any:
        """The variable that counts steps."""
        if self._iterations is None:
            name = "iteration" if self._protocol == "steps" else f"{self.name}/iter"
            self._iterations = self._counter = K.variable(0, "int64", name)
            self._weights.append(self._iterations)
        return self._iterations

    @iterations.setter
    def iterations(self, value: Any) -> None:
        if isinstance(value, Variable) or self._iterations is None:
            self._iterations = self._counter = value
        else:
            put(self._iterations, value)

    @property
    def weights(self) -> list:
        return self._weights

    @weights.setter
    def weights(self, value: list) -> None:
        self._weights = value

    def _listed(self, variable: Variable) -> Variable:
        """A variable, which becomes one of the weights; the counter is the first of them, if it is the optimizer's own."""
        counter = self.iterations
        if counter is self._counter and not any(weight is counter for weight in self._weights):
            self._weights.insert(0, counter)
        self._weights.append(variable)
        return variable

    @property
    def has_state(self) -> bool:
        """Whether the variables are there that parameters have in the optimizer."""
        if self._protocol == "steps":
            return self._built
        return any(weight is not self._iterations for weight in self.weights)

    @property
    def variables(self) -> CallableList:
        """The weights; tf.keras had a method of this name once, and then a list."""
        return CallableList(self.weights)

    #: what to do once the state's variables are made: a checkpoint that was restored before gives them its values
    _when_made: Any = None

    def take_awaited(self) -> None:
        """Take what a checkpoint that was restored before has for the state; called when its variables are made."""
        if self._when_made is not None:
            resume, self._when_made = self._when_made, None
            resume()

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Set the state from arrays in the order of ``get_weights``.

        Raises:
            ValueError: another number of arrays, or other shapes.
        """
        if len(self.weights) != len(weights):
            raise ValueError(
                f"Length of the specified weight list ({len(weights)}) does not match the number of weights "
                f"of the optimizer ({len(self.weights)})"
            )
        arrays = [np.asarray(w) for w in weights]
        for variable, array in zip(self.weights, arrays):
            if K.int_shape(variable) != array.shape:
                raise ValueError(
                    f"Optimizer weight shape {K.int_shape(variable)} not compatible with provided weight shape {array.shape}"
                )
        K.batch_set_value(zip(self.weights, arrays))

    def get_weights(self) -> list[np.ndarray]:
        """The state as arrays."""
        return K.batch_get_value(self.weights)

    @default
    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the values of the state into ``store``, a dict by name; a class may do it in its own way, for ``.keras`` files."""
        for i, value in enumerate(self.get_weights()):
            store[str(i)] = value

    @default
    def load_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Set the state to what :meth:`save_own_variables` has put into ``store``.

        Raises:
            ValueError: another number of values, or other shapes.
        """
        self.set_weights([np.asarray(store[str(i)]) for i in range(len(store.keys()))])

    # -- hyperparameters as attributes ------------------------------------------------------------------
    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("_hyper", ()):
            return self._get_hyper(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        known = self.__dict__.get(name)
        if name in self.__dict__.get("_hyper", ()) and name not in self.__dict__:
            self._set_hyper(name, value)
        elif isinstance(known, Variable) and _is_value(value):
            put(known, value)  # steps that were traced read the variable
        else:
            object.__setattr__(self, name, value)

    @property
    def learning_rate(self) -> Any:
        """The variable of the learning rate; with a schedule, that of its present rate."""
        rate = self.__dict__.get("_learning_rate")
        if rate is None:
            return self.__getattr__("learning_rate")
        return self._current_learning_rate if isinstance(rate, schedules.LearningRateSchedule) else rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        rate = self.__dict__.get("_learning_rate")
        if isinstance(value, schedules.LearningRateSchedule):
            value = self._build_learning_rate(value)
        elif isinstance(rate, schedules.LearningRateSchedule):
            raise TypeError("The learning rate follows a LearningRateSchedule: it cannot be set to another value.")
        self._learning_rate = value

    @property
    def lr(self) -> Any:
        """The learning rate, under its old name."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value


def _is_value(value: Any) -> bool:
    """Whether something is a number, or a tensor of one, for a variable to take."""
    if isinstance(value, Tensor):
        return not isinstance(value, Variable) and value.ndim == 0
    return (
        isinstance(value, (int, float, np.number, np.ndarray)) and not isinstance(value, bool) and np.ndim(value) == 0
    )


class CallableList(list):
    """A list that gives itself when it is called."""

    def __call__(self) -> CallableList:
        return self
