"""What the optimizers here share, whose steps are formulas: the learning rate and its decay or schedule, the counter, the state of
parameters, weight decay, constraints, moving averages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend as K
from .. import graph
from ..graph import described
from . import schedules
from .base import Optimizer
from .generations import CURRENT, FIRST, generation


class _WithRate(Optimizer):
    """What the optimizers here share: a learning rate that may decay, a step counter, constraints, and moving averages.

    Args:
        learning_rate: a number, or a schedule of ``optimizers.schedules`` (or its config).
        decay: the rate of step t is ``learning_rate / (1 + decay * t)``.
    """

    _begins_anew = False
    _in_part = False  #: whether the formulas are asked for a part of a step

    def __init__(self, learning_rate: Any, kwargs: dict) -> None:
        learning_rate = kwargs.pop("lr", learning_rate)
        self.initial_decay = kwargs.pop("decay", 0.0)
        super().__init__(**kwargs)
        self._initial_decay = self.initial_decay
        self.iterations = self._variable(0, "iterations", dtype="int64")
        if isinstance(learning_rate, dict):
            learning_rate = schedules.deserialize(learning_rate)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.decay = self._variable(self.initial_decay, "decay")

    def training_updates(self, loss: Any, params: Sequence[Any]) -> list:
        # tf.keras minimizes also where some variables have no gradient, and Keras 2.3.1 refuses
        return super().training_updates(loss, params) if generation() == FIRST else self._traced_updates(loss, params)

    def _build_learning_rate(self, learning_rate: Any) -> Any:
        with K.name_scope(type(self).__name__):
            return super()._build_learning_rate(learning_rate)

    def _variable(self, value: float, name: str, dtype: str | None = None) -> Any:
        with K.name_scope(type(self).__name__):
            return K.variable(value, dtype=dtype, name=name)

    def _hyperparameter(self, value: float, name: str) -> Any:
        """A number that a step is computed with: a variable, but since tf.keras 2.11 the number itself."""
        return value if generation(self) == CURRENT else self._variable(value, name)

    def _set_hyper(self, name: str, value: Any) -> None:
        if name == "learning_rate" or (name != "weight_decay" and name in self.__dict__):
            setattr(self, name, value)
        else:  # of a class derived from one of these
            super()._set_hyper(name, value)

    def _rate(self) -> Any:
        """The learning rate of this step."""
        rate = self._learning_rate
        if isinstance(rate, schedules.LearningRateSchedule):
            rate = K.cast(graph.deciding(rate)(self.iterations), K.floatx())
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
        if generation() == FIRST and not self._in_part:
            self._slots = {}  # each get_updates begins anew; eager steps are taken one by one
        if not self._in_part:
            self.params = list(params)
        if self.use_ema and not self._in_part:
            self._begin_averages(params)
        state = [[self._slot(name, p, value=initial.get(name, 0.0)) for p in params] for name in slots]
        self.updates = [K.update_add(self.iterations, 1)]
        if isinstance(self._learning_rate, schedules.LearningRateSchedule):
            self.updates.append(K.update(self._current_learning_rate, self._rate()))
        self._list_weights()
        return [grads, *state]

    def _slot(self, name: str, param: Any, shape: Sequence[int] | None = None, value: Any = 0.0) -> Any:
        """A parameter's state of that name, which is made where it is not there yet."""
        made = self._slots.setdefault(name, {})
        if param not in made:
            shape = K.int_shape(param) if shape is None else shape
            made[param] = K.variable(np.full(shape, value), K.dtype(param), f"{name}_{len(made)}")
        return made[param]

    def _state(self) -> list:
        """The state of all parameters, all of a name together."""
        return [variable for slot in self._slots.values() for variable in slot.values()]

    def _list_weights(self, *state: Any) -> None:
        """Let the weights be the counter and then these variables; by default, the state of parameters."""
        counter = [self._counter] if self._iterations is self._counter else []  # else it is of the optimizer around
        weights = [*counter, *(state or self._state())]
        if self._in_part:  # of a step by a derived class, which may have others
            weights = self.weights + [v for v in weights if not any(v is known for known in self.weights)]
        self.weights = weights

    def _assign(self, param: Any, value: Any) -> None:
        """Update a parameter, which may decay beside, be averaged, and go through its constraint."""
        if not self._in_part:
            if self.weight_decay and self._use_weight_decay(param):
                value = value - param * (self.weight_decay * self._rate())
            if self.use_ema:
                value = self._averaged(param, value)
            if getattr(param, "constraint", None) is not None:
                value = param.constraint(value)
        self.updates.append(K.update(param, value))

    # -- what classes derived from one of these call for one variable -----------------------------------
    def update_step(self, gradient: Any, variable: Any) -> None:
        """Update one variable, and its state, alone."""
        updates = self._part_along([gradient], [variable])
        shared = {id(self.iterations), id(self._current_rate())}
        graph.assign([update for update in updates if id(update.op.attrs["variable"]) not in shared])

    def _resource_apply_dense(self, grad: Any, var: Any, apply_state: dict | None = None) -> Any:
        self.update_step(grad, var)
        return var

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        """Make the state of variables."""
        with described():
            zeros = [K.zeros_like(variable) for variable in var_list]
        self._part_along(zeros, list(var_list))

    def _part_along(self, gradients: list, variables: list) -> list:
        """The updates of a step without what is done to parameters beside: decay, averages, constraints."""
        self._in_part = True
        try:
            with described():
                return self._updates_along(gradients, variables)
        finally:
            self._in_part = False

    def build(self, var_list: Sequence[Any]) -> None:
        if not self._built:
            super().build(var_list)
            self._create_slots(var_list)
            self._built = True

    # -- moving averages of the parameters --------------------------------------------------------------
    def _begin_averages(self, params: Sequence[Any]) -> None:
        known = self._slots.setdefault("average", {})
        for p in params:
            if p not in known:
                self._slot("average", p, value=K.get_value(p))

    def _averaged(self, param: Any, value: Any) -> Any:
        """Note a parameter's new value in its average; returns what it becomes."""
        average = self._slots["average"][param]
        mean = self.ema_momentum * average + (1.0 - self.ema_momentum) * value
        self.updates.append(K.update(average, mean))
        if not self.ema_overwrite_frequency:
            return value
        return K.switch(K.equal((self.iterations + 1) % int(self.ema_overwrite_frequency), 0), mean, value)

    def _average_of(self, variable: Any) -> Any:
        averages = self._slots.get("average")
        return super()._average_of(variable) if averages is None else averages.get(variable)

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
        if isinstance(self._learning_rate, schedules.LearningRateSchedule):
            own["learning_rate"] = schedules.serialize(self._learning_rate)
        if isinstance(self.weight_decay, (int, float)) and self.weight_decay:
            own["weight_decay"] = self.weight_decay
        if self.use_ema:
            own |= {name: getattr(self, name) for name in ("use_ema", "ema_momentum", "ema_overwrite_frequency")}
        if self._protocol == "formulas" and generation(self) == CURRENT:
            return {**self._later_config(), **own}
        name = {"name": self.name} if generation(self) != FIRST else {}
        return {**name, **Optimizer.get_config(self), **own}
