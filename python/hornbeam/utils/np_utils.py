"""NumPy helpers."""

from __future__ import annotations

from typing import Any

import numpy as np


def to_categorical(y, num_classes=None, dtype="float32"):
    """One-hot encode a vector of classes.

    Args:
        y: integers from 0 to ``num_classes - 1``, of any shape; a last axis of size 1 is dropped.
        num_classes: number of classes; by default the largest class plus 1.
        dtype: of the result.

    Returns:
        An array with a new last axis of size ``num_classes``.

    Example:
        >>> to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    classes = np.array(y, dtype="int")
    shape = classes.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    classes = classes.ravel()
    if not num_classes:
        num_classes = int(classes.max()) + 1 if classes.size else 0
    categorical = np.zeros((classes.size, num_classes), dtype=dtype)
    categorical[np.arange(classes.size), classes] = 1
    return categorical.reshape((*shape, num_classes))


def normalize(x, axis=-1, order=2):
    """Divide by the norm along an axis.

    Args:
        x: array.
        axis: along which the norms are 1 afterwards.
        order: of the norm (2 for the Euclidean one).
    """
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, axis)


def to_ordinal(y: Any, num_classes: int | None = None, dtype: str = "float32") -> np.ndarray:
    """Class numbers as vectors with as many ones as the number says, of length ``num_classes - 1``.

    Example:
        >>> to_ordinal([0, 1, 2])
        array([[0., 0.], [1., 0.], [1., 1.]])
    """
    labels = np.asarray(y, dtype="int")
    labels = labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels
    count = int(labels.max()) + 1 if num_classes is None else num_classes
    return (labels[..., None] > np.arange(count - 1)).astype(dtype)
