"""Metrics computed from counts of true and false positives and negatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend as K
from ..utils import metrics_utils
from ..utils.messages import shortened
from ..utils.metrics_utils import AUCCurve, AUCSummationMethod, ConfusionMatrix
from .base import Metric


def _ratio(part: Any, whole: Any) -> Any:
    """``part / whole``, and 0 where there is nothing to divide by."""
    return K.switch(K.greater(whole, 0), part / whole, K.zeros_like(part))


#: Far beyond use, and little enough memory that a model file may ask for it.
_MAX_THRESHOLDS = 100_000
_MAX_CLASSES = 10_000  # the square of it is counted


def _check_count(name: str, count: int, above: int, most: int = _MAX_THRESHOLDS) -> None:
    if count <= above:
        raise ValueError(f"`{name}` must be > {above}.")
    if count > most:
        raise ValueError(f"`{name}` must be at most {most}, got {shortened(count)}.")


_COUNTS = {
    "true_positives": ConfusionMatrix.TRUE_POSITIVES,
    "true_negatives": ConfusionMatrix.TRUE_NEGATIVES,
    "false_positives": ConfusionMatrix.FALSE_POSITIVES,
    "false_negatives": ConfusionMatrix.FALSE_NEGATIVES,
}


class _Counting(Metric):
    """A metric computed from counts, one per threshold; attributes hold them under the names in ``_COUNTS``."""

    top_k: int | None = None
    class_id: int | None = None
    thresholds: list
    true_positives: Any
    true_negatives: Any
    false_positives: Any
    false_negatives: Any

    def _count(self, *names: str) -> None:
        for name in names:
            setattr(self, name, self.add_weight(name, shape=(len(self.thresholds),)))
        self._counted = {_COUNTS[name]: getattr(self, name) for name in names}

    def update_state(self, y_true, y_pred, sample_weight=None):
        return metrics_utils.update_confusion_matrix_variables(
            self._counted,
            y_true,
            y_pred,
            thresholds=self.thresholds,
            top_k=self.top_k,
            class_id=self.class_id,
            sample_weight=sample_weight,
        )

    def _first_if_single(self, values: Any) -> Any:
        return values[0] if len(self.thresholds) == 1 else values


class _ConfusionMatrixConditionCount(_Counting):
    """The (weighted) number of samples of one kind, per threshold.

    Args:
        confusion_matrix_cond: the kind.
        thresholds: a number or a list of numbers in [0, 1]; 0.5 by default.
    """

    def __init__(self, confusion_matrix_cond, thresholds=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = metrics_utils.parse_init_thresholds(thresholds)
        self.accumulator = self.add_weight("accumulator", shape=(len(self.thresholds),))
        self._counted = {confusion_matrix_cond: self.accumulator}

    def result(self):
        return self._first_if_single(self.accumulator)

    def get_config(self):
        return {**super().get_config(), "thresholds": self.init_thresholds}


class FalsePositives(_ConfusionMatrixConditionCount):
    """How many were predicted and are not."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(ConfusionMatrix.FALSE_POSITIVES, thresholds, name, dtype)


class TruePositives(_ConfusionMatrixConditionCount):
    """How many were predicted and are."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(ConfusionMatrix.TRUE_POSITIVES, thresholds, name, dtype)


class TrueNegatives(_ConfusionMatrixConditionCount):
    """How many were not predicted and are not."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(ConfusionMatrix.TRUE_NEGATIVES, thresholds, name, dtype)


