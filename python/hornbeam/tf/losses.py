"""``tf.nn``'s cross-entropies of logits, and TensorFlow 1's ``tf.losses``."""

from __future__ import annotations

from typing import Any

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import first_given, tensor, tensors
from .table import for_scripts, function


@function("nn.softmax_cross_entropy_with_logits", "nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, axis: Any = None, name: Any = None, dim: Any = None, _sentinel: Any = None
) -> Tensor:
    """``-sum(labels * log_softmax(logits))`` over the classes."""
    labels, logits = _labels_and_logits(labels, logits)
    return K.categorical_crossentropy(labels, logits, from_logits=True, axis=int(first_given(axis, dim, -1)))


def _labels_and_logits(labels: Any, logits: Any) -> tuple[Tensor, Tensor]:
    if labels is None or logits is None:
        raise ValueError("give labels=..., logits=...")
    logits = tensor(logits)
    return tensor(labels, logits.dtype), logits


@function("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: Any = None, _sentinel: Any = None
) -> Tensor:
    """The same with class numbers, which have the shape of the logits without their last axis."""
    if labels is None or logits is None:
        raise ValueError("give labels=..., logits=...")
    logits = tensor(logits)
    loss = K.sparse_categorical_crossentropy(tensor(labels), logits, from_logits=True)
    return loss if logits.ndim != 1 else K.reshape(loss, [])


@function("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: Any = None, _sentinel: Any = None
) -> Tensor:
    labels, logits = _labels_and_logits(labels, logits)
    return K.binary_crossentropy(labels, logits, from_logits=True)


@function("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: Any = None, targets: Any = None
) -> Tensor:
    """Sigmoid cross-entropy in which errors on ones count ``pos_weight`` times."""
    labels, logits = _labels_and_logits(first_given(labels, targets), logits)
    factor = 1.0 + (pos_weight - 1.0) * labels
    tail = graph.apply("log1p", [graph.apply("exp", [-graph.apply("abs", [logits])])])
    return (1.0 - labels) * logits + factor * (tail + graph.apply("relu", [-logits]))


@function("nn.log_poisson_loss")
def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: Any = None) -> Tensor:
    """``exp(log_input) - log_input * targets``.

    Raises:
        ValueError: ``compute_full_loss``.
    """
    if compute_full_loss:
        raise ValueError("tf.nn.log_poisson_loss with compute_full_loss is not supported")
    targets, log_input = tensors(targets, log_input)
    return graph.apply("exp", [log_input]) - log_input * targets


# -- TensorFlow 1's losses: means over all elements whose weight is not 0 ---------------------------------------
def _weighted(loss: Tensor, weights: Any) -> Tensor:
    if isinstance(weights, (int, float)):
        return K.mean(loss) * float(weights)
    weights = tensor(weights, loss.dtype) + K.zeros_like(loss)
    counted = K.sum(graph.cast(graph.apply("not_equal", [weights, 0.0]), loss.dtype))
    return K.sum(loss * weights) / K.maximum(counted, 1.0)


@for_scripts("compat.v1.losses.mean_squared_error")
def mean_squared_error(labels: Any, predictions: Any, weights: Any = 1.0, scope: Any = None) -> Tensor:
    predictions = tensor(predictions)
    return _weighted(K.square(predictions - graph.cast(tensor(labels), predictions.dtype)), weights)


@for_scripts("compat.v1.losses.absolute_difference")
def absolute_difference(labels: Any, predictions: Any, weights: Any = 1.0, scope: Any = None) -> Tensor:
    predictions = tensor(predictions)
    return _weighted(K.abs(predictions - graph.cast(tensor(labels), predictions.dtype)), weights)


@for_scripts("compat.v1.losses.huber_loss")
def huber_loss(labels: Any, predictions: Any, weights: Any = 1.0, delta: float = 1.0, scope: Any = None) -> Tensor:
    predictions = tensor(predictions)
    error = K.abs(predictions - graph.cast(tensor(labels), predictions.dtype))
    inner = K.minimum(error, delta)
    return _weighted(0.5 * inner * inner + delta * (error - inner), weights)


@for_scripts("compat.v1.losses.log_loss")
def log_loss(labels: Any, predictions: Any, weights: Any = 1.0, epsilon: float = 1e-7, scope: Any = None) -> Tensor:
    predictions = tensor(predictions)
    labels = graph.cast(tensor(labels), predictions.dtype)
    loss = -labels * K.log(predictions + epsilon) - (1.0 - labels) * K.log(1.0 - predictions + epsilon)
    return _weighted(loss, weights)


@for_scripts("compat.v1.losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(
    multi_class_labels: Any, logits: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: Any = None
) -> Tensor:
    labels, logits = _labels_and_logits(multi_class_labels, logits)
    labels = graph.cast(labels, logits.dtype) * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return _weighted(sigmoid_cross_entropy_with_logits(labels, logits), weights)


@for_scripts("compat.v1.losses.softmax_cross_entropy")
def softmax_cross_entropy(
    onehot_labels: Any, logits: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: Any = None
) -> Tensor:
    labels, logits = _labels_and_logits(onehot_labels, logits)
    labels = graph.cast(labels, logits.dtype)
    if label_smoothing:
        labels = labels * (1.0 - label_smoothing) + label_smoothing / logits.shape[-1]
    return _weighted(softmax_cross_entropy_with_logits(labels, logits), weights)


@for_scripts("compat.v1.losses.sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(labels: Any, logits: Any, weights: Any = 1.0, scope: Any = None) -> Tensor:
    return _weighted(sparse_softmax_cross_entropy_with_logits(labels, logits), weights)


@for_scripts("compat.v1.losses.cosine_distance")
def cosine_distance(
    labels: Any, predictions: Any, axis: Any = None, weights: Any = 1.0, scope: Any = None, dim: Any = None
) -> Tensor:
    """One less the product over an axis; what comes in is expected to have length 1."""
    predictions = tensor(predictions)
    labels = graph.cast(tensor(labels), predictions.dtype)
    return _weighted(1.0 - K.sum(predictions * labels, axis=first_given(axis, dim), keepdims=True), weights)
