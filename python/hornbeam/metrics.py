"""Metrics: functions that give a number per sample, and classes that accumulate over batches."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from . import backend as K
from .engine.base_layer import Layer
from .losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    kullback_leibler_divergence,
    logcosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from .utils import losses_utils, metrics_utils
from .utils.generic_utils import deserialize_keras_object, public_objects, serialize_keras_object
from .utils.metrics_utils import AUCCurve, AUCSummationMethod, ConfusionMatrix, Reduction


class Metric(Layer):
    """Base class of metrics that keep a state.

    Subclasses make variables in ``__init__`` with :meth:`add_weight`, return a list of updates of them from
    ``update_state(...)``, and a tensor computed from them from ``result()``. Calling a metric does both.

    Args:
        name: made from the class name by default.
        dtype: of the state, floatx by default.
    """

    def __new__(cls, *args, **kwargs):
        metric = super().__new__(cls)
        for name, wrapper in (
            ("update_state", metrics_utils.update_state_wrapper),
            ("result", metrics_utils.result_wrapper),
        ):
            object.__setattr__(metric, name, types.MethodType(wrapper(getattr(metric, name)), metric))
        return metric

    def __init__(self, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.stateful = True
        self.built = True

    def __call__(self, *args, **kwargs):
        """Update the state and return the result as a tensor; running it advances the state."""
        updates = self.update_state(*args, **kwargs)
        with K.control_dependencies(updates):
            result = self.result()
        result._metric_obj = self
        return result

    def update_state(self, *args, **kwargs):
        raise NotImplementedError("Must be implemented in subclasses.")

    def result(self):
        raise NotImplementedError("Must be implemented in subclasses.")

    def reset_states(self):
        """Set the state to zero; done before each epoch."""
        K.batch_set_value([(v, np.zeros(K.int_shape(v))) for v in self.weights])

    def add_weight(self, name, shape=(), initializer=None, dtype=None):
        """Make a variable of the state, zero unless ``initializer`` says otherwise."""
        return super().add_weight(
            name=name,
            shape=shape,
            dtype=dtype or self.dtype,
            trainable=False,
            initializer="zeros" if initializer is None else initializer,
        )

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


class Reduce(Metric):
    """A reduction (see ``metrics_utils.Reduction``) of all values seen, with optional weights."""

    def __init__(self, reduction, name, dtype=None):
        super().__init__(name=name, dtype=dtype)
        if reduction not in (Reduction.SUM, Reduction.SUM_OVER_BATCH_SIZE, Reduction.WEIGHTED_MEAN):
            raise NotImplementedError(f"reduction [{reduction}] not implemented")
        self.reduction = reduction
        self.total = self.add_weight("total")
        if reduction != Reduction.SUM:
            self.count = self.add_weight("count")

    def update_state(self, values, sample_weight=None):
        """Updates that take in a batch of values.

        Args:
            sample_weight: a scalar, or a tensor that broadcasts to values and may lack last axes.
        """
        values = K.cast(values, self.dtype)
        if sample_weight is not None:
            sample_weight = K.cast(sample_weight, self.dtype)
            values, _, sample_weight = losses_utils.squeeze_or_expand_dimensions(values, sample_weight=sample_weight)
            sample_weight = losses_utils.broadcast_weights(values, sample_weight) * K.ones_like(values)
            values = values * sample_weight
        updates = [K.update_add(self.total, K.sum(values))]
        if self.reduction == Reduction.WEIGHTED_MEAN and sample_weight is not None:
            updates.append(K.update_add(self.count, K.sum(sample_weight)))
        elif self.reduction != Reduction.SUM:
            updates.append(K.update_add(self.count, K.cast(K.size(values), self.dtype)))
        return updates

    def result(self):
        return self.total if self.reduction == Reduction.SUM else self.total / self.count


class Sum(Reduce):
    """The (weighted) sum of all values."""

    def __init__(self, name="sum", dtype=None):
        super().__init__(Reduction.SUM, name, dtype)


class Mean(Reduce):
    """The (weighted) mean of all values."""

    def __init__(self, name="mean", dtype=None):
        super().__init__(Reduction.WEIGHTED_MEAN, name, dtype)


class MeanMetricWrapper(Mean):
    """The mean of a function ``fn(y_true, y_pred, **kwargs)`` over all samples."""

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = K.cast(y_true, self.dtype), K.cast(y_pred, self.dtype)
        y_pred, y_true = losses_utils.squeeze_or_expand_dimensions(y_pred, y_true)
        return super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self):
        return {**super().get_config(), **{k: K.eval(v) for k, v in self._fn_kwargs.items()}}


class MeanSquaredError(MeanMetricWrapper):
    """Mean of :func:`mean_squared_error`."""

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of :func:`mean_absolute_error`."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of :func:`mean_absolute_percentage_error`."""

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of :func:`mean_squared_logarithmic_error`."""

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of all squared differences."""

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = K.cast(y_true, self.dtype), K.cast(y_pred, self.dtype)
        return super().update_state(K.square(y_pred - y_true), sample_weight)

    def result(self):
        return K.sqrt(self.total / self.count)


