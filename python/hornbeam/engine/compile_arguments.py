"""From the arguments of ``compile`` to one loss, weight and list of metrics per output."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from .. import backend as K
from .. import losses
from .. import metrics as metrics_module
from ..utils import losses_utils
from ..utils.generic_utils import check_for_unexpected_keys, to_list
from ..utils.messages import warn_user


def get_loss_function(loss):
    """Return the loss object for a name, a config, a function or a Loss; None stays None.

    Raises:
        ValueError: unknown name.
    """
    if loss is None or isinstance(loss, losses.Loss):
        return loss
    if isinstance(loss, Mapping):
        loss = losses.get(loss)
    if callable(loss) and not hasattr(loss, "__name__"):
        return loss  # an object with __call__(y_true, y_pred, sample_weight)
    fn = losses.get(loss)
    if isinstance(fn, losses.Loss):
        return fn
    return losses.LossFunctionWrapper(fn, name=fn.__name__, reduction=losses_utils.Reduction.SUM_OVER_BATCH_SIZE)


def prepare_loss_functions(loss, output_names):
    """Return one loss object (or None) per output."""
    if isinstance(loss, Mapping) and "class_name" not in loss:
        check_for_unexpected_keys("loss", loss, output_names)
        for name in output_names:
            if name not in loss:
                warn_user(
                    f"Output {name} missing from loss dictionary. We assume this was done on purpose. The fit and "
                    f"evaluate APIs will not be expecting any data to be passed to {name}."
                )
        return [get_loss_function(loss.get(name)) for name in output_names]
    if isinstance(loss, Sequence) and not isinstance(loss, str):
        if len(loss) != len(output_names):
            raise ValueError(
                "When passing a list as loss, it should have one entry per model outputs. The model has "
                f"{len(output_names)} outputs, but you passed loss={loss}"
            )
        return [get_loss_function(item) for item in loss]
    return [get_loss_function(loss) for _ in output_names]


def prepare_loss_weights(output_names, loss_weights=None):
    """Return one factor per output."""
    if loss_weights is None:
        return [1.0] * len(output_names)
    if isinstance(loss_weights, Mapping):
        check_for_unexpected_keys("loss_weights", loss_weights, output_names)
        return [loss_weights.get(name, 1.0) for name in output_names]
    if isinstance(loss_weights, list):
        if len(loss_weights) != len(output_names):
            raise ValueError(
                "When passing a list as loss_weights, it should have one entry per model output. The model has "
                f"{len(output_names)} outputs, but you passed loss_weights={loss_weights}"
            )
        return loss_weights
    raise TypeError(f"Could not interpret loss_weights argument: {loss_weights} - expected a list or a dict.")


def get_output_sample_weight_and_mode(skip_target_weighing_indices, sample_weight_mode, output_name, output_index):
    """The placeholder for one output's sample weights, and its mode."""
    if output_index in skip_target_weighing_indices:
        return None, None
    weight = K.placeholder(ndim=rank_of_weights(sample_weight_mode), name=f"{output_name}_sample_weights")
    return weight, sample_weight_mode


def rank_of_weights(mode: Any) -> int:
    """The rank of sample weights: of samples, of steps (``'temporal'``), or the mode, which is a number where data said it."""
    return mode if isinstance(mode, int) else 2 if mode == "temporal" else 1


def prepare_sample_weights(output_names, sample_weight_mode, skip_target_weighing_indices, known=None):
    """Placeholders for sample weights, and their modes, one per output; ``known`` ones are those that data said."""
    if isinstance(sample_weight_mode, dict):
        unknown = set(sample_weight_mode) - set(output_names)
        if unknown:
            raise ValueError(
                f'Unknown entry in sample_weight_mode dictionary: "{unknown}". Only expected the following keys: '
                f"{output_names}"
            )
        for index, name in enumerate(output_names):
            if index not in skip_target_weighing_indices and name not in sample_weight_mode:
                raise ValueError(f'Output "{name}" missing from sample_weight_modes dictionary')
        modes = [sample_weight_mode.get(name) for name in output_names]
    elif isinstance(sample_weight_mode, (list, tuple)):
        if len(sample_weight_mode) != len(output_names):
            raise ValueError(
                "When passing a list as sample_weight_mode, it should have one entry per model output. The model has "
                f"{len(output_names)} outputs, but you passed {len(sample_weight_mode)} sample_weight_modes"
            )
        modes = list(sample_weight_mode)
    else:
        modes = [sample_weight_mode] * len(output_names)
    modes = ["temporal" if mode == "temporal" else None for mode in modes] if known is None else list(known.values())
    pairs = [
        get_output_sample_weight_and_mode(skip_target_weighing_indices, mode, name, index)
        for index, (name, mode) in enumerate(zip(output_names, modes))
    ]
    return [weight for weight, _ in pairs], [mode for _, mode in pairs]


