"""``tf.nn``: activations, convolutions, pooling, normalization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import activations, graph
from ..graph import Tensor
from . import k as K
from .common import axes, dims, first_given, tensor, tensors
from .layout import pad as padded
from .table import for_scripts, function


# -- activations ----------------------------------------------------------------------------------------------
def _activation(f: Callable) -> Callable:
    def apply(features: Any, name: Any = None) -> Tensor:
        return f(tensor(features))

    return apply


for _name, _function in (
    ("relu", K.relu), ("relu6", lambda x: K.relu(x, max_value=6.0)), ("elu", K.elu), ("selu", activations.selu),
    ("crelu", lambda x: K.relu(K.concatenate([x, -x]))),
):  # fmt: skip
    function(f"nn.{_name}")(_activation(_function))


@for_scripts("raw_ops.ReluGrad", "python.relu_grad", "python._relu_grad")
def relu_grad(gradients: Any, features: Any, name: Any = None) -> Tensor:
    """``gradients`` where ``features``, a ReLU's input or output, are above zero."""
    return graph.apply("relu_grad", [tensor(gradients), tensor(features)])


@function("nn.silu", "nn.swish")
def silu(features: Any, beta: Any = 1.0, name: Any = None) -> Tensor:
    x = tensor(features)
    return x * K.sigmoid(x * beta)


@function("nn.gelu")
def gelu(features: Any, approximate: bool = False, name: Any = None) -> Tensor:
    return activations.gelu(tensor(features), bool(approximate))


@function("nn.leaky_relu")
def leaky_relu(features: Any, alpha: Any = 0.2, name: Any = None) -> Tensor:
    return K.relu(tensor(features), alpha=alpha)


@function("nn.softmax", "math.softmax")
def softmax(logits: Any, axis: Any = None, name: Any = None, dim: Any = None) -> Tensor:
    return K.softmax(tensor(logits), axis=axes(first_given(axis, dim, -1)))


@function("nn.log_softmax", "math.log_softmax")
def log_softmax(logits: Any, axis: Any = None, name: Any = None, dim: Any = None) -> Tensor:
    x = tensor(logits)
    axis = axes(first_given(axis, dim, -1)) % x.ndim
    order = list(range(x.ndim))
    order[axis], order[-1] = order[-1], order[axis]
    return K.permute_dimensions(graph.apply("log_softmax", [K.permute_dimensions(x, order)]), order)


@function("nn.bias_add")
def bias_add(value: Any, bias: Any, data_format: Any = None, name: Any = None) -> Tensor:
    value, bias = tensors(value, bias)
    return K.bias_add(value, bias, _format(data_format))


@for_scripts("nn.xw_plus_b")
def xw_plus_b(x: Any, weights: Any, biases: Any, name: Any = None) -> Tensor:
    x, weights, biases = tensors(x, weights, biases)
    return graph.apply("matmul", [x, weights]) + biases


@for_scripts("nn.dropout")
def dropout(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: Any = None, name: Any = None, rate: Any = None
) -> Tensor:
    """Always dropping, in training or not. The second argument without a name is TensorFlow 1's, what is kept."""
    if (keep_prob is None) == (rate is None):
        raise ValueError("tf.nn.dropout takes one of rate, keep_prob")
    level = rate if keep_prob is None else 1.0 - keep_prob
    return K.dropout(tensor(x), level, noise_shape, seed)


# -- convolutions ---------------------------------------------------------------------------------------------
def _format(data_format: Any) -> str:
    return "channels_first" if isinstance(data_format, str) and data_format.startswith("NC") else "channels_last"


def _spatial(sizes: Any, data_format: Any, count: int) -> tuple[int, ...]:
    """The sizes of the image's axes out of a number, one for each of them, or one for each axis."""
    if sizes is None:
        return (1,) * count
    sizes = [int(n) for n in np.ravel(sizes)]
    if len(sizes) == 1:
        return (sizes[0],) * count
    if len(sizes) == count:
        return tuple(sizes)
    return tuple(sizes[2:] if _format(data_format) == "channels_first" else sizes[1:-1])


def _pad(x: Tensor, padding: Any) -> tuple[Tensor, str]:
    """x and a padding that is left to do: lists of numbers are done at once."""
    if isinstance(padding, str):
        return x, padding.lower()
    return padded(x, padding), "valid"


@function("nn.conv2d", "nn.convolution")
def conv2d(
    input: Any, filters: Any = None, strides: Any = None, padding: Any = "VALID", use_cudnn_on_gpu: bool = True,
    data_format: Any = "NHWC", dilations: Any = None, name: Any = None, filter: Any = None,
) -> Tensor:  # fmt: skip
    x, kernel = tensors(input, first_given(filters, filter))
    x, padding = _pad(x, padding)
    strides, dilations = (_spatial(n, data_format, 2) for n in (strides, dilations))
    return K.conv2d(x, kernel, strides, padding, _format(data_format), dilations)


@function("nn.atrous_conv2d")
def atrous_conv2d(value: Any, filters: Any, rate: int, padding: Any, name: Any = None) -> Tensor:
    return conv2d(value, filters, 1, padding, dilations=rate)


