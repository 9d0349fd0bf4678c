"""The optimizers of Keras 2.3.1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend as K
from ..legacy import interfaces
from ..utils.generic_utils import to_list
from .base import Optimizer
from .formulas import _WithRate
from .generations import FIRST, by_generation, generation


class SGD(_WithRate):
    """Stochastic gradient descent.

    Args:
        learning_rate: size of a step.
        momentum: fraction of the step before that is added.
        nesterov: look ahead along the momentum.
        decay: the rate of step t is ``learning_rate / (1 + decay * t)``.
    """

    @by_generation
    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, kwargs)
        self.momentum = self._hyperparameter(momentum, "momentum")
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


class RMSprop(_WithRate):
    """Steps divided by a running average of the gradients' size.

    Args:
        rho: weight of the past in the average.
        momentum: (as tf.keras has it) fraction of the step before that is added.
        centered: (as tf.keras has it) whether the gradients' mean is taken out of their size.
    """

    @by_generation
    def __init__(self, learning_rate: float = 0.001, rho: float = 0.9, **kwargs: Any) -> None:
        self.epsilon = kwargs.pop("epsilon", None) or K.epsilon()
        self.epsilon_under_root = kwargs.pop("epsilon_under_root", False)
        self.momentum = kwargs.pop("momentum", 0.0)
        self.centered = kwargs.pop("centered", False)
        super().__init__(learning_rate, kwargs)
        self.rho = self._hyperparameter(rho, "rho")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        more = [*(["momentum"] if self.momentum else []), *(["mean"] if self.centered else [])]
        grads, accumulators, *state = self._begin(loss, params, "accumulator", *more)
        slots = dict(zip(more, state))
        rate = self._rate()
        for i, (p, g, a) in enumerate(zip(params, grads, accumulators)):
            size = self.rho * a + (1.0 - self.rho) * K.square(g)
            self.updates.append(K.update(a, size))
            if self.centered:
                mean = self.rho * slots["mean"][i] + (1.0 - self.rho) * g
                self.updates.append(K.update(slots["mean"][i], mean))
                size = size - K.square(mean)
            step = rate * g / _root(self, size)
            if self.momentum:
                step = self.momentum * slots["momentum"][i] + step
                self.updates.append(K.update(slots["momentum"][i], step))
            self._assign(p, p - step)
        return self.updates

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        self._set_weights_maybe_without_iterations(weights)

    def get_config(self) -> dict:
        later = [name for name in ("momentum", "centered", "epsilon_under_root") if getattr(self, name)]
        return self._config("learning_rate", "rho", "decay", "epsilon", *later)


class Adagrad(_WithRate):
    """Steps divided by the root of the sum of all squared gradients so far.

    Args:
        initial_accumulator_value: (as tf.keras has it) what that sum begins with.
    """

    @by_generation
    def __init__(self, learning_rate: float = 0.01, **kwargs: Any) -> None:
        self.epsilon = kwargs.pop("epsilon", None) or K.epsilon()
        self.epsilon_under_root = kwargs.pop("epsilon_under_root", False)
        self.initial_accumulator_value = kwargs.pop("initial_accumulator_value", 0.0)
        super().__init__(learning_rate, kwargs)

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, accumulators = self._begin(loss, params, "accumulator", accumulator=self.initial_accumulator_value)
        rate = self._rate()
        for p, g, a in zip(params, grads, accumulators):
            new_a = a + K.square(g)
            self.updates.append(K.update(a, new_a))
            self._assign(p, p - rate * g / _root(self, new_a))
        return self.updates

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        self._set_weights_maybe_without_iterations(weights)

    def get_config(self) -> dict:
        later = [name for name in ("initial_accumulator_value", "epsilon_under_root") if getattr(self, name)]
        return self._config("learning_rate", "decay", "epsilon", *later)


def _root(optimizer: Any, squares: Any) -> Any:
    """What RMSprop and Adagrad divide by. Epsilon is added under the root in files that TensorFlow 2.11 and later wrote,
    and where tf.keras's RMSprop has momentum."""
    if optimizer.epsilon_under_root or getattr(optimizer, "momentum", 0.0):
        return K.sqrt(squares + optimizer.epsilon)
    return K.sqrt(squares) + optimizer.epsilon


