"""Weighting and reducing losses."""

from __future__ import annotations

import functools
import operator
from typing import Any

from .. import backend as K


class Reduction:
    """How the losses of the elements of a batch become one number: not at all, their sum, or their mean."""

    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return (cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE)

    @classmethod
    def validate(cls, key: str) -> None:
        """Raise ValueError if ``key`` is not a reduction."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}.")


ReductionV2 = Reduction  # its name inside of TensorFlow


def as_tensors(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as tensors of the predictions' dtype."""
    y_pred = y_pred if K.is_tensor(y_pred) else K.constant(y_pred)
    return K.cast(y_true, K.dtype(y_pred)), y_pred


def squeeze_or_expand_dimensions(y_pred: Any, y_true: Any = None, sample_weight: Any = None) -> tuple:
    """Make ranks agree where they differ by one axis of length 1.

    Of predictions and targets the one with more axes loses its last; weights lose or gain one, unless they are a scalar.

    Returns:
        (y_pred, y_true, sample_weight), or (y_pred, y_true) without weights.
    """
    if y_true is not None:
        extra = K.ndim(y_pred) - K.ndim(y_true)
        if extra == 1 and K.int_shape(y_pred)[-1] == 1:
            y_pred = K.squeeze(y_pred, -1)
        elif extra == -1 and K.int_shape(y_true)[-1] == 1:
            y_true = K.squeeze(y_true, -1)
    if sample_weight is None:
        return y_pred, y_true
    rank, weights_rank = K.ndim(y_pred), K.ndim(sample_weight)
    if weights_rank:
        if rank == 0 and weights_rank == 1:
            y_pred = K.expand_dims(y_pred, -1)
        elif weights_rank - rank == 1:
            sample_weight = K.squeeze(sample_weight, -1)
        elif rank - weights_rank == 1:
            sample_weight = K.expand_dims(sample_weight, -1)
    return y_pred, y_true, sample_weight


def broadcast_weights(values: Any, sample_weight: Any) -> Any:
    """Weights in the rank of ``values``: axes are added at the end, then broadcasting does the rest.

    Raises:
        ValueError: more axes than values, or a dim that is neither 1 nor values' own.
    """
    shape, weights_shape = K.int_shape(values), K.int_shape(sample_weight)
    clash = any(w not in (1, None, v) and v is not None for v, w in zip(shape, weights_shape))
    if len(weights_shape) > len(shape) or clash:
        raise ValueError(f"Incompatible shapes: `values` {shape} vs `sample_weight` {weights_shape}")
    for axis in range(len(weights_shape), len(shape)):
        sample_weight = K.expand_dims(sample_weight, axis)
    return sample_weight


def without_ignored(losses: Any, sample_weight: Any = None, for_mean: bool = False, mask: Any = None) -> Any:
    """Weights that leave out what the mask of ``losses`` does: see ``ignore_class`` of the sparse cross-entropy.

    Args:
        for_mean: whether they are for a mean, which then is one over what counts.
        mask: what is left out besides.
    """
    masks = [K.cast(m, K.floatx()) for m in (getattr(losses, "_keras_mask", None), mask) if m is not None]
    if not masks:
        return sample_weight
    counts = functools.reduce(operator.mul, masks)
    if for_mean:
        counts = counts * (K.cast(K.size(counts), K.floatx()) / K.maximum(K.sum(counts), 1.0))
    if sample_weight is None:
        return counts
    _, _, sample_weight = squeeze_or_expand_dimensions(counts, None, K.cast(sample_weight, K.floatx()))
    return counts * broadcast_weights(counts, sample_weight)


def reduce_weighted_loss(weighted_losses: Any, reduction: str = Reduction.SUM_OVER_BATCH_SIZE) -> Any:
    """Reduce losses to a scalar, or leave them for ``Reduction.NONE``."""
    if reduction == Reduction.NONE:
        return weighted_losses
    return K.sum(weighted_losses) if reduction == Reduction.SUM else K.mean(weighted_losses)


def compute_weighted_loss(
    losses: Any, sample_weight: Any = None, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None
) -> Any:
    """Multiply losses by weights and reduce them.

    Args:
        losses: (batch, ...).
        sample_weight: a scalar, or a tensor that broadcasts to losses; it may lack last axes.
        reduction: one of :class:`Reduction`.

    Raises:
        ValueError: an unknown reduction, or shapes that do not fit.
    """
    Reduction.validate(reduction)
    dtype = K.dtype(losses)
    losses = K.cast(losses, K.floatx())
    if sample_weight is not None:
        sample_weight = K.cast(sample_weight, K.floatx())
        losses, _, sample_weight = squeeze_or_expand_dimensions(losses, None, sample_weight)
        losses = losses * broadcast_weights(losses, sample_weight)
    return K.cast(reduce_weighted_loss(losses, reduction), dtype)
