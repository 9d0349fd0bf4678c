"""Learning rates that are functions of the step, as tf.keras has them, beyond Keras 2.3.1.

An optimizer takes one in place of a number. The step counts from 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import backend as K
from .. import graph
from ..other_names import also_called
from ..utils.generic_utils import serialize_keras_object
from ..utils.registry import SCHEDULES


class LearningRateSchedule:
    """Base class. Subclasses define ``__call__(step)``, a tensor made of the integer tensor ``step``, and ``get_config``."""

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError("A schedule defines `__call__(self, step)`.")

    def get_config(self) -> dict:
        raise NotImplementedError("A schedule that is to be saved defines `get_config(self)`.")

    @classmethod
    def from_config(cls, config: dict) -> LearningRateSchedule:
        return cls(**config)


class _Schedule(LearningRateSchedule):
    """A schedule whose config is its attributes."""

    def __call__(self, step: Any) -> Any:
        return self._rate(K.cast(step, K.floatx()))

    def _rate(self, step: Any) -> Any:
        """The rate, for a step that is a float."""
        raise NotImplementedError

    def get_config(self) -> dict:
        return dict(vars(self))


def _floor(x: Any) -> Any:
    return graph.apply("floor", [x])


class ExponentialDecay(_Schedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``; with ``staircase`` the exponent is rounded down."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
        name: str | None = None,
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def _rate(self, step: Any) -> Any:
        part = step / self.decay_steps
        return self.initial_learning_rate * K.pow(self.decay_rate, _floor(part) if self.staircase else part)


class InverseTimeDecay(ExponentialDecay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; with ``staircase`` the division is rounded down."""

    def _rate(self, step: Any) -> Any:
        part = step / self.decay_steps
        return self.initial_learning_rate / (1.0 + self.decay_rate * (_floor(part) if self.staircase else part))


class PiecewiseConstantDecay(_Schedule):
    """``values[0]`` up to and with step ``boundaries[0]``, then ``values[1]`` up to ``boundaries[1]`` …

    Raises:
        ValueError: there is not one value more than boundaries.
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str | None = None) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(f"{len(boundaries)} boundaries need one value more, got {len(values)}.")
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def _rate(self, step: Any) -> Any:
        rate: Any = K.constant(self.values[0])
        for boundary, before, value in zip(self.boundaries, self.values, self.values[1:]):
            rate = rate + (value - before) * K.cast(K.greater(step, float(boundary)), K.floatx())
        return rate


class PolynomialDecay(_Schedule):
    """From ``initial_learning_rate`` to ``end_learning_rate`` in ``decay_steps`` steps, by the power ``power`` of what is
    left of them; with ``cycle``, from there again in twice as many steps, and so on."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, end_learning_rate: float = 0.0001, power: float = 1.0,
        cycle: bool = False, name: str | None = None,
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def _rate(self, step: Any) -> Any:
        steps: Any = float(self.decay_steps)
        if self.cycle:
            steps = steps * K.maximum(graph.apply("ceil", [step / self.decay_steps]), 1.0)
        else:
            step = K.minimum(step, steps)
        left = K.pow(1.0 - step / steps, self.power)
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate


class CosineDecay(_Schedule):
    """Half a wave of the cosine from ``initial_learning_rate`` to ``alpha`` times it (https://arxiv.org/abs/1608.03983).

    Args:
        warmup_target: if given, the rate first goes up to it in ``warmup_steps`` steps, and the wave begins there.
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, alpha: float = 0.0, name: str | None = None,
        warmup_target: float | None = None, warmup_steps: float = 0,
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def _rate(self, step: Any) -> Any:
        if self.warmup_target is None:
            return self.initial_learning_rate * self._wave(step)
        risen = K.minimum(step / max(self.warmup_steps, 1), 1.0)
        rising = self.initial_learning_rate + (self.warmup_target - self.initial_learning_rate) * risen
        before = K.less(step, float(self.warmup_steps))
        return K.switch(before, rising, self.warmup_target * self._wave(step - self.warmup_steps))

    def _wave(self, step: Any) -> Any:
        part = K.minimum(step, float(self.decay_steps)) / self.decay_steps
        return (1.0 - self.alpha) * 0.5 * (1.0 + K.cos(math.pi * part)) + self.alpha


class CosineDecayRestarts(_Schedule):
    """Such half waves one after the other, each ``t_mul`` times as long and ``m_mul`` times as high as the one before."""

    def __init__(
        self, initial_learning_rate: float, first_decay_steps: float, t_mul: float = 2.0, m_mul: float = 1.0,
        alpha: float = 0.0, name: str | None = None,
    ) -> None:  # fmt: skip
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def _rate(self, step: Any) -> Any:
        part = step / self.first_decay_steps
        if self.t_mul == 1.0:
            restarts = _floor(part)
            part = part - restarts
        else:
            restarts = _floor(K.log(1.0 - part * (1.0 - self.t_mul)) / math.log(self.t_mul))
            length = K.pow(self.t_mul, restarts)
            part = (part - (1.0 - length) / (1.0 - self.t_mul)) / length
        wave = 0.5 * K.pow(self.m_mul, restarts) * (1.0 + K.cos(math.pi * part))
        return self.initial_learning_rate * ((1.0 - self.alpha) * wave + self.alpha)


@also_called(learning_rate_schedule="schedule")
def serialize(schedule: LearningRateSchedule, use_legacy_format: bool = False) -> dict:
    """The config ``{class_name, config}`` of a schedule."""
    return serialize_keras_object(schedule)


deserialize = SCHEDULES.deserialize

_ALL = (ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay, CosineDecay, CosineDecayRestarts)
SCHEDULES.register({schedule.__name__: schedule for schedule in _ALL})
