"""Optimizers: from a loss and parameters to updates.

They are written on the backend alone, so that users can write their own the same way. In one step everything reads the
values from before it: ``iterations`` counts from 0, and the step's number is ``iterations + 1``.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import backend as K
from .legacy import interfaces
from .utils.generic_utils import deserialize_keras_object, public_objects, serialize_keras_object, to_list
from .utils.messages import argument_names, did_you_mean


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """The gradient ``g``, scaled by c / n if the norm ``n`` exceeds ``c``; unchanged for c <= 0."""
    return g if c <= 0 else K.switch(K.greater_equal(n, c), g * (c / n), g)


class Optimizer:
    """Base class. Subclasses define ``get_updates(loss, params)``.

    Args:
        clipnorm: gradients are scaled down together to at most this L2 norm.
        clipvalue: each entry of a gradient is limited to [-clipvalue, clipvalue].

    Attributes:
        weights: the optimizer's state, ``iterations`` first; known after ``get_updates``.
    """

    def __init__(self, **kwargs: Any) -> None:
        for name in kwargs:
            if name not in ("clipnorm", "clipvalue"):
                known = [*argument_names(type(self).__init__), "clipnorm", "clipvalue", "decay", "epsilon"]
                raise TypeError(f"Unexpected keyword argument passed to optimizer: {name}.{did_you_mean(name, known)}")
        self.__dict__.update(kwargs)
        self.updates: list = []
        self.weights: list = []

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
        clipnorm, clipvalue = getattr(self, "clipnorm", None) or 0, getattr(self, "clipvalue", None) or 0
        if clipnorm > 0:
            norm = K.sqrt(functools.reduce(operator.add, [K.sum(K.square(g)) for g in grads]))
            grads = [clip_norm(g, clipnorm, norm) for g in grads]
        if clipvalue > 0:
            grads = [K.clip(g, -clipvalue, clipvalue) for g in grads]
        return grads

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
        return {name: getattr(self, name) for name in ("clipnorm", "clipvalue") if hasattr(self, name)}

    @classmethod
    def from_config(cls, config: dict) -> Optimizer:
        return cls(**config)

    @property
    def lr(self) -> Any:
        """The learning rate's variable, under its old name."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value


class _WithRate(Optimizer):
    """What the optimizers here share: a learning rate that may decay, a step counter, constraints."""

    def __init__(self, learning_rate: float, kwargs: dict) -> None:
        learning_rate = kwargs.pop("lr", learning_rate)
        self.initial_decay = kwargs.pop("decay", 0.0)
        super().__init__(**kwargs)
        self.iterations = self._variable(0, "iterations", dtype="int64")
        self.learning_rate = self._variable(learning_rate, "learning_rate")
        self.decay = self._variable(self.initial_decay, "decay")

    def _variable(self, value: float, name: str, dtype: str | None = None) -> Any:
        with K.name_scope(type(self).__name__):
            return K.variable(value, dtype=dtype, name=name)

    def _rate(self) -> Any:
        """The learning rate of this step."""
        if self.initial_decay <= 0:
            return self.learning_rate
        return self.learning_rate / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay)))

    def _step(self) -> Any:
        """The number of this step, counted from 1, as a float."""
        return K.cast(self.iterations, K.floatx()) + 1.0

    def _begin(self, loss: Any, params: Sequence[Any], *slots: str) -> list[list]:
        """Start a list of updates.

        Args:
            slots: names of the state that each parameter has: a variable of its shape, of zeros.

        Returns:
            The gradients, and the variables of each slot. The weights are the counter and then these.
        """
        grads = self.get_gradients(loss, params)
        state = [[K.zeros(K.int_shape(p), K.dtype(p), f"{name}_{i}") for i, p in enumerate(params)] for name in slots]
        self.updates = [K.update_add(self.iterations, 1)]
        self.weights = [self.iterations, *(variable for slot in state for variable in slot)]
        return [grads, *state]

    def _assign(self, param: Any, value: Any) -> None:
        """Update a parameter, through its constraint if it has one."""
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
        own = {name: float(K.get_value(v)) if K.is_variable(v) else v for name, v in values.items()}
        return {**Optimizer.get_config(self), **own}


