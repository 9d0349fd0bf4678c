"""Cross-entropies in which what is predicted well counts less (Lin et al., https://arxiv.org/abs/1708.02002)."""

from __future__ import annotations

from typing import Any

from ..graph import Tensor
from . import math
from .common import epsilon as fuzz
from .nn import binary_crossentropy, sigmoid, softmax
from .variables import constant


def binary_focal_crossentropy(
    target: Tensor,
    output: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> Tensor:
    """:func:`binary_crossentropy` times ``(1 - p) ** gamma`` for the probability p of what is right, element by element.

    Args:
        apply_class_balancing: whether yes counts ``alpha`` and no ``1 - alpha``.
    """
    p = sigmoid(output) if from_logits else output
    right = target * p + (1.0 - target) * (1.0 - p)
    loss = math.pow(1.0 - right, gamma) * binary_crossentropy(target, output, from_logits=from_logits)
    return loss * (target * alpha + (1.0 - target) * (1.0 - alpha)) if apply_class_balancing else loss


def categorical_focal_crossentropy(
    target: Tensor, output: Tensor, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """``-sum(alpha * (1 - p) ** gamma * target * log(p))`` over ``axis``.

    Args:
        alpha: a number, or one per class of the last axis.
    """
    p = softmax(output, axis) if from_logits else output / math.sum(output, axis, keepdims=True)
    p = math.clip(p, fuzz(), 1.0 - fuzz())
    weights = math.pow(1.0 - p, gamma) * constant(alpha, p.dtype)
    return -math.sum(weights * target * math.log(p), axis)
