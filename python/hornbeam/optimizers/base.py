"""What optimizers share: state, clipping, the learning rate and its decay or schedule, weight decay, constraints."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import backend as K
from ..graph import Tape, Variable, assign, described, is_eager
from ..legacy import interfaces
from ..settings import settings
from ..utils.messages import argument_names, did_you_mean
from . import schedules


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """The gradient ``g``, scaled by c / n if the norm ``n`` exceeds ``c``; unchanged for c <= 0."""
    return g if c <= 0 else K.switch(K.greater_equal(n, c), g * (c / n), g)


_CLIPPING = ("clipnorm", "clipvalue", "clip_each")


class Optimizer:
    """Base class. Subclasses define ``get_updates(loss, params)``.

    Args:
        clipnorm: gradients are scaled down together to at most this L2 norm (tf.keras's ``global_clipnorm``).
        clipvalue: each entry of a gradient is limited to [-clipvalue, clipvalue].
        clip_each: (of files that tf.keras wrote) each gradient is scaled down for itself.
        name: the optimizer's name, as tf.keras has it.

    Attributes:
        weights: the optimizer's state, ``iterations`` first; known after ``get_updates``.
        params: what that is the state of.
    """

    def __init__(self, **kwargs: Any) -> None:
        if kwargs.get("global_clipnorm") is not None:
            kwargs["clipnorm"] = kwargs["global_clipnorm"]
        kwargs.pop("global_clipnorm", None)
        for name in kwargs:
            if name not in (*_CLIPPING, "name"):
                known = [*argument_names(type(self).__init__), "clipnorm", "clipvalue", "decay", "epsilon"]
                known = [other for other in known if other != name]  # a subclass may take it, and hand it on
                raise TypeError(f"Unexpected keyword argument passed to optimizer: {name}.{did_you_mean(name, known)}")
        self.__dict__.update(kwargs)
        self.updates: list = []
        self.weights: list = []
        self._slots: dict[str, dict] = {}  # the state of parameters, by its name
        self.params: list = []

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        """The updates of one step."""
        raise NotImplementedError

    def get_gradients(self, loss: Any, params: Sequence[Any]) -> list:
        """Gradients of the loss, clipped as the optimizer was told to.

        Raises:
            ValueError: the loss does not depend on a parameter by differentiable ops.
        """
        grads: list[Any] = K.gradients(loss, list(params))
        missing = [p.name for p, g in zip(params, grads) if g is None]
        if missing:
            raise ValueError(
                "An operation has `None` for gradient. Please make sure that all of your ops have a gradient defined "
                "(i.e. are differentiable). Common ops without gradient: K.argmax, K.round, K.eval. "
                f"The loss does not depend on: {', '.join(missing)}"
            )
        return self._clipped(grads)

    def _clipped(self, grads: list) -> list:
        clipnorm, clipvalue = getattr(self, "clipnorm", None) or 0, getattr(self, "clipvalue", None) or 0
        if clipnorm > 0 and getattr(self, "clip_each", False):
            grads = [clip_norm(g, clipnorm, K.sqrt(K.sum(K.square(g)))) for g in grads]
        elif clipnorm > 0 and grads:
            norm = K.sqrt(functools.reduce(operator.add, [K.sum(K.square(g)) for g in grads]))
            grads = [clip_norm(g, clipnorm, norm) for g in grads]
        if clipvalue > 0:
            grads = [K.clip(g, -clipvalue, clipvalue) for g in grads]
        return grads

    # What TensorFlow's optimizers have besides, in its form for graphs: updates, for K.function or Session.run.
    def compute_gradients(self, loss: Any, var_list: Sequence[Any]) -> list[tuple]:
        """Pairs of gradients and the variables they belong to."""
        return list(zip(self.get_gradients(loss, var_list), var_list))

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple], global_step: Any = None, name: Any = None, **options: Any
    ) -> Any:
        """One step along given gradients; pairs whose gradient is None are left out.

        Returns:
            The updates of the step; where tensors are eager they are made, and the counter is returned.

        Raises:
            ValueError: there is no gradient.
        """
        pairs = [(gradient, variable) for gradient, variable in grads_and_vars if gradient is not None]
        if not pairs:
            raise ValueError("No gradients provided for any variable.")
        gradients, variables = map(list, zip(*pairs))
        if is_eager():
            with described():
                updates = self._updates_along(self._clipped(gradients), variables)
            assign(updates)
            return getattr(self, "iterations", None)
        updates = self._updates_along(gradients, variables)
        return updates if global_step is None else [*updates, K.update_add(global_step, 1)]

    def _updates_along(self, gradients: list, variables: list) -> list:
        self.__dict__["get_gradients"] = lambda loss, params: gradients
        try:
            updates = self.get_updates(loss=None, params=variables)
        finally:
            del self.__dict__["get_gradients"]
        self.take_awaited()
        return updates

    def minimize(
        self, loss: Any, var_list: Any, global_step: Any = None, name: Any = None, tape: Any = None, **options: Any
    ) -> Any:
        """One step that makes the loss smaller: a tensor, or where tensors are eager a function that gives one.

        Args:
            tape: the tape on which an eager ``loss`` was computed.
        """
        if not is_eager():
            return self.apply_gradients(self.compute_gradients(loss, var_list), global_step)
        if callable(loss):
            recorded = Tape()
            with recorded.recording():
                loss = loss()
        elif tape is not None:
            recorded = tape
        else:
            raise ValueError("`tape` is required when a `Tensor` loss is passed: minimize(loss, variables, tape=tape).")
        variables = list(var_list() if callable(var_list) else var_list)
        return self.apply_gradients(zip(recorded.gradients([loss], variables), variables))

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

    def get_config(self) -> dict:
        return {name: getattr(self, name) for name in _CLIPPING if hasattr(self, name)}

    @classmethod
    def from_config(cls, config: dict) -> Optimizer:
        return cls(**config)

    def __setattr__(self, name: str, value: Any) -> None:
        rate = self.__dict__.get("learning_rate")
        if name == "learning_rate" and settings.recorder is not None:
            if isinstance(rate, Variable) and np.isscalar(value):
                rate.set_value(value)  # steps that were traced read the variable
                return
        object.__setattr__(self, name, value)

    @property
    def lr(self) -> Any:
        """The learning rate's variable (or its schedule), under its old name."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value


class _WithRate(Optimizer):
    """What the optimizers here share: a learning rate that may decay, a step counter, constraints.

    Args:
        learning_rate: a number, or a schedule of ``optimizers.schedules`` (or its config).
        decay: the rate of step t is ``learning_rate / (1 + decay * t)``.
        weight_decay: in each step parameters lose this part of themselves, times the learning rate.
    """

    def __init__(self, learning_rate: Any, kwargs: dict) -> None:
        learning_rate = kwargs.pop("lr", learning_rate)
        self.initial_decay = kwargs.pop("decay", 0.0)
        self.weight_decay = kwargs.pop("weight_decay", None)
        super().__init__(**kwargs)
        self.iterations = self._variable(0, "iterations", dtype="int64")
        if isinstance(learning_rate, dict):
            learning_rate = schedules.deserialize(learning_rate)
        scheduled = isinstance(learning_rate, schedules.LearningRateSchedule)
        self.learning_rate = learning_rate if scheduled else self._variable(learning_rate, "learning_rate")
        self.decay = self._variable(self.initial_decay, "decay")

    def _variable(self, value: float, name: str, dtype: str | None = None) -> Any:
        with K.name_scope(type(self).__name__):
            return K.variable(value, dtype=dtype, name=name)

    def _rate(self) -> Any:
        """The learning rate of this step."""
        rate = self.learning_rate
        if isinstance(rate, schedules.LearningRateSchedule):
            rate = K.cast(rate(self.iterations), K.floatx())
        if self.initial_decay <= 0:
            return rate
        return rate / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay)))

    def _step(self) -> Any:
        """The number of this step, counted from 1, as a float."""
        return K.cast(self.iterations, K.floatx()) + 1.0

    def _begin(self, loss: Any, params: Sequence[Any], *slots: str, **initial: float) -> list[list]:
        """Start a list of updates.

        Args:
            slots: names of the state that each parameter has: a variable of its shape.
            initial: what the state of a name begins with, if it is not zero.

        Returns:
            The gradients, and the variables of each slot. The weights are the counter and then these.
        """
        grads = self.get_gradients(loss, params)
        if settings.recorder is None:
            self._slots = {}  # each get_updates begins anew; eager steps are taken one by one
        self.params = list(params)
        state = [[self._slot(name, i, p, value=initial.get(name, 0.0)) for i, p in enumerate(params)] for name in slots]
        self.updates = [K.update_add(self.iterations, 1)]
        self._list_weights()
        return [grads, *state]

    def _slot(self, name: str, index: int, param: Any, shape: Sequence[int] | None = None, value: float = 0.0) -> Any:
        """A parameter's state of that name, which is made where it is not there yet."""
        made = self._slots.setdefault(name, {})
        if param not in made:
            shape = K.int_shape(param) if shape is None else shape
            made[param] = K.variable(np.full(shape, value), K.dtype(param), f"{name}_{index}")
        return made[param]

    def _list_weights(self) -> None:
        self.weights = [self.iterations, *(variable for slot in self._slots.values() for variable in slot.values())]

    def _assign(self, param: Any, value: Any) -> None:
        """Update a parameter, which may decay beside, through its constraint if it has one."""
        if self.weight_decay:
            value = value - param * (self.weight_decay * self._rate())
        if getattr(param, "constraint", None) is not None:
            value = param.constraint(value)
        self.updates.append(K.update(param, value))

    def _set_weights_maybe_without_iterations(self, weights: Sequence[np.ndarray]) -> None:
        """Keras up to 2.2 saved these optimizers without their counter, which then starts at 0."""
        if len(weights) + 1 == len(self.weights):
            weights = [np.array(0), *weights]
        Optimizer.set_weights(self, weights)

    def _config(self, *names: str) -> dict:
        """The values of the named variables (as floats) and attributes."""
        values = {name: getattr(self, name) for name in names}
        own: dict[str, Any] = {
            name: float(K.get_value(v)) if K.is_variable(v) or isinstance(v, np.number) else v
            for name, v in values.items()
        }
        if isinstance(self.learning_rate, schedules.LearningRateSchedule):
            own["learning_rate"] = schedules.serialize(self.learning_rate)
        if self.weight_decay:
            own["weight_decay"] = self.weight_decay
        return {**Optimizer.get_config(self), **own}
