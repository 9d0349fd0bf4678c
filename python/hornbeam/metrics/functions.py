"""Functions of targets and predictions that give one number per sample; the losses serve as metrics, too."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..utils.losses_utils import as_tensors


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where a prediction equals its target."""
    return K.cast(K.equal(*as_tensors(y_true, y_pred)), K.floatx())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """The part of a sample's yes/no targets that the predictions get right."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    if threshold != 0.5:
        y_pred = K.cast(K.greater(y_pred, threshold), K.dtype(y_pred))
    return K.mean(K.equal(y_true, K.round(y_pred)), axis=-1)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is the one-hot target's class."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return K.cast(K.equal(K.argmax(y_true, axis=-1), K.argmax(y_pred, axis=-1)), K.floatx())


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is the target class."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    if K.ndim(y_true) == K.ndim(y_pred):
        y_true = K.squeeze(y_true, -1)
    return K.cast(K.equal(y_true, K.cast(K.argmax(y_pred, axis=-1), K.dtype(y_true))), K.floatx())


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the one-hot target's class is among the k largest predictions."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return K.cast(K.in_top_k(y_pred, K.argmax(y_true, axis=-1), k), K.floatx())


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the target class is among the k largest predictions."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return K.cast(K.in_top_k(y_pred, K.cast(K.flatten(y_true), "int32"), k), K.floatx())


def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between targets and predictions (the loss of this name is its negative)."""
    y_true, y_pred = (K.l2_normalize(y, axis=axis) for y in as_tensors(y_true, y_pred))
    return K.sum(y_true * y_pred, axis=axis)
