"""``tf.nn``: pools and convolutions of other ranks, CTC, losses by samples, means of losses."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..backend.conv import conv3d_transpose as transposed_3d
from ..backend.conv import pool3d
from ..backend.ctc import ctc_decode
from ..backend.sparse import SparseTensor
from ..graph import Tensor
from . import k as K
from .common import dims, product, tensor, tensors
from .index import gather
from .losses import sigmoid_cross_entropy_with_logits
from .nn import _format, _spatial, avg_pool, conv2d_transpose, max_pool
from .sparse import to_dense
from .table import for_scripts


# -- pools ---------------------------------------------------------------------------------------------------------------
def _pool1d(mode: str) -> Callable:
    def pool(input: Any, ksize: Any, strides: Any, padding: str = "VALID", data_format: Any = "NWC", name: Any = None) -> Tensor:  # fmt: skip
        size, step = (_spatial(n, data_format, 1)[0] for n in (ksize, strides))
        axis = 3 if _format(data_format) == "channels_first" else 2
        x = K.expand_dims(tensor(input), axis)
        return K.squeeze(K.pool2d(x, (size, 1), (step, 1), padding.lower(), _format(data_format), mode), axis)

    return pool


def _pool3d(mode: str) -> Callable:
    def pool(input: Any, ksize: Any, strides: Any, padding: str = "VALID", data_format: Any = "NDHWC", name: Any = None) -> Tensor:  # fmt: skip
        size, steps = (_spatial(n, data_format, 3) for n in (ksize, strides))
        return pool3d(tensor(input), size, steps, padding.lower(), _format(data_format), mode)

    return pool


for _mode in ("max", "avg"):
    for_scripts(f"nn.{_mode}_pool1d")(_pool1d(_mode))
    for_scripts(f"nn.{_mode}_pool3d")(_pool3d(_mode))


@for_scripts("nn.pool")
def pool(
    input: Any, window_shape: Any, pooling_type: str, strides: Any = None, padding: str = "VALID", data_format: Any = None,
    dilations: Any = None, name: Any = None,
) -> Tensor:  # fmt: skip
    """The largest or the mean of windows, in one, two or three dimensions."""
    _refuse_dilations("pool", dilations)
    x = tensor(input)
    kinds = {3: (_pool1d, "NWC"), 4: (None, "NHWC"), 5: (_pool3d, "NDHWC")}
    make, layout = kinds[x.ndim]
    strides = 1 if strides is None else strides
    if make is None:
        pools = max_pool if pooling_type == "MAX" else avg_pool
        return pools(x, window_shape, strides, padding, data_format or layout)
    return make(pooling_type.lower())(x, window_shape, strides, padding, data_format or layout)


def _refuse_dilations(name: str, dilations: Any) -> None:
    if dilations is not None and np.any(np.ravel(dilations) != 1):
        raise ValueError(f"tf.nn.{name} with dilations={dilations} is not supported")


# -- convolutions --------------------------------------------------------------------------------------------------------
@for_scripts("nn.conv1d_transpose")
def conv1d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME", data_format: Any = "NWC",
    dilations: Any = None, name: Any = None,
) -> Tensor:  # fmt: skip
    _refuse_dilations("conv1d_transpose", dilations)
    x, kernel = tensors(input, filters)
    first = _format(data_format) == "channels_first"
    axis, sizes = (3, [*output_shape, 1]) if first else (2, [output_shape[0], output_shape[1], 1, output_shape[2]])
    step = _spatial(strides, data_format, 1)[0]
    y = conv2d_transpose(
        K.expand_dims(x, axis), K.expand_dims(kernel, 1), sizes, (step, 1), padding, "NCHW" if first else "NHWC"
    )
    return K.squeeze(y, axis)


@for_scripts("nn.conv3d_transpose")
def conv3d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME", data_format: Any = "NDHWC",
    dilations: Any = None, name: Any = None,
) -> Tensor:  # fmt: skip
    _refuse_dilations("conv3d_transpose", dilations)
    x, kernel = tensors(input, filters)
    return transposed_3d(
        x, kernel, tuple(output_shape), _spatial(strides, data_format, 3), padding.lower(), _format(data_format)
    )


@for_scripts("nn.atrous_conv2d_transpose")
def atrous_conv2d_transpose(value: Any, filters: Any, output_shape: Any, rate: int, padding: str, name: Any = None) -> Tensor:  # fmt: skip
    return conv2d_transpose(value, filters, output_shape, 1, padding, dilations=rate)


# -- moments ----------------------------------------------------------------------------------------------------------------
@for_scripts("nn.weighted_moments")
def weighted_moments(x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: Any = None) -> tuple:
    """Mean and variance of elements that count by their weights."""
    x, weights = tensors(x, frequency_weights)
    along = [int(a) for a in np.ravel(axes)]
    weights = weights + K.zeros_like(x)
    total = K.sum(weights, axis=along, keepdims=True)
    mean = K.sum(weights * x, axis=along, keepdims=True) / total
    variance = K.sum(weights * K.square(x - mean), axis=along, keepdims=True) / total
    if keepdims:
        return mean, variance
    return tuple(K.sum(t, axis=along, keepdims=False) for t in (mean, variance))


@for_scripts("nn.sufficient_statistics")
def sufficient_statistics(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: Any = None) -> tuple:
    """The number of elements, their sum and that of their squares, less a shift."""
    x = tensor(x)
    along = [int(a) for a in np.ravel(axes)]
    count = graph.cast(tensor(product([dims(x)[a] for a in along])), x.dtype)
    moved = x if shift is None else x - shift
    return (
        count,
        K.sum(moved, axis=along, keepdims=keepdims),
        K.sum(K.square(moved), axis=along, keepdims=keepdims),
        shift,
    )


@for_scripts("nn.normalize_moments")
def normalize_moments(counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: Any = None) -> tuple:
    """Mean and variance of what :func:`sufficient_statistics` gave."""
    moved = mean_ss / counts
    return moved if shift is None else moved + shift, variance_ss / counts - K.square(moved)


@for_scripts("nn.batch_norm_with_global_normalization")
def batch_norm_with_global_normalization(
    input: Any, mean: Any, variance: Any, beta: Any, gamma: Any, variance_epsilon: float, scale_after_normalization: bool,
    name: Any = None,
) -> Tensor:  # fmt: skip
    x, mean, variance, beta = tensors(input, mean, variance, beta)
    y = (x - mean) * graph.apply("rsqrt", [variance + variance_epsilon])
    return y * gamma + beta if scale_after_normalization else y + beta


@for_scripts("nn.max_pool_with_argmax")
def max_pool_with_argmax(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC", output_dtype: Any = "int64",
    include_batch_in_index: bool = False, name: Any = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The largest of each window, and where it was: the number of the element in its image.

    Raises:
        ValueError: the windows do not lie side by side in the image.
    """
    x = tensor(input)
    (high, wide), steps = _spatial(ksize, data_format, 2), _spatial(strides, data_format, 2)
    batch, height, width, channels = dims(x)
    if (high, wide) != steps or height % high or width % wide:
        raise ValueError("tf.nn.max_pool_with_argmax is supported for windows side by side that fill the image")
    rows, columns = height // high, width // wide
    number_of = np.arange(height * width * channels).reshape(height, width, channels)

    def in_windows(t: Tensor, count: Any) -> Tensor:
        t = K.reshape(t, [count, rows, high, columns, wide, channels])
        return K.reshape(K.permute_dimensions(t, (0, 1, 3, 5, 2, 4)), [count, rows, columns, channels, high * wide])

    cells = in_windows(x, batch)
    at = K.argmax(cells, axis=-1)
    chosen = graph.apply("one_hot", [at], depth=high * wide, dtype="float64")
    places = K.sum(chosen * graph.cast(in_windows(graph.constant(number_of), 1), "float64"), axis=-1)
    places = graph.cast(places, str(output_dtype))
    if include_batch_in_index:
        image = K.reshape(K.arange(batch, dtype=str(output_dtype)), [-1, 1, 1, 1])
        places = places + image * (height * width * channels)
    return K.max(cells, axis=-1), places


