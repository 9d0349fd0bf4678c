"""Policies of dtypes, as tf.keras has them: what layers compute in, and what their weights are.

Here a mixed policy computes in the dtype of its weights, which is more exact: float16 is a dtype to store things in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .optimizers import Optimizer
from .optimizers.loss_scale import LossScaleOptimizer
from .settings import settings
from .utils.messages import warn_user

_MIXED = ("mixed_float16", "mixed_bfloat16")


class Policy:
    """A dtype's name, or ``'mixed_float16'`` or ``'mixed_bfloat16'``, whose weights are float32.

    Attributes:
        name: the argument.
        compute_dtype, variable_dtype: of what layers compute, and of their weights.

    Raises:
        ValueError: there is no such policy.
    """

    def __init__(self, name: str) -> None:
        if name not in (*_MIXED, "_infer") and not _is_dtype(name):
            raise ValueError(f"There is no dtype policy {name!r:.60}: it is a dtype's name, or one of {_MIXED}.")
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    @property
    def variable_dtype(self) -> str | None:
        if self.name in _MIXED:
            return "float32"
        return None if self.name == "_infer" else self.name

    compute_dtype = variable_dtype

    def get_config(self) -> dict:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Policy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<Policy "{self.name}">'


def _is_dtype(name: Any) -> bool:
    try:
        return np.dtype(name).name == name
    except TypeError:
        return False


def set_global_policy(policy: Any) -> None:
    """Set the policy of layers that are made from now on without a dtype: a :class:`Policy` or its name; None is floatx's."""
    chosen = None if policy is None else policy if isinstance(policy, Policy) else Policy(policy)
    if chosen is not None and chosen.name in _MIXED:
        warn_user(f"Under the policy {chosen.name!r} layers compute in float32 here.")
    settings.policy = None if chosen is None else chosen.name


def global_policy() -> Policy:
    """The policy of layers that are given no dtype."""
    return Policy(settings.policy or settings.floatx)


def layer_dtype(dtype: Any) -> tuple[Any, Policy | None]:
    """The dtype of a layer's weights for its argument ``dtype`` (a policy, its name or config, a dtype, or None), and its policy.

    The latter is None where it has the dtype's name.
    """
    if dtype is None:
        dtype = global_policy()
    if isinstance(dtype, dict) and isinstance(dtype.get("config"), dict):
        dtype = Policy.from_config(dtype["config"])
    if isinstance(dtype, str) and dtype in _MIXED:
        dtype = Policy(dtype)
    if not isinstance(dtype, Policy):
        return dtype, None
    return dtype.variable_dtype or settings.floatx, dtype if dtype.name in _MIXED else None


def scaling_losses(optimizer: Any) -> Any:
    """The optimizer of a model that is compiled: under ``mixed_float16`` tf.keras lets it scale the loss."""
    if settings.policy != "mixed_float16" or not isinstance(optimizer, Optimizer):
        return optimizer
    return optimizer if isinstance(optimizer, LossScaleOptimizer) else LossScaleOptimizer(optimizer)


class experimental:
    """Where TensorFlow 2.1 to 2.3 had these."""

    LossScaleOptimizer = LossScaleOptimizer
    Policy = Policy
    set_policy = staticmethod(set_global_policy)
    global_policy = staticmethod(global_policy)