class Hinge(MeanMetricWrapper):
    """Mean of :func:`hinge`."""

    def __init__(self, name="hinge", dtype=None):
        super().__init__(hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean of :func:`squared_hinge`."""

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean of :func:`categorical_hinge`."""

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(categorical_hinge, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of :func:`logcosh`."""

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(logcosh, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean of :func:`poisson`."""

    def __init__(self, name="poisson", dtype=None):
        super().__init__(poisson, name, dtype)


class KLDivergence(MeanMetricWrapper):
    """Mean of :func:`kullback_leibler_divergence`."""

    def __init__(self, name="kullback_leibler_divergence", dtype=None):
        super().__init__(kullback_leibler_divergence, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """Mean cosine of the angle between targets and predictions along ``axis``."""

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean of :func:`binary_crossentropy`."""

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean of :func:`categorical_crossentropy`."""

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(
            categorical_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean of :func:`sparse_categorical_crossentropy`."""

    def __init__(self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, axis=-1):
        super().__init__(sparse_categorical_crossentropy, name, dtype, from_logits=from_logits, axis=axis)


class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets."""

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions are on the targets' side of ``threshold``."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the one-hot target's class."""

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the target class."""

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the one-hot target's class is among the ``k`` largest predictions."""

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the target class is among the ``k`` largest predictions."""

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None):
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k)


# -- counts of true and false positives and negatives -------------------------------------------------------
def _ratio(part: Any, whole: Any) -> Any:
    """``part / whole``, and 0 where there is nothing to divide by."""
    return K.switch(K.greater(whole, 0), part / whole, K.zeros_like(part))


_COUNTS = {
    "true_positives": ConfusionMatrix.TRUE_POSITIVES,
    "true_negatives": ConfusionMatrix.TRUE_NEGATIVES,
    "false_positives": ConfusionMatrix.FALSE_POSITIVES,
    "false_negatives": ConfusionMatrix.FALSE_NEGATIVES,
}


class _Counting(Metric):
    """A metric computed from counts, one per threshold, in attributes named as in ``_COUNTS``."""

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


class _ConfusionMatrixConditionCount(Metric):
    """The (weighted) number of samples of one kind, per threshold.

    Args:
        confusion_matrix_cond: the kind.
        thresholds: a number or a list of numbers in [0, 1]; 0.5 by default.
    """

    def __init__(self, confusion_matrix_cond, thresholds=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self._confusion_matrix_cond = confusion_matrix_cond
        self.init_thresholds = thresholds
        self.thresholds = metrics_utils.parse_init_thresholds(thresholds)
        self.accumulator = self.add_weight("accumulator", shape=(len(self.thresholds),))

    def update_state(self, y_true, y_pred, sample_weight=None):
        return metrics_utils.update_confusion_matrix_variables(
            {self._confusion_matrix_cond: self.accumulator},
            y_true,
            y_pred,
            thresholds=self.thresholds,
            sample_weight=sample_weight,
        )

    def result(self):
        return self.accumulator[0] if len(self.thresholds) == 1 else self.accumulator

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
        if num_thresholds <= 0:
            raise ValueError("`num_thresholds` must be > 0.")
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

    def __init__(self, specificity, num_thresholds=200, name=None, dtype=None):
        if specificity < 0 or specificity > 1:
            raise ValueError("`specificity` must be in the range [0, 1].")
        super().__init__(specificity, num_thresholds, name, dtype)
        self.specificity = specificity

    def result(self):
        return self._where_closest(self._specificity(), self._sensitivity())

    def get_config(self):
        own = {"num_thresholds": self.num_thresholds, "specificity": self.specificity}
        return {**super().get_config(), **own}


class SpecificityAtSensitivity(SensitivitySpecificityBase):
    """The specificity at the threshold whose sensitivity is closest to ``sensitivity``."""

    def __init__(self, sensitivity, num_thresholds=200, name=None, dtype=None):
        if sensitivity < 0 or sensitivity > 1:
            raise ValueError("`sensitivity` must be in the range [0, 1].")
        super().__init__(sensitivity, num_thresholds, name, dtype)
        self.sensitivity = sensitivity

    def result(self):
        return self._where_closest(self._sensitivity(), self._specificity())

    def get_config(self):
        own = {"num_thresholds": self.num_thresholds, "sensitivity": self.sensitivity}
        return {**super().get_config(), **own}


class AUC(_Counting):
    """Approximate area under the ROC or precision-recall curve, summed up over thresholds.

    Args:
        num_thresholds: how many, evenly spaced, including both ends.
        curve: ``'ROC'`` or ``'PR'``.
        summation_method: ``'interpolation'``, ``'minoring'`` or ``'majoring'``.
        thresholds: given ones in (0, 1) in place of evenly spaced ones.

    Raises:
        ValueError: an unknown curve or method, or fewer than two thresholds.
    """

    def __init__(
        self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None, thresholds=None
    ):
        super().__init__(name=name, dtype=dtype)
        if thresholds is None:
            if num_thresholds <= 1:
                raise ValueError("`num_thresholds` must be > 1.")
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
        return {**super().get_config(), **own}


BaseMeanIoU = Metric  # Keras's name for what MeanIoU is built on


class MeanIoU(BaseMeanIoU):
    """Mean over classes of intersection over union: true positives / (true + false positives + false negatives).

    Targets and predictions are class numbers; classes that neither holds do not count.
    """

    def __init__(self, num_classes, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes
        self.total_cm = self.add_weight("total_confusion_matrix", shape=(num_classes, num_classes))

    def update_state(self, y_true, y_pred, sample_weight=None):
        rows, columns = (
            K.cast(K.one_hot(K.flatten(K.cast(y, "int64")), self.num_classes), self.dtype) for y in (y_true, y_pred)
        )
        if sample_weight is not None:
            rows = rows * K.reshape(K.cast(sample_weight, self.dtype), [-1, 1])
        return [K.update_add(self.total_cm, K.dot(K.transpose(rows), columns))]

    def result(self):
        hits = K.sum(self.total_cm * K.constant(np.eye(self.num_classes), dtype=self.dtype), axis=0)
        union = K.sum(self.total_cm, axis=0) + K.sum(self.total_cm, axis=1) - hits
        present = K.sum(K.cast(K.greater(union, 0), self.dtype))
        return _ratio(K.sum(_ratio(hits, union)), present)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


# -- functions: each gives one number per sample ------------------------------------------------------------
def _as(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = y_pred if K.is_tensor(y_pred) else K.constant(y_pred)
    return K.cast(y_true, K.dtype(y_pred)), y_pred


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where a prediction equals its target."""
    return K.cast(K.equal(*_as(y_true, y_pred)), K.floatx())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """The part of a sample's yes/no targets that the predictions get right."""
    y_true, y_pred = _as(y_true, y_pred)
    if threshold != 0.5:
        y_pred = K.cast(K.greater(y_pred, threshold), K.dtype(y_pred))
    return K.mean(K.equal(y_true, K.round(y_pred)), axis=-1)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is the one-hot target's class."""
    y_true, y_pred = _as(y_true, y_pred)
    return K.cast(K.equal(K.argmax(y_true, axis=-1), K.argmax(y_pred, axis=-1)), K.floatx())


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is the target class."""
    y_true, y_pred = _as(y_true, y_pred)
    if K.ndim(y_true) == K.ndim(y_pred):
        y_true = K.squeeze(y_true, -1)
    return K.cast(K.equal(y_true, K.cast(K.argmax(y_pred, axis=-1), K.dtype(y_true))), K.floatx())


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the one-hot target's class is among the k largest predictions."""
    y_true, y_pred = _as(y_true, y_pred)
    return K.cast(K.in_top_k(y_pred, K.argmax(y_true, axis=-1), k), K.floatx())


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the target class is among the k largest predictions."""
    y_true, y_pred = _as(y_true, y_pred)
    return K.cast(K.in_top_k(y_pred, K.cast(K.flatten(y_true), "int32"), k), K.floatx())


def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between targets and predictions (the loss of this name is its negative)."""
    y_true, y_pred = (K.l2_normalize(y, axis=axis) for y in _as(y_true, y_pred))
    return K.sum(y_true * y_pred, axis=axis)


def clone_metric(metric: Any) -> Any:
    """A metric object of the same config with a state of its own; a function as it is."""
    return type(metric).from_config(metric.get_config()) if isinstance(metric, Metric) else metric


def clone_metrics(metrics: Any) -> Any:
    """:func:`clone_metric` of each in a list or dict; None for None."""
    if metrics is None:
        return None
    if isinstance(metrics, dict):
        return {name: clone_metric(metric) for name, metric in metrics.items()}
    return [clone_metric(metric) for metric in metrics]


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
cosine = cosine_similarity = cosine_proximity


def serialize(metric: Any) -> Any:
    """The name of a metric function, or the config of a metric object."""
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The metric of a name or config.

    Raises:
        ValueError: an unknown name.
    """
    return deserialize_keras_object(
        config, module_objects=_METRICS, custom_objects=custom_objects, printable_module_name="metric function"
    )


def get(identifier: Any) -> Any:
    """A metric from its name, config, or itself.

    Raises:
        ValueError: anything else.
    """
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret metric function identifier: {identifier}")


# Losses are metrics, too; they are imported, so they are named here.
_METRICS = public_objects(
    globals(),
    "binary_crossentropy", "categorical_crossentropy", "categorical_hinge", "hinge", "kullback_leibler_divergence",
    "logcosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge",
    "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE",
)  # fmt: skip
