"""Counting true and false positives and negatives, and the options of metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from .. import backend as K
from .. import graph
from . import losses_utils
from .generic_utils import to_list

__all__ = [
    "AUCCurve", "AUCSummationMethod", "ConfusionMatrix", "Reduction", "assert_thresholds_range", "filter_top_k",
    "parse_init_thresholds", "result_wrapper", "to_list", "update_confusion_matrix_variables", "update_state_wrapper",
    "weighted_assign_add",
]  # fmt: skip

#: the value of predictions that are not among the top k, below every threshold
NEG_INF = -1e10


class Reduction:
    """How metrics reduce values: their sum, their mean, or the mean by weights."""

    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    WEIGHTED_MEAN = "weighted_mean"


def update_state_wrapper(update_state_fn: Callable) -> Callable:
    """Make ``update_state`` (a bound method) also record its updates on the metric."""

    def update_state(metric: Any, *args: Any, **kwargs: Any) -> Any:
        updates = update_state_fn(*args, **kwargs)
        metric.add_update(updates)
        return updates

    return update_state


def result_wrapper(result_fn: Callable) -> Callable:
    """Make ``result`` (a bound method) return a fresh tensor and record it on the metric."""

    def result(metric: Any, *args: Any, **kwargs: Any) -> Any:
        # The copy is made inside control_dependencies, so a variable that is returned as it is counts as read there.
        value: Any = K.identity(result_fn(*args, **kwargs))
        if not graph.is_eager():
            metric._call_result = value
        value._is_metric = True
        return value

    return result


def assert_thresholds_range(thresholds: Sequence[float] | None) -> None:
    """Raise ValueError for a threshold outside of [0, 1]."""
    invalid = [t for t in thresholds or () if t is None or t < 0 or t > 1]
    if invalid:
        raise ValueError(f"Threshold values must be in [0, 1]. Invalid values: {invalid}")


def parse_init_thresholds(thresholds: Any, default_threshold: float = 0.5) -> list:
    """A list of valid thresholds from a number, a list, or None for the default."""
    if thresholds is None:
        return to_list(default_threshold)
    thresholds = to_list(thresholds, allow_tuple=True)
    assert_thresholds_range(thresholds)
    return thresholds


class ConfusionMatrix(Enum):
    TRUE_POSITIVES = "tp"
    FALSE_POSITIVES = "fp"
    TRUE_NEGATIVES = "tn"
    FALSE_NEGATIVES = "fn"


class AUCCurve(Enum):
    """The curve under which an area is computed."""

    ROC = "ROC"
    PR = "PR"

    @staticmethod
    def from_str(key: str) -> AUCCurve:
        """The curve of a name; ValueError for another."""
        if key not in ("pr", "PR", "roc", "ROC"):
            raise ValueError(f'Invalid AUC curve value "{key}".')
        return AUCCurve(key.upper())


class AUCSummationMethod(Enum):
    """How an area is summed up: trapezoids (``interpolation``), or rectangles as high as the lower (``minoring``) or the
    higher (``majoring``) end."""

    INTERPOLATION = "interpolation"
    MAJORING = "majoring"
    MINORING = "minoring"

    @staticmethod
    def from_str(key: str) -> AUCSummationMethod:
        """The method of a name; ValueError for another."""
        name = key.lower()
        if name not in ("interpolation", "majoring", "minoring"):
            raise ValueError(f'Invalid AUC summation method value "{key}".')
        return AUCSummationMethod(name)


def filter_top_k(x: Any, k: int) -> Any:
    """Keep the k largest values along the last axis and set the others to ``NEG_INF``.

    Of equal values at the border, those with lower indices are kept.
    """
    rank = _descending_rank(x)
    return K.math.where(K.less(rank, k), x, NEG_INF)


def _descending_rank(x: Any) -> Any:
    """How many values along the last axis come before each one when sorted, largest first; equal ones by index."""
    this, other = K.expand_dims(x, -1), K.expand_dims(x, -2)
    index = K.arange(K.shape(x)[-1])
    earlier = K.less(K.expand_dims(index, 0), K.expand_dims(index, 1))
    ties = graph.apply("logical_and", [K.equal(other, this), earlier])
    before = graph.apply("logical_or", [K.greater(other, this), ties])
    return K.sum(K.cast(before, "int32"), axis=-1)


def weighted_assign_add(label: Any, pred: Any, weights: Any, var: Any) -> Any:
    """Add to ``var`` the number (or total weight) of places in each row where label and prediction both hold."""
    both = K.cast(graph.apply("logical_and", [label, pred]), K.floatx())
    if weights is not None:
        both = both * weights
    return K.update_add(var, K.sum(both, axis=1))


def update_confusion_matrix_variables(
    variables_to_update: dict[ConfusionMatrix, Any] | None,
    y_true: Any,
    y_pred: Any,
    thresholds: Any = 0.5,
    top_k: int | None = None,
    class_id: int | None = None,
    sample_weight: Any = None,
) -> list | None:
    """Updates that count a batch's true and false positives and negatives, one row per threshold.

    Args:
        variables_to_update: from kinds of counts to variables of shape (thresholds,).
        y_true: labels, taken as true where not 0.
        y_pred: predictions in [0, 1], positive above the threshold.
        top_k: only the k largest predictions along the last axis may be positive.
        class_id: only this class counts.
        sample_weight: weights that broadcast to ``y_pred``.

    Raises:
        ValueError: unknown kinds, or weights that do not fit.
    """
    if variables_to_update is None:
        return None
    invalid = [key for key in variables_to_update if key not in list(ConfusionMatrix)]
    if invalid or not variables_to_update:
        raise ValueError(f"Invalid keys: {invalid}. Valid variable key options are: {list(ConfusionMatrix)}")
    y_true, y_pred = K.cast(y_true, K.floatx()), K.cast(y_pred, K.floatx())
    if sample_weight is None:
        y_pred, y_true = losses_utils.squeeze_or_expand_dimensions(y_pred, y_true)
    else:
        y_pred, y_true, sample_weight = losses_utils.squeeze_or_expand_dimensions(
            y_pred, y_true, K.cast(sample_weight, K.floatx())
        )
    if top_k is not None:
        y_pred = filter_top_k(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    weights = None
    if sample_weight is not None:
        weights = losses_utils.broadcast_weights(y_pred, sample_weight) * K.ones_like(y_pred)
        weights = K.reshape(weights, [1, -1])

    limits = K.constant(to_list(thresholds, allow_tuple=True))
    positive = K.greater(K.reshape(y_pred, [1, -1]), K.expand_dims(limits, 1))
    label = K.reshape(K.cast(y_true, "bool"), [1, -1])
    negative, no_label = (graph.apply("logical_not", [x]) for x in (positive, label))
    cases = {
        ConfusionMatrix.TRUE_POSITIVES: (label, positive),
        ConfusionMatrix.FALSE_NEGATIVES: (label, negative),
        ConfusionMatrix.FALSE_POSITIVES: (no_label, positive),
        ConfusionMatrix.TRUE_NEGATIVES: (no_label, negative),
    }
    return [
        weighted_assign_add(*case, weights, variables_to_update[kind])
        for kind, case in cases.items()
        if kind in variables_to_update
    ]
