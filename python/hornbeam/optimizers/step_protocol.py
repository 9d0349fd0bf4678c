"""Optimizers as users write them for tf.keras from 2.11 on, by ``build`` and ``update_step``.

A step builds the state of all variables once, and then updates one variable after the other; what is assigned counts for what
is read later in the same step. Weight decay, clipping, moving averages of the weights and constraints are the base's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend as K
from .. import graph
from ..graph import Tensor, Variable
from . import schedules
from .legacy_protocol import initial_value


def _first_rate(schedule: schedules.LearningRateSchedule) -> Any:
    zero = graph.constant(np.asarray(0, "int64"))
    try:
        with graph.symbolic():
            return K.eval(graph.convert(schedule(zero)))
    except graph.NeedsValue:
        return schedule(zero)


class StepProtocol:
    """What such a class finds in its base."""

    if TYPE_CHECKING:
        iterations: Any
        learning_rate: Any
        weight_decay: float | None
        use_ema: bool
        ema_momentum: float
        ema_overwrite_frequency: int | None
        _weights: list
        _hyper: dict[str, Any]
        _learning_rate: Any
        _clipped: Callable
        _listed: Callable

    _built = False
    _index_dict: dict[str, int]
    _current_learning_rate: Variable
    _unchanged: tuple[Any, tuple] = ((), ())  #: what no weight decay is for: variables, and patterns of names

    # -- state --------------------------------------------------------------------------------------
    def build(self, var_list: Sequence[Any]) -> None:
        """Make the state of these variables. Subclasses call this first, and then :meth:`add_variable_from_reference`."""
        if self._built:
            return
        self._index_dict = {self._var_key(variable): i for i, variable in enumerate(var_list)}
        if self.use_ema:
            self._model_variables_moving_average = [
                self.add_variable_from_reference(variable, "average", initial_value=variable) for variable in var_list
            ]

    @property
    def built(self) -> bool:
        return self._built

    def add_variable(
        self, shape: Any = (), dtype: Any = None, initializer: Any = "zeros", name: Any = None
    ) -> Variable:
        """A variable of the optimizer's state."""
        dtype = str(dtype or K.floatx())
        return self._listed(K.variable(initial_value(initializer, tuple(shape or ()), dtype), dtype, name))

    def add_variable_from_reference(
        self, model_variable: Any, variable_name: str, shape: Any = None, initial_value: Any = None
    ) -> Variable:
        """A variable of the state of ``model_variable``: of its dtype, and its shape unless another is given; zeros at first."""
        shape = K.int_shape(model_variable) if shape is None else tuple(shape)
        name = f"{variable_name}/{model_variable._shared_name}"
        value = 0.0 if initial_value is None else initial_value
        return self.add_variable(shape, model_variable.dtype, value, name)

    def _var_key(self, variable: Any) -> str:
        """What stands for a variable in ``_index_dict``."""
        return variable._unique_id

    @property
    def _variables(self) -> list:
        return self._weights

    # -- the learning rate --------------------------------------------------------------------------
    def _build_learning_rate(self, learning_rate: Any) -> Any:
        """The variable of a learning rate. For a schedule it is the schedule, and a variable shows its present rate."""
        if isinstance(learning_rate, schedules.LearningRateSchedule):
            first = np.asarray(_first_rate(learning_rate))
            self._current_learning_rate = K.variable(first, name="current_learning_rate")
            return learning_rate
        if callable(learning_rate):
            learning_rate = learning_rate()
        if isinstance(learning_rate, Tensor) and learning_rate._known:
            learning_rate = learning_rate.numpy()
        return K.variable(learning_rate, name="learning_rate")

    def _current_rate(self) -> Any:
        """The variable that shows the present rate of a schedule, if there is one."""
        return self.__dict__.get("_current_learning_rate")

    def _compute_current_learning_rate(self) -> None:
        rate = self.__dict__.get("_learning_rate")
        if isinstance(rate, schedules.LearningRateSchedule):
            self._current_learning_rate.assign(rate(self.iterations))

    # -- weight decay -------------------------------------------------------------------------------
    def exclude_from_weight_decay(self, var_list: Iterable[Any] | None = None, var_names: Any = None) -> None:
        """Leave weight decay out for these variables, or for those in whose names one of these patterns is found.

        Raises:
            ValueError: the optimizer is built already.
        """
        if self._built:
            raise ValueError("`exclude_from_weight_decay()` is to be called before the optimizer is built.")
        self._unchanged = tuple(var_list or ()), tuple(var_names or ())

    def _use_weight_decay(self, variable: Any) -> bool:
        variables, names = self._unchanged
        return not (any(variable is v for v in variables) or any(re.search(n, variable.name) for n in names))

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        if self.weight_decay:
            for variable in variables:
                if self._use_weight_decay(variable):
                    rate = K.cast(self.learning_rate, variable.dtype)
                    variable.assign_sub(variable * (rate * self.weight_decay))

    # -- a step -------------------------------------------------------------------------------------
    def update_step(self, gradient: Any, variable: Any) -> None:
        """Subclasses update one variable here."""
        raise NotImplementedError(f"{type(self).__name__} defines no `update_step`.")

    def _update_step(self, gradient: Any, variable: Any) -> None:
        if self._var_key(variable) not in self._index_dict:
            raise KeyError(
                f"The optimizer cannot recognize variable {variable.name}: it was built for others. Call "
                "`optimizer.build(variables)` with all trainable variables before the training loop."
            )
        self.update_step(gradient, variable)

    def aggregate_gradients(self, grads_and_vars: list) -> list:
        return grads_and_vars

    def _clip_gradients(self, grads: Sequence[Any]) -> list:
        return self._clipped(list(grads))

    def _apply_by_steps(self, variables: list, pairs: list) -> None:
        """One step along pairs of gradients and variables; ``variables`` are all that were given, also without gradient."""
        self._compute_current_learning_rate()
        self.build(variables)
        gradients, variables = map(list, zip(*self.aggregate_gradients(pairs)))
        gradients = self._clip_gradients(gradients)
        self._apply_weight_decay(variables)
        self._internal_apply_gradients(list(zip(gradients, variables)))
        for variable in variables:
            if getattr(variable, "constraint", None) is not None:
                variable.assign(variable.constraint(variable))

    def _internal_apply_gradients(self, grads_and_vars: list) -> Any:
        for gradient, variable in grads_and_vars:
            self._update_step(gradient, variable)
        variables = [variable for _, variable in grads_and_vars]
        self._update_model_variables_moving_average(variables)
        if self.use_ema and self.ema_overwrite_frequency:
            now = K.equal((self.iterations + 1) % int(self.ema_overwrite_frequency), 0)
            for variable in variables:
                variable.assign(K.switch(now, self._average_of(variable), variable))
        return self.iterations.assign_add(1)

    # -- moving averages of the weights -------------------------------------------------------------
    def _average_of(self, variable: Any) -> Any:
        """A variable's moving average; None where there is none."""
        place = self.__dict__.get("_index_dict", {}).get(self._var_key(variable))
        return None if place is None else self._model_variables_moving_average[place]

    def _update_model_variables_moving_average(self, var_list: Sequence[Any]) -> None:
        if self.use_ema:
            for variable in var_list:
                average = self._average_of(variable)
                average.assign(self.ema_momentum * average + (1.0 - self.ema_momentum) * variable)  # type: ignore[attr-defined]

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Set variables to their moving averages, if the optimizer keeps any; ``fit`` does so at its end."""
        if self.use_ema:
            averages = [(variable, self._average_of(variable)) for variable in var_list]
            graph.write_state([(variable, K.get_value(mean)) for variable, mean in averages if mean is not None])

    # -- configs ------------------------------------------------------------------------------------
    def _serialize_hyperparameter(self, hyperparameter: Any) -> Any:
        """The value of a hyperparameter for a config; up to 2.10 it was named."""
        value = hyperparameter
        if isinstance(value, str):
            value = self._hyper.get(value, self.__dict__.get(f"_{value}", getattr(self, value, None)))
        if isinstance(value, schedules.LearningRateSchedule):
            return schedules.serialize(value)
        if isinstance(value, (Tensor, np.ndarray, np.generic)):
            return np.asarray(value).item()
        return value() if callable(value) else value