# -- CTC --------------------------------------------------------------------------------------------------------------------
@for_scripts("nn.ctc_loss", "compat.v1.nn.ctc_loss_v2")
def ctc_loss(
    labels: Any, logits: Any, label_length: Any = None, logit_length: Any = None, logits_time_major: bool = True,
    unique: Any = None, blank_index: Any = None, name: Any = None,
) -> Tensor:  # fmt: skip
    """Minus the logarithm of the probability of each sample's labels, dense or sparse.

    Args:
        logits: (steps, batch, classes), or with ``logits_time_major=False`` (batch, steps, classes).
        blank_index: the class that stands for nothing; the first, or the last where labels are sparse.
    """
    x = tensor(logits)
    x = K.permute_dimensions(x, (1, 0, 2)) if logits_time_major else x
    if isinstance(labels, SparseTensor):
        lengths = K.sum(graph.cast(graph.apply("not_equal", [to_dense(labels, -1), -1]), "int32"), axis=1)
        labels, blank_index = to_dense(labels), -1 if blank_index is None else blank_index
        label_length = lengths if label_length is None else label_length
    targets = graph.cast(tensor(labels), "int32")
    classes = int(x.shape[-1])
    blank = (0 if blank_index is None else int(blank_index)) % classes
    if blank != classes - 1:  # the core's blank is the last class
        order = [*range(blank), *range(blank + 1, classes), blank]
        x = gather(x, np.array(order, "int32"), axis=2)
        targets = targets - graph.cast(graph.apply("greater", [targets, blank]), "int32")
    scores = graph.apply("log_softmax", [x])
    steps = graph.cast(tensor(logit_length), "int32")
    loss, _ = graph.apply("ctc_loss", [scores, targets, steps, graph.cast(tensor(label_length), "int32")])
    return loss


