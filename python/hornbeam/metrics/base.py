"""What metrics are made of: the base class, and sums and means over all samples seen."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from .. import backend as K
from ..engine.base_layer import Layer
from ..graph import deciding
from ..utils import losses_utils, metrics_utils
from ..utils.metrics_utils import Reduction


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
        """Return updates of the state for a batch: ``update_state(y_true, y_pred, sample_weight=None)`` in most metrics."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def result(self):
        """Return a tensor computed from the state."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def reset_state(self):
        """Set the state to zero."""
        K.batch_set_value([(v, np.zeros(K.int_shape(v))) for v in self.weights])

    def reset_states(self):
        """As :meth:`reset_state`, by the name that Keras 2.3.1 had; done before each epoch."""
        self.reset_state()

    def merge_state(self, metrics):
        """Add the states of metrics of the same kind to this one's, as if it had seen what they saw, too.

        Raises:
            ValueError: a metric whose state has other variables; nothing is changed then.
        """
        totals = self.get_weights()
        for metric in metrics:
            states = metric.get_weights()
            if [np.shape(s) for s in states] != [np.shape(t) for t in totals]:
                raise ValueError(f"Metric {metric} is not compatible with {self}: their states have other variables.")
            totals = [total + state for total, state in zip(totals, states)]
        self.set_weights(totals)

    def add_weight(self, name, shape=(), initializer=None, dtype=None, aggregation=None, synchronization=None):
        """Make a variable of the state, zero unless ``initializer`` says otherwise; other arguments as for layers."""
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
            if K.ndim(values) == 0 and K.ndim(sample_weight) > 1:
                # What a function reduced itself beside a mask of steps: Keras took it so until 2.2.
                values = values * K.ones_like(sample_weight)
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


Layer._mean_metric = Mean


class MeanMetricWrapper(Mean):
    """The mean of a function ``fn(y_true, y_pred, **kwargs)`` over all samples."""

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = K.cast(y_true, self.dtype), K.cast(y_pred, self.dtype)
        y_pred, y_true = losses_utils.squeeze_or_expand_dimensions(y_pred, y_true)
        values = deciding(self._fn)(y_true, y_pred, **self._fn_kwargs)
        return super().update_state(values, losses_utils.without_ignored(values, sample_weight))

    def get_config(self):
        return {**super().get_config(), **{k: K.eval(v) for k, v in self._fn_kwargs.items()}}


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
