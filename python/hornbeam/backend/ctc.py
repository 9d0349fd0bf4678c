"""Connectionist temporal classification: the loss of label sequences that are shorter than what was heard."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import math
from .common import epsilon
from .linalg import batch_dot
from .nn import softmax
from .shapes import concatenate, dims_of, expand_dims, flatten, reshape, stack
from .variables import int_shape

#: the logarithm of what cannot happen; finite, so that differences of two of them are no nan
_NEVER = -1e30


def ctc_batch_cost(y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor) -> Tensor:
    """``-log P(labels)``: over all ways to spell the labels with blanks between and repetitions of each.

    Args:
        y_true: labels (samples, most labels), of which each sample uses its first ones.
        y_pred: probabilities (samples, steps, classes); the last class is the blank.
        input_length: steps that each sample uses, (samples, 1).
        label_length: labels that each sample uses, (samples, 1).

    Returns:
        (samples, 1).

    Raises:
        ValueError: the number of steps, labels or classes is unknown.
    """
    steps, classes = int_shape(y_pred)[1:]
    most = int_shape(y_true)[1]
    if None in (steps, classes, most):
        raise ValueError(
            f"ctc_batch_cost needs known numbers of steps, classes and labels, got shapes {y_pred.shape} and {y_true.shape}"
        )
    labels = _with_blanks(graph.cast(y_true, "int32"), most, classes - 1)
    inputs, used = (graph.cast(flatten(x), "int32") for x in (input_length, label_length))
    # Log probability of each state's symbol at each step: (samples, steps, states).
    log_probabilities = math.log(softmax(math.log(y_pred + epsilon())))
    symbols = graph.apply("one_hot", [labels], depth=classes, dtype=y_pred.dtype)
    emitted = batch_dot(log_probabilities, symbols, axes=(2, 2))

    states = graph.constant(np.arange(2 * most + 1, dtype="int32"))
    start = math.where(math.less(states, 2), emitted[:, 0], _NEVER)
    may_skip = _may_skip(labels, most, classes - 1)
    alpha = start
    for step in range(1, steps):
        skipped = math.where(may_skip, _shifted(alpha, 2), _NEVER)
        reached = math.logsumexp(stack([alpha, _shifted(alpha, 1), skipped], axis=2), axis=2) + emitted[:, step]
        alpha = math.where(expand_dims(math.less(step, inputs), 1), reached, alpha)
    # A sample may end in its last label or in the blank behind it.
    behind = expand_dims(used, 1) * 2 - expand_dims(states, 0)
    is_end = graph.apply("logical_or", [math.equal(behind, 0), math.equal(behind, 1)])
    return -math.logsumexp(math.where(is_end, alpha, _NEVER), axis=1, keepdims=True)


def _with_blanks(labels: Tensor, most: int, blank: int) -> Tensor:
    """Labels with a blank before, between and behind: (samples, 2 * labels + 1)."""
    pairs = stack([labels * 0 + blank, labels], axis=2)
    flat = reshape(pairs, [dims_of(labels)[0], 2 * most])
    return concatenate([flat, flat[:, :1]], axis=1)


def _may_skip(labels: Tensor, most: int, blank: int) -> Tensor:
    """Whether a state can be reached from two states before: it is a label, and not the same as the last label."""
    before = labels[:, :-2]
    differs = graph.apply("logical_and", [math.not_equal(labels[:, 2:], blank), math.not_equal(labels[:, 2:], before)])
    never: Any = math.not_equal(labels[:, :2], labels[:, :2])
    return concatenate([never, differs], axis=1)


def _shifted(alpha: Tensor, by: int) -> Tensor:
    """What the state ``by`` places before has."""
    return graph.apply("pad", [alpha[:, :-by]], before=[0, by], after=[0, 0], value=_NEVER)