class Adadelta(_WithRate):
    """Steps scaled by running averages of gradients and of the steps themselves.

    Args:
        rho: weight of the past in both averages.
    """

    @by_generation
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

    @by_generation
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
        self.beta_1 = self._hyperparameter(beta_1, "beta_1")
        self.beta_2 = self._hyperparameter(beta_2, "beta_2")
        self.amsgrad = amsgrad

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, ms, vs, *amsgrad = self._begin(loss, params, "m", "v", *(["vhat"] if self.amsgrad else []))
        vhats = amsgrad[0] if self.amsgrad else [None] * len(params)
        if not self.amsgrad and generation() == FIRST:
            for p in params:
                self._slot("vhat", p, (1,))  # its files hold these, too
            self._list_weights()
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

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        if not self.amsgrad and len(weights) - 1 == 3 * (len(self.weights) - 1) // 2:
            weights = weights[: len(self.weights)]  # those of Keras 2.3.1 end in what only amsgrad uses
        super().set_weights(weights)

    def get_config(self) -> dict:
        return self._config("learning_rate", "beta_1", "beta_2", "decay", "epsilon", "amsgrad")


class Adamax(_WithRate):
    """Adam with the largest gradient so far (decaying) in place of the average of squares."""

    @by_generation
    def __init__(self, learning_rate: float = 0.002, beta_1: float = 0.9, beta_2: float = 0.999, **kwargs: Any) -> None:
        self.epsilon = kwargs.pop("epsilon", None) or K.epsilon()
        super().__init__(learning_rate, kwargs)
        self.beta_1 = self._hyperparameter(beta_1, "beta_1")
        self.beta_2 = self._hyperparameter(beta_2, "beta_2")

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

    @by_generation
    def __init__(self, learning_rate: float = 0.002, beta_1: float = 0.9, beta_2: float = 0.999, **kwargs: Any) -> None:
        self.epsilon = kwargs.pop("epsilon", None) or K.epsilon()
        self.schedule_decay = kwargs.pop("schedule_decay", 0.004)
        kwargs.pop("decay", None)
        super().__init__(learning_rate, kwargs)
        self.m_schedule = self._variable(1.0, "m_schedule")
        self.beta_1 = self._hyperparameter(beta_1, "beta_1")
        self.beta_2 = self._hyperparameter(beta_2, "beta_2")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, ms, vs = self._begin(loss, params, "m", "v")
        self._list_weights(self.m_schedule, *self._state())
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
            self._assign(p, p - self._rate() * mean / (size + self.epsilon))
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
        super().__init__()
        self.optimizer = optimizer
        self.iterations = K.variable(0, dtype="int64", name="iterations")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        pairs = self.optimizer.compute_gradients(loss, var_list=params)
        updates = self.optimizer.apply_gradients(pairs, global_step=self.iterations)
        self.updates = [K.update_add(self.iterations, 1), *to_list(updates, allow_tuple=True)]
        return self.updates

    training_updates = get_updates

    @property
    def has_state(self) -> bool:
        """False: the state is the other object's own."""
        return False

    @property  # type: ignore[misc]
    def weights(self) -> Any:  # type: ignore[override]
        """Raises NotImplementedError: the state is the other object's own."""
        raise NotImplementedError("TFOptimizer does not know the state of the optimizer that it adapts.")

    def get_config(self) -> dict:
        """Raises NotImplementedError: the other object cannot be made from a config."""
        raise NotImplementedError("TFOptimizer has no config: it adapts an object of another kind.")

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Any:
        """Raises NotImplementedError, see :meth:`get_config`."""
        raise NotImplementedError("TFOptimizer has no config: it adapts an object of another kind.")