class SGD(_WithRate):
    """Stochastic gradient descent.

    Args:
        learning_rate: size of a step.
        momentum: fraction of the step before that is added.
        nesterov: look ahead along the momentum.
        decay: the rate of step t is ``learning_rate / (1 + decay * t)``.
    """

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, kwargs)
        self.momentum = self._variable(momentum, "momentum")
        self.nesterov = nesterov

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, moments = self._begin(loss, params, "moment")
        rate = self._rate()
        for p, g, m in zip(params, grads, moments):
            velocity = self.momentum * m - rate * g
            self.updates.append(K.update(m, velocity))
            self._assign(p, p + self.momentum * velocity - rate * g if self.nesterov else p + velocity)
        return self.updates

    def get_config(self) -> dict:
        return self._config("learning_rate", "momentum", "decay", "nesterov")


class _Accumulating(_WithRate):
    """What RMSprop and Adagrad share: steps divided by the root of what squared gradients add up to."""

    def __init__(self, learning_rate: float, kwargs: dict) -> None:
        self.epsilon = kwargs.pop("epsilon", None) or K.epsilon()
        # Whether epsilon is added under the root: so in files that TensorFlow 2.11 and later wrote, and only there.
        self.epsilon_under_root = kwargs.pop("epsilon_under_root", False)
        super().__init__(learning_rate, kwargs)

    def _accumulate(self, squares: Any, square: Any) -> Any:
        """The new value of ``squares``."""
        raise NotImplementedError

    def _root(self, squares: Any) -> Any:
        return K.sqrt(squares + self.epsilon) if self.epsilon_under_root else K.sqrt(squares) + self.epsilon

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, accumulators = self._begin(loss, params, "accumulator")
        rate = self._rate()
        for p, g, a in zip(params, grads, accumulators):
            new_a = self._accumulate(a, K.square(g))
            self.updates.append(K.update(a, new_a))
            self._assign(p, p - rate * g / self._root(new_a))
        return self.updates

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        self._set_weights_maybe_without_iterations(weights)

    def _config(self, *names: str) -> dict:
        return super()._config(*names, *(["epsilon_under_root"] if self.epsilon_under_root else []))


class RMSprop(_Accumulating):
    """Steps divided by a running average of the gradients' size.

    Args:
        rho: weight of the past in the average.
    """

    def __init__(self, learning_rate: float = 0.001, rho: float = 0.9, **kwargs: Any) -> None:
        super().__init__(learning_rate, kwargs)
        self.rho = self._variable(rho, "rho")

    def _accumulate(self, squares: Any, square: Any) -> Any:
        return self.rho * squares + (1.0 - self.rho) * square

    def get_config(self) -> dict:
        return self._config("learning_rate", "rho", "decay", "epsilon")


class Adagrad(_Accumulating):
    """Steps divided by the root of the sum of all squared gradients so far."""

    def __init__(self, learning_rate: float = 0.01, **kwargs: Any) -> None:
        super().__init__(learning_rate, kwargs)

    def _accumulate(self, squares: Any, square: Any) -> Any:
        return squares + square

    def get_config(self) -> dict:
        return self._config("learning_rate", "decay", "epsilon")


class Adadelta(_WithRate):
    """Steps scaled by running averages of gradients and of the steps themselves.

    Args:
        rho: weight of the past in both averages.
    """

    def __init__(self, learning_rate: float = 1.0, rho: float = 0.95, **kwargs: Any) -> None:
        self.epsilon = kwargs.pop("epsilon", None) or K.epsilon()
        super().__init__(learning_rate, kwargs)
        self.rho = rho

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, accumulators, delta_accumulators = self._begin(loss, params, "accumulator", "delta_accumulator")
        rate = self._rate()
        for p, g, a, d in zip(params, grads, accumulators, delta_accumulators):
            new_a = self.rho * a + (1.0 - self.rho) * K.square(g)
            self.updates.append(K.update(a, new_a))
            step = g * K.sqrt(d + self.epsilon) / K.sqrt(new_a + self.epsilon)
            self._assign(p, p - rate * step)
            self.updates.append(K.update(d, self.rho * d + (1.0 - self.rho) * K.square(step)))
        return self.updates

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        self._set_weights_maybe_without_iterations(weights)

    def get_config(self) -> dict:
        return self._config("learning_rate", "decay", "epsilon", "rho")


