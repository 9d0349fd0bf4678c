"""Penalties on weights or outputs that are added to the loss."""

from __future__ import annotations

from typing import Any

from . import backend as K
from .utils.generic_utils import serialize_keras_object
from .utils.registry import REGULARIZERS, public_objects


class Regularizer:
    """Base class: calling an instance with a tensor returns a scalar to add to the loss."""

    def __call__(self, x: Any) -> Any:
        return 0.0

    def get_config(self) -> dict:
        """The arguments that make it again."""
        raise NotImplementedError(f"{type(self).__name__} has no get_config: it cannot be saved")

    @classmethod
    def from_config(cls, config: dict) -> Regularizer:
        return cls(**config)


class L1L2(Regularizer):
    """``l1 * sum(abs(x)) + l2 * sum(x ** 2)``.

    Attributes:
        l1, l2: as arrays of floatx, whose dtype optimizers of others read.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = K.cast_to_floatx(l1)
        self.l2 = K.cast_to_floatx(l2)

    def __call__(self, x: Any) -> Any:
        penalty: Any = 0.0
        if self.l1:
            penalty = penalty + float(self.l1) * K.sum(K.abs(x))
        if self.l2:
            penalty = penalty + float(self.l2) * K.sum(K.square(x))
        return penalty

    def get_config(self) -> dict:
        return {"l1": float(self.l1), "l2": float(self.l2)}


class OrthogonalRegularizer(Regularizer):
    """The mean absolute cosine between the rows, or columns, of a matrix, times ``factor``.

    Raises:
        ValueError: ``mode`` is neither ``'rows'`` nor ``'columns'``; (when called) ``x`` is not a matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(f"`mode` is 'rows' or 'columns', got {mode!r}.")
        self.factor = K.cast_to_floatx(factor)
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        if K.ndim(x) != 2:
            raise ValueError(f"OrthogonalRegularizer is for matrices, got the shape {K.int_shape(x)}.")
        rows = K.l2_normalize(x if self.mode == "rows" else K.transpose(x), axis=1)
        count = K.int_shape(rows)[0]
        cosines = K.dot(rows, K.transpose(rows)) * (1.0 - K.eye(count, dtype=K.dtype(rows)))
        return float(self.factor) * 0.5 * K.sum(K.abs(cosines)) / (count * (count - 1) / 2)

    def get_config(self) -> dict:
        return {"factor": float(self.factor), "mode": self.mode}


def l1(l: float = 0.01, l1: float | None = None) -> L1L2:
    """``l * sum(abs(x))``; tf.keras calls the argument ``l1``."""
    return L1L2(l1=l if l1 is None else l1)


def l2(l: float = 0.01, l2: float | None = None) -> L1L2:
    """``l * sum(x ** 2)``; tf.keras calls the argument ``l2``."""
    return L1L2(l2=l if l2 is None else l2)


# What tf.keras calls them; there they are classes.
L1, L2, orthogonal_regularizer = l1, l2, OrthogonalRegularizer


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Both penalties."""
    return L1L2(l1=l1, l2=l2)


def serialize(regularizer: Any, use_legacy_format: bool = False) -> Any:
    """The config of a regularizer."""
    return serialize_keras_object(regularizer)


deserialize = REGULARIZERS.deserialize
get = REGULARIZERS.get

REGULARIZERS.register(public_objects(globals()))
