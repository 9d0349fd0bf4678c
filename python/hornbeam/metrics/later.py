"""Metrics of tf.keras, beyond Keras 2.3.1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend as K
from .. import graph
from ..backend.math import where
from ..utils import losses_utils
from .base import Mean, Metric
from .confusion import MeanIoU, SensitivitySpecificityBase, _check_count, _ratio

# -- means ----------------------------------------------------------------------------------------------------------
_MAX_ELEMENTS = 100_000_000  # a model file may ask for them


class MeanTensor(Metric):
    """The (weighted) mean of each element of tensors of one shape.

    Args:
        shape: that shape; by default that of the first tensor.

    Raises:
        ValueError: a tensor of another shape; or the result is asked for before there is one.
    """

    def __init__(self, name="mean_tensor", dtype=None, shape=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.count = None
        if shape is not None:
            _check_count("number of elements", math.prod(shape), -1, _MAX_ELEMENTS)
            self._make_state(tuple(shape))

    def _make_state(self, shape: tuple) -> None:
        self.total = self.add_weight("total", shape)
        self.count = self.add_weight("count", shape)

    def update_state(self, values, sample_weight=None):
        """Updates that take in a tensor.

        Args:
            sample_weight: a scalar, or a tensor that broadcasts to values and may lack last axes.
        """
        values = K.cast(graph.convert(values), self.dtype)
        if self.total is None:
            self._make_state(values.shape)
        if K.int_shape(values) != K.int_shape(self.total):
            raise ValueError(
                f"MeanTensor input values must always have the same shape: first {self.total.shape}, now {values.shape}."
            )
        counts = K.ones_like(values)
        if sample_weight is not None:
            sample_weight = K.cast(graph.convert(sample_weight), self.dtype)
            values, _, sample_weight = losses_utils.squeeze_or_expand_dimensions(values, sample_weight=sample_weight)
            counts = losses_utils.broadcast_weights(values, sample_weight) * counts
            values = values * counts
        return [K.update_add(self.total, values), K.update_add(self.count, counts)]

    def result(self):
        if self.total is None:
            raise ValueError("MeanTensor does not have any value yet: call it, or `update_state`, before `result`.")
        return _ratio(self.total, self.count)

    def get_config(self):
        shape = None if self.total is None else K.int_shape(self.total)
        return {**super().get_config(), "shape": shape}


class MeanRelativeError(Mean):
    """The mean of ``abs(y_true - y_pred) / normalizer``; 0 where the normalizer is 0.

    Args:
        normalizer: numbers of the predictions' shape, or that broadcast to it.
    """

    def __init__(self, normalizer, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.normalizer = np.asarray(
            normalizer.numpy() if isinstance(normalizer, graph.Tensor) else normalizer, self.dtype
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = (K.cast(graph.convert(y), self.dtype) for y in (y_true, y_pred))
        y_pred, y_true = losses_utils.squeeze_or_expand_dimensions(y_pred, y_true)
        divides = self.normalizer != 0
        errors = K.abs(y_true - y_pred) / K.constant(np.where(divides, self.normalizer, 1), self.dtype)
        return super().update_state(errors * K.constant(divides, self.dtype), sample_weight)

    def get_config(self):
        return {**super().get_config(), "normalizer": self.normalizer.tolist()}


# -- intersection over union --------------------------------------------------------------------------------------
class IoU(MeanIoU):
    """Mean of intersection over union, of some classes only.

    Args:
        num_classes: number of classes.
        target_class_ids: those that count.
        sparse_y_true, sparse_y_pred: whether targets and predictions are class numbers; otherwise they have one entry per
            class along ``axis``, of which the largest is the class.

    Raises:
        ValueError: a class that there is not.
    """

    def __init__(self, num_classes, target_class_ids, name=None, dtype=None, **kwargs):
        super().__init__(num_classes, name, dtype, **kwargs)
        self.target_class_ids = list(target_class_ids)
        if not all(0 <= c < num_classes for c in self.target_class_ids):
            raise ValueError(f"`target_class_ids` {self.target_class_ids} must be among the {num_classes} classes.")

    def _classes(self):
        return self.target_class_ids

    def get_config(self):
        return {**super().get_config(), "target_class_ids": self.target_class_ids}


class BinaryIoU(IoU):
    """:class:`IoU` of two classes: predictions below ``threshold``, and those from there on."""

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = K.cast(K.greater_equal(y_pred, self.threshold), self.dtype)
        return super().update_state(y_true, y_pred, sample_weight)

    def get_config(self):
        own = {"target_class_ids": self.target_class_ids, "threshold": self.threshold}
        return {**Metric.get_config(self), **own}


class OneHotIoU(IoU):
    """:class:`IoU` of one-hot targets and probabilities (or class numbers, with ``sparse_y_pred``)."""

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1
    ):
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class=ignore_class, sparse_y_true=False,
            sparse_y_pred=sparse_y_pred, axis=axis,
        )  # fmt: skip

    def get_config(self):
        config = super().get_config()
        del config["sparse_y_true"]
        return {**config, "sparse_y_pred": self.sparse_y_pred}


class OneHotMeanIoU(MeanIoU):
    """:class:`MeanIoU` of one-hot targets and probabilities (or class numbers, with ``sparse_y_pred``)."""

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(
            num_classes,
            name,
            dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )

    def get_config(self):
        config = super().get_config()
        del config["sparse_y_true"]
        return {**config, "sparse_y_pred": self.sparse_y_pred}


# -- one of precision and recall, where the other is good enough -----------------------------------------------------
class _BestWhere(SensitivitySpecificityBase):
    def __init__(self, value, num_thresholds, class_id, name, dtype):
        if not 0 <= value <= 1:
            raise ValueError(f"`{self._given}` must be in the range [0, 1], got {value}.")
        super().__init__(value, num_thresholds, name, dtype)
        self.class_id = class_id

    _given: str

    def _precision(self) -> Any:
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    def _best_where(self, given: Any, wanted: Any) -> Any:
        """The largest of ``wanted`` where ``given`` is at least ``value``; 0 where it never is."""
        return K.max(where(K.greater_equal(given, self.value), wanted, 0.0))

    def get_config(self):
        own = {"num_thresholds": self.num_thresholds, self._given: self.value, "class_id": self.class_id}
        return {**super().get_config(), **own}


class PrecisionAtRecall(_BestWhere):
    """The best precision of all thresholds at which the recall is at least ``recall``."""

    _given = "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def result(self):
        return self._best_where(self._sensitivity(), self._precision())


class RecallAtPrecision(_BestWhere):
    """The best recall of all thresholds at which the precision is at least ``precision``."""

    _given = "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def result(self):
        return self._best_where(self._precision(), self._sensitivity())


# -- per class or per output, whose number the first predictions tell -------------------------------------------------
class _PerOutput(Metric):
    """Sums for each entry of the last axis: targets and predictions are (batch, outputs)."""

    _sums: tuple[str, ...]

    def _make_sums(self, y_pred: Any) -> None:
        if hasattr(self, self._sums[0]):
            return
        if y_pred.ndim != 2 or y_pred.shape[1] is None:
            raise ValueError(f"`{type(self).__name__}` is for predictions (batch, outputs), got shape {y_pred.shape}.")
        for name in self._sums:
            setattr(self, name, self.add_weight(name, shape=(y_pred.shape[1],)))

    def _add(self, name: str, values: Any, weights: Any) -> Any:
        return K.update_add(getattr(self, name), K.sum(values if weights is None else values * weights, axis=0))


class FBetaScore(_PerOutput):
    """Of each class: precision and recall in one number, ``(1 + beta²) p r / (beta² p + r)``.

    Args:
        average: ``'macro'`` for the mean over classes, ``'weighted'`` for that by how often they are targets, ``'micro'`` for
            all classes counted together; None for one number per class.
        beta: how much more the recall counts.
        threshold: what a prediction must exceed; by default the largest of a sample is what is predicted.

    Raises:
        ValueError: another average, or (when called) other shapes than (batch, classes).
    """

    _sums = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"`average` must be None, 'micro', 'macro' or 'weighted', got {average!r}.")
        self.average = average
        self.beta = beta
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        self._make_sums(y_pred)
        y_true = K.cast(y_true, self.dtype)
        if self.threshold is None:
            largest = K.greater_equal(y_pred, K.max(y_pred, axis=-1, keepdims=True))
            chosen = graph.apply("logical_and", [largest, K.greater(K.abs(y_pred), 1e-9)])
        else:
            chosen = K.greater(y_pred, self.threshold)
        chosen = K.cast(chosen, self.dtype)
        weights = None if sample_weight is None else K.reshape(K.cast(sample_weight, self.dtype), [-1, 1])
        return [
            self._add("true_positives", chosen * y_true, weights),
            self._add("false_positives", chosen * (1.0 - y_true), weights),
            self._add("false_negatives", (1.0 - chosen) * y_true, weights),
            self._add("intermediate_weights", y_true, weights),
        ]

    def result(self):
        hits, wrong, missed = (getattr(self, name) for name in self._sums[:3])
        if self.average == "micro":
            hits, wrong, missed = (K.sum(v) for v in (hits, wrong, missed))
        precision, recall = _ratio(hits, hits + wrong), _ratio(hits, hits + missed)
        score = (1.0 + self.beta**2) * _ratio(precision * recall, self.beta**2 * precision + recall)
        if self.average == "macro":
            return K.mean(score)
        if self.average == "weighted":
            return _ratio(K.sum(score * self.intermediate_weights), K.sum(self.intermediate_weights))
        return score

    def get_config(self):
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """:class:`FBetaScore` with beta 1."""

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        config = super().get_config()
        del config["beta"]
        return config


class R2Score(_PerOutput):
    """How much of the targets' variance the predictions explain: ``1 - sum((y - p)²) / sum((y - mean(y))²)``.

    Args:
        class_aggregation: ``'uniform_average'`` of the outputs, ``'variance_weighted_average'``, or None for one number each.

    Raises:
        ValueError: another aggregation, or an adjustment for regressors.
    """

    _sums = ("squared_sum", "sum", "total_mse", "count")

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average") or num_regressors:
            raise ValueError(
                f"`R2Score` knows the aggregations None, 'uniform_average' and 'variance_weighted_average', got "
                f"{class_aggregation!r}, and no `num_regressors`, got {num_regressors}."
            )
        self.class_aggregation = class_aggregation

    def update_state(self, y_true, y_pred, sample_weight=None):
        self._make_sums(y_pred)
        y_true = K.cast(y_true, self.dtype)
        weights = None if sample_weight is None else K.reshape(K.cast(sample_weight, self.dtype), [-1, 1])
        return [
            self._add("squared_sum", K.square(y_true), weights),
            self._add("sum", y_true, weights),
            self._add("total_mse", K.square(y_true - y_pred), weights),
            self._add("count", K.ones_like(y_true), weights),
        ]

    def result(self):
        total = self.squared_sum - K.square(self.sum) / self.count
        scores = 1.0 - self.total_mse / total
        scores = where(graph.apply("is_inf", [scores]), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            return K.mean(scores)
        return scores if self.class_aggregation is None else K.sum(total * scores) / K.sum(total)

    def get_config(self):
        return {**super().get_config(), "class_aggregation": self.class_aggregation}