class Adam(_WithRate):
    """Running averages of gradients and of their squares, corrected for starting at zero.

    Args:
        beta_1, beta_2: weight of the past in the averages of gradients and of squares.
        amsgrad: divide by the largest average of squares so far.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        self.epsilon = kwargs.pop("epsilon", None) or K.epsilon()
        super().__init__(learning_rate, kwargs)
        self.beta_1 = self._variable(beta_1, "beta_1")
        self.beta_2 = self._variable(beta_2, "beta_2")
        self.amsgrad = amsgrad

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, ms, vs, *amsgrad = self._begin(loss, params, "m", "v", *(["vhat"] if self.amsgrad else []))
        if self.amsgrad:
            vhats = amsgrad[0]
        else:
            vhats = [K.zeros((1,), name=f"vhat_{i}") for i in range(len(params))]  # files hold these, too
            self.weights += vhats
        t = self._step()
        rate = self._rate() * (K.sqrt(1.0 - K.pow(self.beta_2, t)) / (1.0 - K.pow(self.beta_1, t)))
        for p, g, m, v, vhat in zip(params, grads, ms, vs, vhats):
            new_m = self.beta_1 * m + (1.0 - self.beta_1) * g
            new_v = self.beta_2 * v + (1.0 - self.beta_2) * K.square(g)
            self.updates += [K.update(m, new_m), K.update(v, new_v)]
            if self.amsgrad:
                new_v = K.maximum(vhat, new_v)
                self.updates.append(K.update(vhat, new_v))
            self._assign(p, p - rate * new_m / (K.sqrt(new_v) + self.epsilon))
        return self.updates

    def get_config(self) -> dict:
        return self._config("learning_rate", "beta_1", "beta_2", "decay", "epsilon", "amsgrad")


class Adamax(_WithRate):
    """Adam with the largest gradient so far (decaying) in place of the average of squares."""

    def __init__(self, learning_rate: float = 0.002, beta_1: float = 0.9, beta_2: float = 0.999, **kwargs: Any) -> None:
        self.epsilon = kwargs.pop("epsilon", None) or K.epsilon()
        super().__init__(learning_rate, kwargs)
        self.beta_1 = self._variable(beta_1, "beta_1")
        self.beta_2 = self._variable(beta_2, "beta_2")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, ms, us = self._begin(loss, params, "m", "u")
        rate = self._rate() / (1.0 - K.pow(self.beta_1, self._step()))
        for p, g, m, u in zip(params, grads, ms, us):
            new_m = self.beta_1 * m + (1.0 - self.beta_1) * g
            new_u = K.maximum(self.beta_2 * u, K.abs(g))
            self.updates += [K.update(m, new_m), K.update(u, new_u)]
            self._assign(p, p - rate * new_m / (new_u + self.epsilon))
        return self.updates

    def get_config(self) -> dict:
        return self._config("learning_rate", "beta_1", "beta_2", "decay", "epsilon")


class Nadam(_WithRate):
    """Adam with Nesterov's look ahead and a schedule for the momentum.

    Args:
        schedule_decay: how fast the schedule warms up.
    """

    def __init__(self, learning_rate: float = 0.002, beta_1: float = 0.9, beta_2: float = 0.999, **kwargs: Any) -> None:
        self.epsilon = kwargs.pop("epsilon", None) or K.epsilon()
        self.schedule_decay = kwargs.pop("schedule_decay", 0.004)
        kwargs.pop("decay", None)
        super().__init__(learning_rate, kwargs)
        self.m_schedule = self._variable(1.0, "m_schedule")
        self.beta_1 = self._variable(beta_1, "beta_1")
        self.beta_2 = self._variable(beta_2, "beta_2")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, ms, vs = self._begin(loss, params, "m", "v")
        self.weights.insert(1, self.m_schedule)
        t = self._step()
        now, ahead = self._momentum(t), self._momentum(t + 1.0)
        schedule = self.m_schedule * now
        self.updates.append(K.update(self.m_schedule, schedule))
        for p, g, m, v in zip(params, grads, ms, vs):
            new_m = self.beta_1 * m + (1.0 - self.beta_1) * g
            new_v = self.beta_2 * v + (1.0 - self.beta_2) * K.square(g)
            self.updates += [K.update(m, new_m), K.update(v, new_v)]
            mean = (1.0 - now) * g / (1.0 - schedule) + ahead * new_m / (1.0 - schedule * ahead)
            size = K.sqrt(new_v / (1.0 - K.pow(self.beta_2, t)))
            self._assign(p, p - self.learning_rate * mean / (size + self.epsilon))
        return self.updates

    def _schedule_after(self, steps: int) -> np.ndarray:
        t = np.arange(1, min(steps, 10_000) + 1)  # later it has long become 0
        return np.prod(float(K.get_value(self.beta_1)) * (1.0 - 0.5 * 0.96 ** (t * self.schedule_decay)))

    def _momentum(self, t: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * K.pow(0.96, t * self.schedule_decay))

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        # Keras up to 2.2 and tf.keras did not save the momentum's schedule, which follows from the number of steps.
        if len(weights) + 1 == len(self.weights):
            weights = [weights[0], self._schedule_after(int(weights[0])), *weights[1:]]
        super().set_weights(weights)

    def get_config(self) -> dict:
        return self._config("learning_rate", "beta_1", "beta_2", "epsilon", "schedule_decay")


class TFOptimizer(Optimizer):
    """Adapter to an object with the methods of TensorFlow 1's optimizers.

    Args:
        optimizer: has ``compute_gradients(loss, var_list)``, which gives (gradient, variable) pairs, and
            ``apply_gradients(pairs, global_step)``, which gives an update (or a list of them).
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.updates = []
        self.iterations = K.variable(0, dtype="int64", name="iterations")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        pairs = self.optimizer.compute_gradients(loss, var_list=params)
        updates = self.optimizer.apply_gradients(pairs, global_step=self.iterations)
        self.updates = [K.update_add(self.iterations, 1), *to_list(updates, allow_tuple=True)]
        return self.updates

    @property
    def weights(self) -> Any:  # type: ignore[override]
        """Raises NotImplementedError: the state is the other object's own."""
        raise NotImplementedError("TFOptimizer does not know the state of the optimizer that it adapts.")

    def get_config(self) -> dict:
        """Raises NotImplementedError: the other object cannot be made from a config."""
        raise NotImplementedError("TFOptimizer has no config: it adapts an object of another kind.")

    @classmethod
    def from_config(cls, config: dict) -> Any:
        """Raises NotImplementedError, see :meth:`get_config`."""
        raise NotImplementedError("TFOptimizer has no config: it adapts an object of another kind.")


sgd = SGD
rmsprop = RMSprop
adagrad = Adagrad
adadelta = Adadelta
adam = Adam
adamax = Adamax
nadam = Nadam


def serialize(optimizer: Any) -> Any:
    """The config of an optimizer."""
    return serialize_keras_object(optimizer)


def deserialize(config: dict, custom_objects: dict | None = None) -> Any:
    """The optimizer of a config.

    Raises:
        ValueError: an unknown class.
    """
    if isinstance(config.get("class_name"), str) and config["class_name"].lower() in _OPTIMIZERS:
        config["class_name"] = config["class_name"].lower()  # in place, which comparisons of configs count on
    return deserialize_keras_object(
        config, module_objects=_OPTIMIZERS, custom_objects=custom_objects, printable_module_name="optimizer"
    )


def get(identifier: Any) -> Any:
    """An optimizer from its name (in any case), config, or itself.

    Raises:
        ValueError: anything else.
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return deserialize({"class_name": identifier, "config": {}})
    if isinstance(identifier, Optimizer):
        return identifier
    raise ValueError(f"Could not interpret optimizer identifier: {identifier}")


_OPTIMIZERS: dict[str, Callable] = public_objects(globals())
