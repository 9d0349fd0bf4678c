"""Constraints: functions that optimizers apply to a weight after updating it."""

from __future__ import annotations

from typing import Any

from . import backend as K
from .utils.generic_utils import serialize_keras_object
from .utils.registry import CONSTRAINTS, public_objects


class Constraint:
    """Base class: calling an instance with a weight returns the weight as it may be."""

    def __call__(self, w: Any) -> Any:
        return w

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Constraint:
        return cls(**config)


def _norm(w: Any, axis: Any) -> Any:
    return K.sqrt(K.sum(K.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Scale vectors down to a norm of at most ``max_value``.

    Args:
        axis: the axis (or axes) of a vector: 0 for the incoming weights of each unit of a Dense layer,
            (0, 1, 2) for each filter of a Conv2D kernel.
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norm(w, self.axis)
        return w * (K.clip(norms, 0, self.max_value) / (K.epsilon() + norms))

    def get_config(self) -> dict:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Set negative weights to zero."""

    def __call__(self, w: Any) -> Any:
        return w * K.cast(K.greater_equal(w, 0.0), K.floatx())


class UnitNorm(Constraint):
    """Scale vectors along ``axis`` to norm 1."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return w / (K.epsilon() + _norm(w, self.axis))

    def get_config(self) -> dict:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Move the norms of vectors along ``axis`` into [min_value, max_value].

    Args:
        rate: how far: 1 enforces the interval, less moves that fraction of the way at each step.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norm(w, self.axis)
        desired = self.rate * K.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (K.epsilon() + norms))

    def get_config(self) -> dict:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


class RadialConstraint(Constraint):
    """Make square kernels (n, n, in, out) the same all round their middle: each ring takes an entry of the diagonal."""

    def __call__(self, w: Any) -> Any:
        shape = K.int_shape(w)
        if len(shape) != 4 or shape[0] != shape[1]:
            raise ValueError(f"RadialConstraint needs kernels (n, n, in, out). Received: shape={shape}")
        n = shape[0]
        start = n // 2
        entries = [start - 1 if n > 1 else 0]  # for the rings from the middle on
        entries += [start + r - (n % 2) for r in range(1, (n + 1) // 2)]
        rings = [max(abs(2 * i - n + 1), abs(2 * j - n + 1)) // 2 for i in range(n) for j in range(n)]
        taken = K.gather(K.reshape(w, (n * n, *shape[2:])), [(n + 1) * entries[ring] for ring in rings])
        return K.reshape(taken, shape)


radial_constraint = RadialConstraint
max_norm = maxnorm = MaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm
min_max_norm = MinMaxNorm


def serialize(constraint: Any, use_legacy_format: bool = False) -> Any:
    """The config of a constraint."""
    return serialize_keras_object(constraint)


deserialize = CONSTRAINTS.deserialize
get = CONSTRAINTS.get

CONSTRAINTS.register(public_objects(globals()))
