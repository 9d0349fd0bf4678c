"""Building blocks of networks: activations, dropout, cross-entropies, normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import graph
from ..graph import Tensor
from . import math
from .axes import axis_of, normalize_axes
from .common import epsilon as fuzz
from .creation import arange, zeros_like
from .random import new_seed
from .shapes import dims_of, expand_dims, flatten, permute_dimensions, reshape


# -- activations ------------------------------------------------------------------------------------------
def relu(x: Tensor, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """Rectified linear unit: x above ``threshold``, ``alpha * (x - threshold)`` from there down.

    With ``max_value``, what lies above the threshold is limited to [0, max_value]; that shows where the threshold is
    negative.
    """
    sloped = isinstance(alpha, Tensor) or alpha != 0
    if sloped and threshold == 0 and max_value is None:
        return graph.as_one_op("leaky_relu", x, math.where(math.greater(x, 0.0), x, alpha * x))
    above = graph.apply("relu", [x]) if threshold == 0 else math.where(math.greater(x, threshold), x, 0.0)
    if max_value is not None:
        limited = math.minimum(graph.apply("relu", [above]), max_value)
        above = graph.as_one_op("relu6", x, limited) if max_value == 6 and threshold == 0 else limited
    return above - alpha * graph.apply("relu", [threshold - x]) if sloped else above


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x above zero, ``alpha * (exp(x) - 1)`` below."""
    return graph.apply("elu", [x], alpha=float(alpha))


def selu(x: Tensor) -> Tensor:
    """Scaled ELU, which keeps mean 0 and variance 1."""
    return graph.apply("selu", [x])


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """exp(x), scaled so that it sums to 1 over ``axis``."""
    return _on_last_axis(lambda t: graph.apply("softmax", [t]), x, axis)


def _on_last_axis(function: Any, x: Tensor, axis: int) -> Tensor:
    x = graph.convert(x)
    axis = axis_of(x, axis)
    if axis == x.ndim - 1:
        return function(x)
    order = list(range(x.ndim))
    order[axis], order[-1] = order[-1], order[axis]
    return permute_dimensions(function(permute_dimensions(x, order)), order)


def softplus(x: Tensor) -> Tensor:
    """``log(1 + exp(x))``."""
    return graph.apply("softplus", [x])


def softsign(x: Tensor) -> Tensor:
    """``x / (1 + abs(x))``."""
    return graph.apply("softsign", [x])


def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return graph.apply("sigmoid", [x])


def hard_sigmoid(x: Tensor) -> Tensor:
    """``0.2 * x + 0.5``, limited to [0, 1]."""
    return graph.apply("hard_sigmoid", [x])


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return graph.apply("tanh", [x])


# -- dropout ----------------------------------------------------------------------------------------------
def dropout(x: Tensor, level: float, noise_shape: Any = None, seed: int | None = None) -> Tensor:
    """Set a random fraction ``level`` of x to zero and scale the rest, so that the mean stays.

    Args:
        noise_shape: shape of the mask, which is broadcast; None in it takes x's dim.

    Raises:
        ValueError: level is not in [0, 1).
    """
    if not 0 <= level < 1:
        raise ValueError(f"Invalid dropout rate: {level}. Expected a number in [0, 1).")
    if level == 0:
        return graph.convert(x)
    if noise_shape is None:
        noise_shape = graph.shape_of(x)
    elif not isinstance(noise_shape, Tensor):
        noise_shape = [dim if n is None else n for n, dim in zip(noise_shape, dims_of(x))]
    mask = graph.apply(
        "random_bernoulli",
        [graph.shape_tensor(noise_shape)],
        p=1.0 - level,
        scale=1.0 / (1.0 - level),
        seed=new_seed() if seed is None else graph.as_integer(seed, "`seed`"),
        dtype=x.dtype,
    )
    return x * mask


# -- cross-entropies --------------------------------------------------------------------------------------
def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    """``-sum(target * log(output))`` over ``axis``.

    Probabilities that come straight out of a softmax are replaced by its input, which is exact; others are scaled
    to sum 1 and limited to [epsilon, 1 - epsilon].

    Raises:
        ValueError: the axis does not exist.
    """
    axis = _class_axis(output, axis)
    logits = output if from_logits else _argument_of("softmax", output)
    if logits is None:
        output = output / math.sum(output, axis, keepdims=True)
        output = math.clip(output, fuzz(), 1.0 - fuzz())
        return -math.sum(target * math.log(output), axis)
    logits, target = _axis_to_end(logits, axis), _axis_to_end(graph.cast(target, output.dtype), axis)
    return graph.apply("softmax_cross_entropy", [logits, target])[0]


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Tensor:
    """:func:`categorical_crossentropy` with class numbers (of any dtype) in place of one-hot rows.

    ``target`` has output's shape without ``axis``; one more axis of length 1 does no harm.

    Args:
        ignore_class: where this is the target, the result is 0, and its mask, which means over it go by, says so.
    """
    axis = _class_axis(output, axis)
    logits = output if from_logits else _argument_of("softmax", output)
    if logits is None:
        logits = math.log(math.clip(output, fuzz(), 1.0 - fuzz()))
    logits = _axis_to_end(logits, axis)
    dims = dims_of(logits)
    labels = graph.cast(flatten(target), "int64")
    counts = None
    if ignore_class is not None:
        counts = math.not_equal(labels, ignore_class)
        labels = graph.apply("select", [counts, labels, zeros_like(labels)])
    loss, _ = graph.apply("sparse_softmax_cross_entropy", [reshape(logits, [-1, dims[-1]]), labels])
    if counts is not None:
        loss = graph.apply("select", [counts, loss, zeros_like(loss)])
    loss = loss if logits.ndim == 2 else reshape(loss, dims[:-1])
    if counts is not None:
        loss._keras_mask = counts if logits.ndim == 2 else reshape(counts, dims[:-1])
    return loss