class FalseNegatives(_ConfusionMatrixConditionCount):
    """How many were not predicted and are."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(ConfusionMatrix.FALSE_NEGATIVES, thresholds, name, dtype)


class Precision(_Counting):
    """Of what was predicted, the part that is true.

    Args:
        thresholds: a number or a list in [0, 1]; 0.5 by default, none with ``top_k``.
        top_k: only the k largest predictions of a sample count as predicted.
        class_id: only this class counts.
    """

    _other = "false_positives"

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        default = 0.5 if top_k is None else metrics_utils.NEG_INF
        self.thresholds = metrics_utils.parse_init_thresholds(thresholds, default)
        self._count("true_positives", self._other)

    def result(self):
        found = self.true_positives + getattr(self, self._other)
        return self._first_if_single(_ratio(self.true_positives, found))

    def get_config(self):
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Recall(Precision):
    """Of what is true, the part that was predicted; arguments as for :class:`Precision`."""

    _other = "false_negatives"


class SensitivitySpecificityBase(_Counting):
    """Counts at evenly spaced thresholds, and the one at which a measure comes closest to ``value``."""

    def __init__(self, value, num_thresholds=200, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        _check_count("num_thresholds", num_thresholds, 0)
        self.value = value
        self.num_thresholds = num_thresholds
        self.thresholds = [0.5] if num_thresholds == 1 else np.linspace(0.0, 1.0, num_thresholds).tolist()
        self._count(*_COUNTS)

    def _sensitivity(self) -> Any:
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    def _specificity(self) -> Any:
        return _ratio(self.true_negatives, self.true_negatives + self.false_positives)

    def _where_closest(self, given: Any, wanted: Any) -> Any:
        return K.gather(wanted, K.argmin(K.abs(given - self.value), axis=0))


class SensitivityAtSpecificity(SensitivitySpecificityBase):
    """The sensitivity at the threshold whose specificity is closest to ``specificity``."""

    def __init__(self, specificity, num_thresholds=200, name=None, dtype=None, class_id=None):
        if specificity < 0 or specificity > 1:
            raise ValueError("`specificity` must be in the range [0, 1].")
        super().__init__(specificity, num_thresholds, name, dtype)
        self.specificity = specificity
        self.class_id = class_id

    def result(self):
        return self._where_closest(self._specificity(), self._sensitivity())

    def get_config(self):
        own = {"num_thresholds": self.num_thresholds, "specificity": self.specificity}
        later = {} if self.class_id is None else {"class_id": self.class_id}
        return {**super().get_config(), **own, **later}


class SpecificityAtSensitivity(SensitivitySpecificityBase):
    """The specificity at the threshold whose sensitivity is closest to ``sensitivity``."""

    def __init__(self, sensitivity, num_thresholds=200, name=None, dtype=None, class_id=None):
        if sensitivity < 0 or sensitivity > 1:
            raise ValueError("`sensitivity` must be in the range [0, 1].")
        super().__init__(sensitivity, num_thresholds, name, dtype)
        self.sensitivity = sensitivity
        self.class_id = class_id

    def result(self):
        return self._where_closest(self._sensitivity(), self._specificity())

    def get_config(self):
        own = {"num_thresholds": self.num_thresholds, "sensitivity": self.sensitivity}
        later = {} if self.class_id is None else {"class_id": self.class_id}
        return {**super().get_config(), **own, **later}


class AUC(_Counting):
    """Approximate area under the ROC or precision-recall curve, summed up over thresholds.

    Args:
        num_thresholds: how many, evenly spaced, including both ends.
        curve: ``'ROC'`` or ``'PR'``.
        summation_method: ``'interpolation'``, ``'minoring'`` or ``'majoring'``.
        thresholds: given ones in (0, 1) in place of evenly spaced ones.
        from_logits: (as tf.keras has it) predictions are logits, not probabilities.

    Raises:
        ValueError: an unknown curve or method, fewer than two thresholds, or areas of several labels, each for itself.
    """

    def __init__(
        self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None, thresholds=None,
        multi_label=False, num_labels=None, label_weights=None, from_logits=False,
    ):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        if multi_label or label_weights is not None:
            raise ValueError("`AUC` with `multi_label` is not supported: all labels are counted together.")
        self.from_logits = from_logits
        if thresholds is None:
            _check_count("num_thresholds", num_thresholds, 1)
            inner = np.linspace(0.0, 1.0, num_thresholds)[1:-1].tolist()
        else:
            inner = sorted(thresholds)
        self.num_thresholds = len(inner) + 2
        # The ends lie outside of [0, 1], so that rounding cannot move a prediction beyond them.
        self.thresholds = [0.0 - K.epsilon(), *inner, 1.0 + K.epsilon()]
        self.curve = curve if isinstance(curve, AUCCurve) else AUCCurve.from_str(curve)
        method = summation_method
        self.summation_method = (
            method if isinstance(method, AUCSummationMethod) else AUCSummationMethod.from_str(method)
        )
        self._count(*_COUNTS)

    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_true, K.sigmoid(y_pred) if self.from_logits else y_pred, sample_weight)

    def interpolate_pr_auc(self):
        """The area under the precision-recall curve, interpolating the counts of true and false positives.

        Between two thresholds both counts are taken as linear, so precision is not (Davis & Goadrich 2006).
        """
        positives = self.true_positives + self.false_positives
        low, high = positives[1:], positives[:-1]
        tp_step = self.true_positives[:-1] - self.true_positives[1:]
        slope = _ratio(tp_step, K.maximum(high - low, 0.0))
        intercept = self.true_positives[1:] - slope * low
        both = K.greater(K.minimum(high, low), 0)
        growth = K.switch(both, high / low, K.ones_like(low))
        area = slope * (tp_step + intercept * K.log(growth))
        return K.sum(_ratio(area, K.maximum(self.true_positives[1:] + self.false_negatives[1:], 0.0)))

    def result(self):
        interpolated = self.summation_method is AUCSummationMethod.INTERPOLATION
        if self.curve is AUCCurve.PR and interpolated:
            return self.interpolate_pr_auc()
        recall = _ratio(self.true_positives, self.true_positives + self.false_negatives)
        if self.curve is AUCCurve.ROC:
            x, y = _ratio(self.false_positives, self.false_positives + self.true_negatives), recall
        else:
            x, y = recall, _ratio(self.true_positives, self.true_positives + self.false_positives)
        if interpolated:
            heights = (y[:-1] + y[1:]) / 2.0
        elif self.summation_method is AUCSummationMethod.MINORING:
            heights = K.minimum(y[:-1], y[1:])
        else:
            heights = K.maximum(y[:-1], y[1:])
        return K.sum((x[:-1] - x[1:]) * heights)

    def get_config(self):
        own = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve.value,
            "summation_method": self.summation_method.value,
            "thresholds": self.thresholds[1:-1],
        }
        if self.from_logits:
            own["from_logits"] = True
        return {**super().get_config(), **own}


BaseMeanIoU = Metric  # Keras's name for what MeanIoU is built on


class MeanIoU(BaseMeanIoU):
    """Mean over classes of intersection over union: true positives / (true + false positives + false negatives).

    Targets and predictions are class numbers; classes that neither holds do not count.

    Args:
        num_classes: number of classes.
        ignore_class: (this and the following as tf.keras has them) targets of this class do not count.
        sparse_y_true, sparse_y_pred: False for targets or predictions with one entry per class along ``axis``, of which
            the largest is the class.
    """

    def __init__(
        self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1
    ):
        super().__init__(name=name, dtype=dtype)
        _check_count("num_classes", num_classes, 0, _MAX_CLASSES)
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_weight("total_confusion_matrix", shape=(num_classes, num_classes))

    def update_state(self, y_true, y_pred, sample_weight=None):
        if not self.sparse_y_true:
            y_true = K.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = K.argmax(y_pred, axis=self.axis)
        rows, columns = (
            K.cast(K.one_hot(K.flatten(K.cast(y, "int64")), self.num_classes), self.dtype) for y in (y_true, y_pred)
        )
        if sample_weight is not None:
            rows = rows * K.reshape(K.cast(sample_weight, self.dtype), [-1, 1])
        if self.ignore_class is not None:
            counts = K.not_equal(K.flatten(K.cast(y_true, "int64")), self.ignore_class)
            rows = rows * K.expand_dims(K.cast(counts, self.dtype))
        return [K.update_add(self.total_cm, K.dot(K.transpose(rows), columns))]

    def _classes(self) -> Sequence[int]:
        """Those that count."""
        return range(self.num_classes)

    def result(self):
        hits = K.sum(
            self.total_cm * K.cast(K.one_hot(K.arange(self.num_classes), self.num_classes), self.dtype), axis=0
        )
        union = K.sum(self.total_cm, axis=0) + K.sum(self.total_cm, axis=1) - hits
        counted = np.isin(np.arange(self.num_classes), self._classes())
        present = K.cast(K.greater(union, 0), self.dtype) * K.constant(counted, dtype=self.dtype)
        return _ratio(K.sum(_ratio(hits, union) * present), K.sum(present))

    def get_config(self):
        later = {"ignore_class": None, "sparse_y_true": True, "sparse_y_pred": True, "axis": -1}
        unusual = {key: getattr(self, key) for key, usual in later.items() if getattr(self, key) != usual}
        return {**super().get_config(), "num_classes": self.num_classes, **unusual}
