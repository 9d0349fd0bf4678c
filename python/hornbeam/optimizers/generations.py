"""What the arguments of an optimizer mean, and are by default, in each generation of Keras.

There are three: Keras 2.3.1, tf.keras up to 2.10 (``optimizers.legacy`` since), and tf.keras from 2.11 on. A script for
TensorFlow 2 means the last, and all others the first. Nothing else in this package asks which it is, but by :func:`generation`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..settings import settings

FIRST, LEGACY, CURRENT = "2.3.1", "2.10", "2.15"


@dataclass(frozen=True)
class Arguments:
    """Where tf.keras differs from Keras 2.3.1.

    Attributes:
        order: the positional arguments.
        since_2_0: defaults of tf.keras.
        since_2_11: those of its later optimizers alone.
        before: what Keras 2.3.1 does where the argument is not given, for all of these.
    """

    order: str
    since_2_0: dict[str, Any] = field(default_factory=dict)
    since_2_11: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)


ARGUMENTS = {
    "SGD": Arguments("learning_rate momentum nesterov"),
    "RMSprop": Arguments(
        "learning_rate rho momentum epsilon centered", {}, {"epsilon_under_root": True}, {"epsilon_under_root": False}
    ),
    "Adagrad": Arguments(
        "learning_rate initial_accumulator_value epsilon",
        {"learning_rate": 0.001, "initial_accumulator_value": 0.1},
        {"epsilon_under_root": True},
        {"initial_accumulator_value": 0.0, "epsilon_under_root": False},
    ),
    "Adadelta": Arguments("learning_rate rho epsilon", {"learning_rate": 0.001}),
    "Adam": Arguments("learning_rate beta_1 beta_2 epsilon amsgrad"),
    "Adamax": Arguments("learning_rate beta_1 beta_2 epsilon", {"learning_rate": 0.001}),
    "Nadam": Arguments(
        "learning_rate beta_1 beta_2 epsilon", {"learning_rate": 0.001}, {"schedule_decay": 1.0}, {"schedule_decay": 0.004}
    ),
}  # fmt: skip


def generation(optimizer: Any = None) -> str:
    """The generation that an optimizer is of."""
    if not settings.dialect.later_optimizers:
        return FIRST
    return LEGACY if getattr(optimizer, "_is_legacy", False) else CURRENT


def by_generation(init: Callable) -> Callable:
    """Decorates the ``__init__`` of an optimizer, written for Keras 2.3.1: in tf.keras, arguments have its order and defaults."""
    table = ARGUMENTS[init.__qualname__.partition(".")[0]]

    @functools.wraps(init)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        of = generation(self)
        if of != FIRST:
            defaults = table.since_2_0 if of == LEGACY else {**table.since_2_0, **table.since_2_11}
            if "lr" in kwargs:
                kwargs["learning_rate"] = kwargs.pop("lr")
            kwargs = {**defaults, **dict(zip(table.order.split(), args)), **kwargs}
            args = ()
        init(self, *args, **kwargs)

    return wrapped


def spelled_out(kind: str, config: dict) -> dict:
    """A config of Keras 2.3.1 that means the same where other defaults hold."""
    if generation() == FIRST:
        return config
    clipping = {"clip_each": False} if config.get("clipnorm") is not None else {}
    return {**clipping, **(ARGUMENTS[kind].before if kind in ARGUMENTS else {}), **config}