def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """``-(target * log(output) + (1 - target) * log(1 - output))``, element by element.

    Probabilities straight out of a sigmoid are replaced by its input, others limited to [epsilon, 1 - epsilon].
    """
    logits = output if from_logits else _argument_of("sigmoid", output)
    if logits is None:
        output = math.clip(output, fuzz(), 1.0 - fuzz())
        # 2.3.1 adds epsilon once more, although the clipped values are safe; its losses show it.
        return -(target * math.log(output + fuzz()) + (1.0 - target) * math.log(1.0 - output + fuzz()))
    tail = graph.apply("log1p", [math.exp(-math.abs(logits))])
    return graph.apply("relu", [logits]) - logits * target + tail


def _argument_of(op: str, output: Tensor) -> Tensor | None:
    return output.op.inputs[0] if isinstance(output, Tensor) and output.op.op == op else None


def _class_axis(output: Tensor, axis: int) -> int:
    if not -output.ndim <= axis < output.ndim:
        raise ValueError(
            f"Unexpected channels axis {axis}. Expected to be -1 or one of the axes of `output`, "
            f"which has {output.ndim} dimensions."
        )
    return axis % output.ndim


def _axis_to_end(x: Tensor, axis: int) -> Tensor:
    return permute_dimensions(x, [a for a in range(x.ndim) if a != axis] + [axis])


def in_top_k(predictions: Tensor, targets: Tensor, k: int) -> Tensor:
    """Whether each row's target class is among its k largest predictions; a bool vector.

    Ties count in the target's favour; a row with a prediction that is not finite gives False, as does a target that is
    not a class.

    Args:
        predictions: (batch, classes).
        targets: integers (batch,).

    Raises:
        ValueError: other shapes.
    """
    if targets.ndim != 1 or predictions.ndim != 2:
        raise ValueError(
            "`K.in_top_k` expects predictions of shape (batch, classes) and targets of shape (batch,), "
            f"got {predictions.shape} and {targets.shape}."
        )
    classes = arange(dims_of(predictions)[1], dtype="int64")
    chosen = math.equal(classes, expand_dims(graph.cast(targets, "int64"), 1))
    score = math.max(math.where(chosen, predictions, -float("inf")), axis=1, keepdims=True)
    larger = math.sum(graph.cast(math.greater(predictions, score), "int32"), axis=1)
    finite = math.all(math.is_finite(graph.apply("concat", [predictions, score], axis=1)), axis=1)
    return graph.apply("logical_and", [math.less(larger, graph.as_integer(k, "`k`")), finite])


# -- normalization ----------------------------------------------------------------------------------------
def l2_normalize(x: Tensor, axis: Any = None) -> Tensor:
    """Scale to length 1 over ``axis``; squared lengths below 1e-12 count as 1e-12."""
    length = math.maximum(math.sum(math.square(x), axis, keepdims=True), 1e-12)
    return x * graph.apply("rsqrt", [length])


def normalize_batch_in_training(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalize x by its own mean and variance over ``reduction_axes``.

    Returns:
        (normalized x, mean, variance divided by N); mean and variance have x's shape without the reduced axes.
    """
    reduced = normalize_axes(x, list(reduction_axes))
    kept = [a for a in range(x.ndim) if a not in reduced]
    if len(kept) == 1:
        order = [*reduced, *kept]
        channels = [None if p is None else flatten(p) for p in (gamma, beta)]
        y, mean, var, _ = graph.apply("batch_norm", [permute_dimensions(x, order), *channels], epsilon=float(epsilon))
        return permute_dimensions(y, [order.index(a) for a in range(x.ndim)]), mean, var
    mean = math.mean(x, reduced, keepdims=True)
    var = math.mean(math.square(x - mean), reduced, keepdims=True)
    gamma, beta = (None if p is None else reshape(p, dims_of(mean)) for p in (gamma, beta))
    y = batch_normalization(x, mean, var, beta, gamma, epsilon=epsilon)
    mean, var = (graph.apply("squeeze", [t], axes=reduced) if reduced else t for t in (mean, var))
    return y, mean, var


def batch_normalization(
    x: Tensor,
    mean: Tensor,
    var: Tensor,
    beta: Tensor | None,
    gamma: Tensor | None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Tensor:
    """``(x - mean) / sqrt(var + epsilon) * gamma + beta``.

    The statistics are vectors along ``axis``, or broadcast against x. It is computed as ``x * scale + shift``: scale
    and shift depend on weights alone, so that they are computed once and can be folded into a convolution.
    """
    scale = graph.apply("rsqrt", [var + epsilon])
    if gamma is not None:
        scale = scale * gamma
    shift = -mean * scale
    if beta is not None:
        shift = shift + beta
    axis = axis_of(x, axis)
    if scale.ndim == 1 and axis != x.ndim - 1:
        order = [a for a in range(x.ndim) if a != axis] + [axis]
        y = permute_dimensions(x, order) * scale + shift
        return permute_dimensions(y, [order.index(a) for a in range(x.ndim)])
    return x * scale + shift
