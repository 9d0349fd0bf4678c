"""What ``compile`` was given, for steps that are written with eager tensors: ``model.compiled_loss`` and ``compiled_metrics``.

Both meet the outputs when they are first called: their structure, names and shapes are known only then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import backend as K
from .. import metrics as metrics_module
from ..graph import Tensor, convert, nest
from . import compile_arguments


def _names(outputs: Any, names: list[str]) -> list[str]:
    """The names of the leaves: the keys of a dict, what the model calls its outputs, or ``output_1``, ..."""
    if isinstance(outputs, Mapping):
        return sorted(outputs)
    count = len(nest.flatten(outputs))
    return names if len(names) == count else [f"output_{i + 1}" for i in range(count)]


def _by_output(given: Any, names: list[str], outputs: Any) -> list:
    """One item for each output, of what may be a dict by name, a list, or one item for all."""
    if isinstance(given, Mapping):
        return [given.get(name) for name in names]
    if isinstance(outputs, (list, tuple, dict)) and isinstance(given, (list, tuple)):
        return nest.flatten(given)
    return [given] * len(names)


def _targets(y_true: Any, names: list[str], outputs: Any) -> list:
    if y_true is None:
        return [None] * len(names)
    if isinstance(y_true, Mapping):
        return [y_true.get(name) for name in names]
    targets = nest.flatten(y_true) if isinstance(outputs, (list, tuple, dict)) else [y_true]
    if len(targets) != len(names):
        raise ValueError(
            f"the model has {len(names)} outputs ({', '.join(names)}), but there are {len(targets)} targets"
        )
    return targets


def _like(target: Any, output: Tensor) -> Tensor:
    target = convert(target)
    return target if target.dtype == output.dtype else K.cast(target, output.dtype)


def _weights(weight: Any, output: Tensor) -> Any:
    """Sample weights times the output's mask."""
    mask = output._keras_mask
    weight = None if weight is None else K.cast(convert(weight), output.dtype)
    return compile_arguments.masked_weights(weight, mask, output.dtype)


class CompiledLoss:
    """The loss of ``compile``: called with targets and outputs it gives the scalar that training minimises.

    Attributes:
        metrics: running means of it and, of several outputs, of each one's; none before it was called.
    """

    def __init__(self, loss: Any, weights: Any, output_names: list[str]) -> None:
        self._loss = loss
        self._weights = weights
        self._output_names = output_names
        self._parts: list[tuple[Any, float]] | None = None
        self._total = metrics_module.Mean(name="loss")
        self._means: list[Any] = []

    @property
    def metrics(self) -> list:
        return [] if self._parts is None else [self._total, *self._means]

    def _build(self, outputs: Any, names: list[str]) -> None:
        losses = self._loss if isinstance(self._loss, Mapping) else nest.flatten(self._loss)
        if not isinstance(losses, Mapping) and len(losses) == 1:
            losses = losses * len(names)
        functions = compile_arguments.prepare_loss_functions(losses, names)
        weights = _by_output(self._weights, names, outputs) if self._weights is not None else [1.0] * len(names)
        self._parts = [(function, 1.0 if w is None else float(w)) for function, w in zip(functions, weights)]
        if len(names) > 1:
            self._means = [metrics_module.Mean(name=f"{name}_loss") for name in names]

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None
    ) -> Tensor:
        names = _names(y_pred, self._output_names)
        if self._parts is None:
            self._build(y_pred, names)
        outputs = nest.flatten(y_pred)
        targets = _targets(y_true, names, y_pred)
        weights = _by_output(sample_weight, names, y_pred)
        assert self._parts is not None
        total: Any = 0.0
        batch = None
        for i, ((function, factor), y, p, w) in enumerate(zip(self._parts, targets, outputs, weights)):
            if function is None or y is None:
                continue
            value = function(_like(y, p), p, sample_weight=_weights(w, p))
            batch = K.cast(K.shape(p)[0], value.dtype) if p.ndim else None
            if self._means:
                self._means[i].update_state(value, sample_weight=batch)
            total = total + (value if factor == 1.0 else value * factor)
        total = _summed(total, regularization_losses)
        self._total.update_state(total, sample_weight=batch)
        return total


def _summed(total: Any, losses: Any) -> Tensor:
    for loss in losses or ():
        total = total + (K.sum(loss) if isinstance(loss, Tensor) and loss.ndim else loss)
    return convert(total, "float32")


class CompiledMetrics:
    """The metrics of ``compile``. ``metrics`` lists them; weighted ones count each sample by its weight."""

    def __init__(self, metrics: Any, weighted: Any, output_names: list[str]) -> None:
        self._given = metrics
        self._weighted = weighted
        self._output_names = output_names
        self._parts: list[tuple[list, list]] | None = None

    @property
    def metrics(self) -> list:
        return [m for plain, weighted in self._parts or () for m in (*plain, *weighted)]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        names = _names(y_pred, self._output_names)
        outputs, targets = nest.flatten(y_pred), _targets(y_true, names, y_pred)
        weights = _by_output(sample_weight, names, y_pred)
        if self._parts is None:
            self._parts = self._built(names, targets, outputs)
        for (plain, weighted), y, p, w in zip(self._parts, targets, outputs, weights):
            if y is None:
                continue
            for metric in plain:
                metric.update_state(_like(y, p), p, sample_weight=_weights(None, p))
            for metric in weighted:
                metric.update_state(_like(y, p), p, sample_weight=_weights(w, p))

    def _built(self, names: list[str], targets: list, outputs: list) -> list[tuple[list, list]]:
        plain = compile_arguments._per_output(self._given, names) if self._given else [[] for _ in names]
        weighted = compile_arguments._per_output(self._weighted, names) if self._weighted else [[] for _ in names]
        parts = []
        for name, y, p, *lists in zip(names, targets, outputs, plain, weighted):
            prefix = f"{name}_" if len(names) > 1 else ""
            made = [[_metric(m, y, p, prefix) for m in metrics if m is not None] for metrics in lists]
            parts.append((made[0], made[1]))
        return parts


def _metric(metric: Any, target: Any, output: Tensor, prefix: str) -> Any:
    if isinstance(metric, metrics_module.Metric):
        return metric
    name = compile_arguments.get_metric_name(metric)
    if metric in ("accuracy", "acc", "crossentropy", "ce"):
        metric = _by_shapes(metric, target, output)
    else:
        metric = metrics_module.get(metric)
    if isinstance(metric, metrics_module.Metric):
        return metric
    return metrics_module.MeanMetricWrapper(metric, name=prefix + name)


def _by_shapes(name: str, target: Any, output: Tensor) -> Callable:
    """The accuracy (or cross-entropy) that fits targets and outputs of these shapes."""
    shape = tuple(target.shape)
    kind = "categorical"
    if output.ndim == 0 or output.shape[-1] == 1:
        kind = "binary"
    elif len(shape) < output.ndim or (shape[-1] == 1 and output.shape[-1] != 1):
        kind = "sparse_categorical"
    return metrics_module.get(f"{kind}_{'accuracy' if name in ('accuracy', 'acc') else 'crossentropy'}")