@function("nn.conv2d_transpose")
def conv2d_transpose(
    input: Any = None, filters: Any = None, output_shape: Any = None, strides: Any = None, padding: Any = "SAME",
    data_format: Any = "NHWC", dilations: Any = None, name: Any = None, value: Any = None, filter: Any = None,
) -> Tensor:  # fmt: skip
    x, kernel = tensors(first_given(input, value), first_given(filters, filter))
    strides, dilations = (_spatial(n, data_format, 2) for n in (strides, dilations))
    return K.conv2d_transpose(x, kernel, output_shape, strides, padding.lower(), _format(data_format), dilations)


@function("nn.depthwise_conv2d", "nn.depthwise_conv2d_native")
def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: Any, rate: Any = None, name: Any = None, data_format: Any = None,
    dilations: Any = None,
) -> Tensor:  # fmt: skip
    x, kernel = tensors(input, filter)
    x, padding = _pad(x, padding)
    dilations = _spatial(first_given(dilations, rate), data_format, 2)
    return K.depthwise_conv2d(x, kernel, _spatial(strides, data_format, 2), padding, _format(data_format), dilations)


@function("nn.separable_conv2d")
def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: Any, rate: Any = None,
    name: Any = None, data_format: Any = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    x = depthwise_conv2d(input, depthwise_filter, strides, padding, rate, name, data_format, dilations)
    return K.conv2d(x, tensor(pointwise_filter, x.dtype), (1, 1), "valid", _format(data_format))


@function("nn.conv1d")
def conv1d(
    input: Any = None, filters: Any = None, stride: Any = 1, padding: Any = "VALID", use_cudnn_on_gpu: bool = True,
    data_format: Any = None, name: Any = None, value: Any = None, dilations: Any = None,
) -> Tensor:  # fmt: skip
    x, kernel = tensors(first_given(input, value), filters)
    stride, dilation = (_spatial(n, data_format, 1)[0] for n in (stride, dilations))
    return K.conv1d(x, kernel, stride, padding.lower(), _format(data_format), dilation)


@function("nn.conv3d")
def conv3d(
    input: Any, filters: Any = None, strides: Any = None, padding: Any = "VALID", data_format: Any = "NDHWC",
    dilations: Any = None, name: Any = None, filter: Any = None,
) -> Tensor:  # fmt: skip
    x, kernel = tensors(input, first_given(filters, filter))
    x, padding = _pad(x, padding)
    strides, dilations = (_spatial(n, data_format, 3) for n in (strides, dilations))
    return K.conv3d(x, kernel, strides, padding, _format(data_format), dilations)


def _pool(mode: str) -> Callable:
    def pool(
        input: Any = None, ksize: Any = None, strides: Any = None, padding: Any = "VALID", data_format: Any = "NHWC",
        name: Any = None, value: Any = None,
    ) -> Tensor:  # fmt: skip
        size, steps = (_spatial(n, data_format, 2) for n in (ksize, strides))
        return K.pool2d(tensor(first_given(input, value)), size, steps, padding.lower(), _format(data_format), mode)

    return pool


max_pool = function("nn.max_pool", "nn.max_pool2d")(_pool("max"))
avg_pool = function("nn.avg_pool", "nn.avg_pool2d")(_pool("avg"))


# -- normalization ----------------------------------------------------------------------------------------------
@function("nn.batch_normalization")
def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float, name: Any = None
) -> Tensor:
    x, mean, variance = tensors(x, mean, variance)
    offset, scale = (p if p is None else tensor(p, x.dtype) for p in (offset, scale))
    return K.batch_normalization(x, mean, variance, offset, scale, epsilon=variance_epsilon)


@function("nn.local_response_normalization", "nn.lrn")
def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5, name: Any = None
) -> Tensor:
    """x, divided by a power of the squares of the channels within ``depth_radius`` (Krizhevsky et al., 2012)."""
    x = tensor(input)
    radius = int(depth_radius)
    # Sums over neighbouring channels are a product with a band of ones.
    distance = np.subtract.outer(np.arange(_channels(x)), np.arange(_channels(x)))
    band = graph.constant((np.abs(distance) <= radius).astype(x.dtype))
    near = graph.apply("matmul", [K.square(x), band])
    return x * (bias + alpha * near) ** -beta


def _channels(x: Tensor) -> int:
    if x.shape[-1] is None:
        raise ValueError(f"the number of channels has to be known, got shape {x.shape}")
    return x.shape[-1]


@function("image.extract_patches", "extract_image_patches", "image.extract_image_patches")
def extract_patches(
    images: Any, sizes: Any = None, strides: Any = None, rates: Any = None, padding: str = "VALID", name: Any = None,
    ksizes: Any = None,
) -> Tensor:  # fmt: skip
    """Windows of an image, row by row in the channels: a depthwise convolution with a kernel for each cell."""
    x = tensor(images)
    channels = _channels(x)
    height, width = _spatial(first_given(sizes, ksizes), "NHWC", 2)
    cells = np.eye(height * width, dtype=x.dtype).reshape(height, width, 1, height * width)
    kernel = graph.constant(np.ascontiguousarray(np.broadcast_to(cells, (height, width, channels, height * width))))
    strides, rates = (_spatial(n, "NHWC", 2) for n in (strides, rates))
    y = K.depthwise_conv2d(x, kernel, strides, padding.lower(), "channels_last", rates)
    sizes_out = dims(y)[:3]
    y = K.reshape(y, [*sizes_out, channels, height * width])
    return K.reshape(K.permute_dimensions(y, [0, 1, 2, 4, 3]), [*sizes_out, channels * height * width])
