"""Optimizers of tf.keras, beyond Keras 2.3.1."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from .. import backend as K
from .. import graph
from ..legacy import interfaces
from .classic import Adam
from .formulas import _WithRate


class AdamW(Adam):
    """Adam with weight decay: https://arxiv.org/abs/1711.05101."""

    def __init__(
        self,
        learning_rate: float = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, beta_1, beta_2, amsgrad=amsgrad, epsilon=epsilon, weight_decay=weight_decay, **kwargs
        )


class Lion(_WithRate):
    """Steps of one size in the direction of the sign of a running average: https://arxiv.org/abs/2302.06675.

    Args:
        beta_1: weight of the average in the direction.
        beta_2: weight of the past in the average.
    """

    def __init__(self, learning_rate: float = 0.0001, beta_1: float = 0.9, beta_2: float = 0.99, **kwargs: Any) -> None:
        super().__init__(learning_rate, kwargs)
        self.beta_1 = self._hyperparameter(beta_1, "beta_1")
        self.beta_2 = self._hyperparameter(beta_2, "beta_2")

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, moments = self._begin(loss, params, "m")
        rate = self._rate()
        for p, g, m in zip(params, grads, moments):
            self.updates.append(K.update(m, m * self.beta_2 + g * (1.0 - self.beta_2)))
            self._assign(p, p - rate * K.sign(m * self.beta_1 + g * (1.0 - self.beta_1)))
        return self.updates

    def get_config(self) -> dict:
        return self._config("learning_rate", "beta_1", "beta_2", "decay")


class Adafactor(_WithRate):
    """Adam whose squares are kept by rows and columns alone: https://arxiv.org/abs/1804.04235.

    Args:
        beta_2_decay: power of the step, by which the weight of the past in the averages of squares approaches 1.
        epsilon_1: added to the squares.
        epsilon_2: least size of a parameter that steps are relative to.
        clip_threshold: the root mean square that a step may have.
        relative_step: accepted and saved. As in tf.keras, the learning rate is at most 1 / sqrt(step) in any case.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, kwargs)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, squares = self._begin(loss, params, "v")
        t = self._step()
        past = 1.0 - K.pow(t, self.beta_2_decay)
        rate = K.minimum(self._rate(), 1.0 / K.sqrt(t))
        for p, g, v in zip(params, grads, squares):
            square = K.square(g) + self.epsilon_1
            if p.ndim < 2:
                new_v = past * v + (1.0 - past) * square
            else:
                rows, columns = (self._means(name, p, square, past, axis) for name, axis in (("r", -1), ("c", -2)))
                rows = rows / K.mean(rows, axis=-1, keepdims=True)
                new_v = K.expand_dims(rows, -1) * K.expand_dims(columns, -2)
            self.updates.append(K.update(v, new_v))
            step = g / K.sqrt(new_v)
            step = step / K.maximum(_root_mean_square(step) / self.clip_threshold, 1.0)
            self._assign(p, p - K.maximum(_root_mean_square(p), self.epsilon_2) * rate * step)
        self._list_weights()
        return self.updates

    def _means(self, name: str, param: Any, square: Any, past: Any, axis: int) -> Any:
        """The new means of squares along an axis."""
        shape = list(param.shape)
        del shape[axis]
        state = self._slot(name, param, shape)
        mean = past * state + (1.0 - past) * K.mean(square, axis=axis)
        self.updates.append(K.update(state, mean))
        return mean

    def get_config(self) -> dict:
        return self._config(
            "learning_rate", "decay", "beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step"
        )


def _root_mean_square(x: Any) -> Any:
    return K.sqrt(K.mean(K.square(x)))


class Ftrl(_WithRate):
    """Follow the regularized leader: https://research.google.com/pubs/archive/41159.pdf.

    Args:
        learning_rate_power: how the rate falls with the sum of squares; at most 0.
        initial_accumulator_value: what that sum begins with.
        l1_regularization_strength, l2_regularization_strength: penalties on the parameters.
        l2_shrinkage_regularization_strength: a penalty on their size that is part of the gradient.
        beta: added to the sum's root.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, kwargs)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        grads, accumulators, linears = self._begin(
            loss, params, "accumulator", "linear", accumulator=self.initial_accumulator_value
        )
        self._list_weights(*itertools.chain(*zip(accumulators, linears)))  # as all files have them
        rate, l1 = self._rate(), self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2.0 * rate)
        for p, g, a, z in zip(params, grads, accumulators, linears):
            new_a = a + K.square(g)
            scale, old_scale = (K.pow(x, -self.learning_rate_power) / rate for x in (new_a, a))
            shrunk = g + 2.0 * self.l2_shrinkage_regularization_strength * p
            new_z = z + shrunk - (scale - old_scale) * p
            self.updates += [K.update(a, new_a), K.update(z, new_z)]
            clipped = graph.apply("minimum", [graph.apply("maximum", [new_z, -l1]), l1])
            self._assign(p, (clipped - new_z) / (scale + 2.0 * l2))
        return self.updates

    def get_config(self) -> dict:
        return self._config(
            "learning_rate", "decay", "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
            "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta",
        )  # fmt: skip