def _decoded(inputs: Any, sequence_length: Any, **how: Any) -> tuple[list[SparseTensor], Tensor]:
    x = K.permute_dimensions(tensor(inputs), (1, 0, 2))
    paths, scores = ctc_decode(K.softmax(x, axis=-1), sequence_length, **how)
    return [SparseTensor.of(path, graph.apply("not_equal", [path, -1])) for path in paths], scores


@for_scripts("nn.ctc_greedy_decoder")
def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: Any = None
) -> tuple:
    """The labels along the best path of logits (steps, batch, classes), as a SparseTensor in a list; and minus its logits' sums."""
    paths, _ = _decoded(inputs, sequence_length, greedy=True)
    best = K.max(tensor(inputs), axis=-1)
    within = K.expand_dims(K.arange(best.shape[0]), 1) < graph.cast(tensor(sequence_length), "int32")
    return paths, -K.sum(best * graph.cast(within, best.dtype), axis=0, keepdims=False)[:, None]


@for_scripts("nn.ctc_beam_search_decoder")
def ctc_beam_search_decoder(inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1) -> tuple:
    """The likeliest labels of logits (steps, batch, classes), as SparseTensors; and their log probabilities."""
    return _decoded(inputs, sequence_length, greedy=False, beam_width=beam_width, top_paths=top_paths)


# -- losses by samples --------------------------------------------------------------------------------------------------------
_Candidates = namedtuple("_Candidates", "sampled_candidates true_expected_count sampled_expected_count")


def _log_uniform(classes: Tensor, count: int) -> Tensor:
    """The probability of classes of which those with small numbers are frequent."""
    x = graph.cast(classes, "float32")
    return (graph.apply("log", [x + 2.0]) - graph.apply("log", [x + 1.0])) / float(np.log(count + 1))


@for_scripts("random.log_uniform_candidate_sampler", "nn.log_uniform_candidate_sampler")
def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None, name: Any = None
) -> _Candidates:
    """Classes drawn with probabilities that fall like 1 / number, and how often each is expected among them.

    With ``unique``, no class is drawn twice: those with the largest sums of logarithm and Gumbel's noise are taken.
    """
    every = K.arange(range_max, dtype="int64")
    noise = -graph.apply("log", [-graph.apply("log", [K.random_uniform([range_max], 1e-20, 1.0, seed=seed)])])
    if unique:
        _, drawn = graph.apply(
            "top_k", [graph.apply("log", [_log_uniform(every, range_max)]) + noise], k=int(num_sampled)
        )
    else:
        share = K.random_uniform([num_sampled], seed=seed) * float(np.log(range_max + 1))
        drawn = K.minimum(graph.apply("floor", [graph.apply("exp", [share])]) - 1.0, float(range_max - 1))
    drawn = graph.cast(drawn, "int64")

    def expected(classes: Tensor) -> Tensor:
        p = _log_uniform(classes, range_max)
        return (
            -graph.apply("expm1", [float(num_sampled) * graph.apply("log1p", [-p])])
            if unique
            else p * float(num_sampled)
        )

    return _Candidates(drawn, expected(tensor(true_classes)), expected(drawn))


