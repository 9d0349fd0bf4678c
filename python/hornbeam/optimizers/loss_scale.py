"""Loss scaling: gradients are computed of a loss times a number, and divided by it before they are used."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import backend as K
from .. import graph
from ..graph import Tape, Trace
from ..utils.registry import OPTIMIZERS
from .base import Optimizer


class LossScaleOptimizer(Optimizer):
    """Around another optimizer, for gradients that a small dtype cannot hold; here they are float32.

    Args:
        inner_optimizer: makes the steps, and has the state.
        dynamic: whether the scale doubles after some steps with finite gradients, and halves, without a step, when one is not.
        initial_scale: the scale to begin with, 2**15 by default; needed where it is not dynamic.
        dynamic_growth_steps: after how many steps it doubles, 2000 by default.
    """

    def __init__(
        self, inner_optimizer: Optimizer, dynamic: bool = True, initial_scale: float | None = None,
        dynamic_growth_steps: int | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(inner_optimizer, Optimizer) or isinstance(inner_optimizer, LossScaleOptimizer):
            raise TypeError(f"`inner_optimizer` must be an optimizer that scales no loss, got {inner_optimizer!r:.80}.")
        if not dynamic and (initial_scale is None or dynamic_growth_steps is not None):
            raise ValueError(
                "With `dynamic=False`, `initial_scale` must be given, and `dynamic_growth_steps` must not."
            )
        self._inner = inner_optimizer
        self._dynamic = dynamic
        self._initial_scale = 2.0**15 if initial_scale is None else initial_scale
        self._growth_steps: Any = dynamic_growth_steps or (2000 if dynamic else None)
        self._scale = K.variable(self.initial_scale, "float32", "current_loss_scale")
        self._good_steps: Any = K.variable(0, "int64", "good_steps") if dynamic else None

    inner_optimizer = property(lambda self: self._inner, doc="The optimizer that makes the steps.")
    dynamic = property(lambda self: self._dynamic, doc="Whether the scale changes.")
    initial_scale = property(lambda self: self._initial_scale, doc="The scale to begin with.")
    dynamic_growth_steps = property(
        lambda self: self._growth_steps, doc="After how many finite steps the scale doubles; None if it is not dynamic."
    )
    dynamic_counter = property(
        lambda self: self._good_steps,
        doc="The variable that counts finite steps since the scale changed; None if it does not.",
    )

    @property
    def loss_scale(self) -> Any:
        return self._scale.read_value()

    def get_scaled_loss(self, loss: Any) -> Any:
        """The loss times the scale; of a function, a function."""
        if callable(loss):
            return lambda: self.get_scaled_loss(loss())
        return loss * K.cast(self._scale, loss.dtype)

    def get_unscaled_gradients(self, grads: Sequence[Any]) -> list:
        """The gradients divided by the scale; None stays None."""
        return [None if g is None else g / K.cast(self._scale, g.dtype) for g in grads]

    def compute_gradients(self, loss: Any, var_list: Any, tape: Any = None) -> list[tuple]:
        if callable(loss):
            tape = Tape() if tape is None else tape
            loss = self.get_scaled_loss(loss)
        elif tape is not None:
            with tape.recording():
                loss = self.get_scaled_loss(loss)
        else:
            loss = self.get_scaled_loss(loss)
        pairs = self.inner_optimizer.compute_gradients(loss, var_list, tape)
        return list(zip(self.get_unscaled_gradients([g for g, _ in pairs]), [v for _, v in pairs]))

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple], global_step: Any = None, name: Any = None, **options: Any
    ) -> Any:
        """A step of the inner optimizer, unless the scale is dynamic and a gradient is not finite."""
        pairs = list(grads_and_vars)
        step = functools.partial(self._step_if_finite if self.dynamic else self.inner_optimizer.apply_gradients, pairs)
        if graph.is_tracing():
            step()
        elif graph.is_eager():
            self._trace_and_assign(step)
        else:
            trace = Trace()
            with trace.open():
                step()
            return trace.updates
        return self.iterations

    def _step_if_finite(self, pairs: list) -> None:
        finite = [K.all(K.less(K.abs(g), float("inf"))) for g, _ in pairs if g is not None]
        every = functools.reduce(operator.and_, finite, graph.constant(np.asarray(True)))
        graph.choose(every, lambda: self._step(pairs), self._skip)

    def _step(self, pairs: list) -> None:
        self.inner_optimizer.apply_gradients(pairs)
        grows = self.dynamic_counter + 1 >= self.dynamic_growth_steps
        self._scale.assign(K.switch(grows, self._scale * 2.0, self._scale + 0.0))
        self.dynamic_counter.assign(K.switch(grows, self.dynamic_counter * 0, self.dynamic_counter + 1))

    def _skip(self) -> None:
        self._scale.assign(K.maximum(self._scale / 2.0, 1.0))
        self.dynamic_counter.assign(self.dynamic_counter * 0)
        self.iterations.assign_add(1)

    # -- all else is the inner optimizer's --------------------------------------------------------------
    def __getattr__(self, name: str) -> Any:
        inner = self.__dict__.get("_inner")
        if inner is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(inner, name)

    @property
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self.inner_optimizer.iterations = value

    @property
    def learning_rate(self) -> Any:
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property  # type: ignore[misc]
    def weights(self) -> list:  # type: ignore[override]
        return self.inner_optimizer.weights

    def build(self, var_list: Sequence[Any]) -> None:
        self.inner_optimizer.build(var_list)

    def take_awaited(self) -> None:
        self.inner_optimizer.take_awaited()

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def set_weights(self, weights: Sequence[Any]) -> None:
        self.inner_optimizer.set_weights(weights)

    def get_config(self) -> dict:
        inner = self.inner_optimizer
        return {
            "inner_optimizer": {"class_name": type(inner).__name__, "config": inner.get_config()},
            "dynamic": self.dynamic,
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> LossScaleOptimizer:
        inner = config["inner_optimizer"]
        if not isinstance(inner, Optimizer):
            inner = OPTIMIZERS.deserialize(inner, custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