def collect_per_output_metric_info(metrics, output_names, output_shapes, loss_fns, is_weighted=False):
    """Return for each output an ordered dict from metric name to Metric object."""
    if not metrics:
        return [{} for _ in output_names]
    collected = []
    for of_output, shape, loss in zip(_per_output(metrics, output_names), output_shapes, loss_fns):
        named: dict[str, Any] = OrderedDict()
        for metric in of_output:
            if metric is None:  # tf.keras writes `[[None], ...]` for outputs without metrics
                continue
            name = get_metric_name(metric, is_weighted)
            fn = get_metric_function(metric, output_shape=shape, loss_fn=loss)
            if not isinstance(fn, metrics_module.Metric):
                fn = metrics_module.MeanMetricWrapper(fn, name=name)
            named[name] = fn
        collected.append(named)
    return collected


def _per_output(metrics: Any, output_names: list[str]) -> list[list]:
    if isinstance(metrics, Mapping):
        check_for_unexpected_keys("metrics", dict(metrics), output_names)
        return [to_list(metrics.get(name, []), allow_tuple=True) for name in output_names]
    if not isinstance(metrics, (list, tuple)):
        raise TypeError(f"Type of `metrics` argument not understood. Expected a list or dictionary, found: {metrics}")
    if any(isinstance(metric, (list, tuple)) for metric in metrics):
        if len(metrics) != len(output_names):
            raise ValueError(
                "When passing a list of lists as `metrics`, it should have one entry per model output. The model has "
                f"{len(output_names)} outputs, but you passed metrics={metrics}"
            )
        return [to_list(metric, allow_tuple=True) for metric in metrics]
    if len(output_names) == 1:
        return [list(metrics)]
    return [[metrics_module.clone_metric(metric) for metric in metrics] for _ in output_names]


def get_metric_name(metric, weighted=False):
    """The name under which a metric is reported: a string as the user wrote it, else its own name."""
    if isinstance(metric, str):
        return metric
    metric = metrics_module.get(metric)
    return metric.name if hasattr(metric, "name") else metric.__name__


def get_metric_function(metric, output_shape=None, loss_fn=None):
    """Return the metric; ``'accuracy'`` and ``'crossentropy'`` are chosen by output shape and loss."""
    if metric not in ("accuracy", "acc", "crossentropy", "ce"):
        return metrics_module.get(metric)
    fn = getattr(loss_fn, "fn", loss_fn)
    sparse = fn is losses.sparse_categorical_crossentropy
    binary = fn is losses.binary_crossentropy or output_shape[-1] == 1
    if metric in ("accuracy", "acc"):
        if binary:
            return metrics_module.binary_accuracy
        return metrics_module.sparse_categorical_accuracy if sparse else metrics_module.categorical_accuracy
    if binary:
        return losses.binary_crossentropy
    return losses.sparse_categorical_crossentropy if sparse else losses.categorical_crossentropy


def masked_weights(weights, mask, dtype):
    """Sample weights times the mask; either may be None."""
    if mask is None:
        return weights
    mask = K.cast(mask, dtype)
    if weights is None:
        return mask
    mask, _, weights = losses_utils.squeeze_or_expand_dimensions(mask, None, weights)
    return losses_utils.broadcast_weights(mask, weights) * mask


def call_metric_function(metric_fn, y_true, y_pred=None, weights=None, mask=None):
    """Add the metric's update and result for these tensors to the graph."""
    if y_pred is None:
        return metric_fn(y_true, sample_weight=weights)
    weights = masked_weights(weights, mask, K.dtype(y_pred))
    updates = metric_fn.update_state(y_true, y_pred, sample_weight=weights)
    with K.control_dependencies(updates):
        return metric_fn.result()


def weighted_masked_objective(fn):
    """Make of a loss function one that takes weights and a mask; None stays None."""
    if fn is None:
        return None

    def weighted(y_true, y_pred, weights, mask=None):
        scores = fn(y_true, y_pred)
        if mask is not None:
            mask = K.cast(mask, K.floatx())
            scores = scores * mask / K.mean(mask)
        if weights is not None:
            extra = K.ndim(scores) - K.ndim(weights)
            scores = K.mean(scores, axis=list(range(K.ndim(scores) - extra, K.ndim(scores)))) if extra else scores
            scores = scores * weights
            scores = scores / K.mean(K.cast(K.not_equal(weights, 0), K.floatx()))
        return K.mean(scores)

    return weighted