@for_scripts("random.uniform_candidate_sampler", "nn.uniform_candidate_sampler")
def uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None, name: Any = None
) -> _Candidates:
    """Classes of which each is as likely as the others."""
    if unique:
        _, drawn = graph.apply("top_k", [K.random_uniform([range_max], seed=seed)], k=int(num_sampled))
    else:
        drawn = graph.apply("floor", [K.random_uniform([num_sampled], seed=seed) * float(range_max)])
    drawn, share = graph.cast(drawn, "int64"), num_sampled / range_max
    classes = graph.cast(tensor(true_classes), "float32")
    return _Candidates(drawn, K.zeros_like(classes) + share, K.zeros_like(graph.cast(drawn, "float32")) + share)


def _sampled_logits(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int, sampled: Any,
    remove_accidental_hits: bool, subtract_log_q: bool, seed: Any,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Logits of the true classes (batch, num_true) and of the drawn ones (batch, num_sampled)."""
    x, table, offsets = tensors(
        inputs, K.concatenate(weights, axis=0) if isinstance(weights, (list, tuple)) else weights, biases
    )
    labels = K.reshape(graph.cast(tensor(labels), "int64"), [-1, num_true])
    if sampled is None:
        sampled = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
    drawn, of_true, of_drawn = (graph.apply("stop_gradient", [tensor(t)]) for t in sampled)
    drawn = graph.cast(drawn, "int64")
    true = K.sum(K.expand_dims(x, 1) * gather(table, labels), axis=-1) + gather(offsets, labels)
    others = graph.apply("matmul", [x, K.permute_dimensions(gather(table, drawn), (1, 0))]) + gather(offsets, drawn)
    if remove_accidental_hits:
        hits = K.any(graph.apply("equal", [K.expand_dims(labels, 2), K.reshape(drawn, [1, 1, -1])]), axis=1)
        others = others + graph.cast(hits, others.dtype) * float(np.finfo("float32").min)
    if subtract_log_q:
        true, others = true - graph.apply("log", [of_true]), others - graph.apply("log", [of_drawn])
    return true, others


@for_scripts("nn.sampled_softmax_loss")
def sampled_softmax_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = True, seed: Any = None, name: Any = None,
) -> Tensor:  # fmt: skip
    """The cross entropy of each sample among its true classes and some that are drawn (Jean et al. 2014), for training."""
    true, others = _sampled_logits(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, True, seed
    )  # fmt: skip
    scores = graph.apply("log_softmax", [K.concatenate([true, others], axis=1)])
    return -K.sum(scores[:, :num_true], axis=1) / float(num_true)


@for_scripts("nn.nce_loss")
def nce_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = False, name: Any = None,
) -> Tensor:  # fmt: skip
    """Noise-contrastive estimation (Gutmann and Hyvärinen 2010): true classes are told from drawn ones one by one."""
    true, others = _sampled_logits(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, True, None
    )  # fmt: skip
    good = sigmoid_cross_entropy_with_logits(labels=K.ones_like(true) / float(num_true), logits=true)
    bad = sigmoid_cross_entropy_with_logits(labels=K.zeros_like(others), logits=others)
    return K.sum(good, axis=1) + K.sum(bad, axis=1)


# -- means of losses --------------------------------------------------------------------------------------------------------
@for_scripts("nn.compute_average_loss")
def compute_average_loss(per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None) -> Tensor:
    """The sum of losses, over the number of samples of all devices."""
    loss = tensor(per_example_loss)
    if sample_weight is not None:
        weight = tensor(sample_weight, loss.dtype)
        loss = loss * K.reshape(weight, [-1] + [1] * (loss.ndim - 1)) if weight.ndim < loss.ndim else loss * weight
    count = graph.shape_of(loss)[0] if global_batch_size is None else tensor(global_batch_size)
    return K.sum(loss) / graph.cast(count, loss.dtype)


@for_scripts("nn.scale_regularization_loss")
def scale_regularization_loss(regularization_loss: Any) -> Tensor:
    return K.sum(tensor(regularization_loss))
