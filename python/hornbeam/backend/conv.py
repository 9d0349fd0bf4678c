"""Convolution, pooling and biases. Ops are channels-last; ``channels_first`` is transposes around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import graph
from ..graph import Tensor, as_integer
from .common import normalize_data_format
from .shapes import dims_of, expand_dims, permute_dimensions, reshape, squeeze, temporal_padding
from .variables import int_shape


def _channels_last(x: Tensor, data_format: str | None, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Run ``function`` on x with the channels last, and give the result in x's own layout."""
    if normalize_data_format(data_format) == "channels_last":
        return function(x)
    n = x.ndim
    y = function(permute_dimensions(x, [0, *range(2, n), 1]))
    return permute_dimensions(y, [0, n - 1, *range(1, n - 1)])


def _padding(padding: str) -> str:
    if padding not in ("same", "valid"):
        raise ValueError(f"Invalid padding: {padding}")
    return padding


def _pair(value: Any) -> list[int]:
    return [as_integer(v, "a size or stride") for v in ([value] * 2 if isinstance(value, int) else value)]


# -- one axis: an image of height 1 -------------------------------------------------------------------------
def conv1d(
    x: Tensor,
    kernel: Tensor,
    strides: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int = 1,
) -> Tensor:
    """1-D convolution.

    Args:
        x: (batch, steps, channels), or (batch, channels, steps) for ``channels_first``.
        kernel: (width, channels in, channels out).
        padding: ``'valid'``, ``'same'``, or ``'causal'``: step t sees nothing after t.
    """
    strides, dilation_rate = _single(strides), _single(dilation_rate)

    def run(t: Tensor) -> Tensor:
        t, mode = _causal(t, padding, int_shape(kernel)[0], dilation_rate)
        y = conv2d(expand_dims(t, 1), expand_dims(kernel, 0), (1, strides), mode, "channels_last", (1, dilation_rate))
        return squeeze(y, 1)

    return _channels_last(x, data_format, run)


def _single(value: Any) -> int:
    return as_integer(value if isinstance(value, int) else value[0], "a size or stride")


def _causal(x: Tensor, padding: str, width: int, dilation: int) -> tuple[Tensor, str]:
    if padding != "causal":
        return x, _padding(padding)
    return temporal_padding(x, (dilation * (width - 1), 0)), "valid"


def separable_conv1d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int = 1,
) -> Tensor:
    """A depthwise 1-D convolution, then one of width 1 that mixes channels.

    Args:
        depthwise_kernel: (width, channels in, multiplier).
        pointwise_kernel: (1, channels in * multiplier, channels out).
    """
    strides, dilation_rate = _single(strides), _single(dilation_rate)

    def run(t: Tensor) -> Tensor:
        t, mode = _causal(t, padding, int_shape(depthwise_kernel)[0], dilation_rate)
        y = separable_conv2d(
            expand_dims(t, 1),
            expand_dims(depthwise_kernel, 0),
            expand_dims(pointwise_kernel, 0),
            (1, strides),
            mode,
            "channels_last",
            (1, dilation_rate),
        )
        return squeeze(y, 1)

    return _channels_last(x, data_format, run)


# -- images -----------------------------------------------------------------------------------------------
def conv2d(
    x: Tensor,
    kernel: Tensor,
    strides: Sequence[int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sequence[int] = (1, 1),
) -> Tensor:
    """2-D convolution.

    Args:
        x: (batch, height, width, channels), or channels before height for ``channels_first``.
        kernel: (height, width, channels in, channels out).
        padding: ``'valid'`` or ``'same'``.
    """
    attrs = {"strides": _pair(strides), "dilation": _pair(dilation_rate), "padding": _padding(padding)}
    return _channels_last(x, data_format, lambda t: _conv("conv2d", t, kernel, attrs))


def _conv(op: str, x: Tensor, kernel: Tensor, attrs: dict) -> Tensor:
    return graph.apply(op, [x, kernel, None], **attrs)


def conv2d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Sequence[int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sequence[int] = (1, 1),
) -> Tensor:
    """The gradient of a convolution with respect to its input, as a layer: it enlarges.

    Args:
        kernel: (height, width, channels out, channels in).
        output_shape: of the result, batch included, in x's layout; entries may be scalar tensors, the batch None.
    """
    attrs = {"strides": _pair(strides), "dilation": _pair(dilation_rate), "padding": _padding(padding)}
    return _transposed("conv2d", x, kernel, output_shape, data_format, attrs)


def _transposed(op: str, x: Tensor, kernel: Tensor, output_shape: Any, data_format: str | None, attrs: dict) -> Tensor:
    shape = [output_shape[i] for i in range(x.ndim)]
    shape[0] = dims_of(x)[0] if shape[0] is None else shape[0]
    if normalize_data_format(data_format) == "channels_first":
        shape = [shape[0], *shape[2:], shape[1]]
    target = graph.shape_tensor(shape)
    return _channels_last(x, data_format, lambda t: graph.apply(f"{op}_input_grad", [t, kernel, target], **attrs))


def depthwise_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    strides: Sequence[int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sequence[int] = (1, 1),
) -> Tensor:
    """Convolve each channel with filters of its own: kernel (height, width, channels in, multiplier)."""
    attrs = {"strides": _pair(strides), "dilation": _pair(dilation_rate), "padding": _padding(padding)}
    return _channels_last(x, data_format, lambda t: _conv("depthwise_conv2d", t, depthwise_kernel, attrs))


def separable_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Sequence[int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sequence[int] = (1, 1),
) -> Tensor:
    """A depthwise convolution, then a 1 × 1 convolution that mixes channels."""
    depthwise = {"strides": _pair(strides), "dilation": _pair(dilation_rate), "padding": _padding(padding)}
    pointwise = {"strides": [1, 1], "dilation": [1, 1], "padding": "valid"}

    def run(t: Tensor) -> Tensor:
        return _conv("conv2d", _conv("depthwise_conv2d", t, depthwise_kernel, depthwise), pointwise_kernel, pointwise)

    return _channels_last(x, data_format, run)


def pool2d(
    x: Tensor,
    pool_size: Sequence[int],
    strides: Sequence[int] = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Maximum (``'max'``) or mean (``'avg'``) over windows of an image; padding does not count in means.

    Raises:
        ValueError: another pool_mode or padding.
    """
    attrs = {"size": _pair(pool_size), "strides": _pair(strides), "padding": _padding(padding)}
    op = _pool_op(pool_mode)
    return _channels_last(x, data_format, lambda t: graph.apply(op, [t], **attrs))


def _pool_op(pool_mode: str) -> str:
    if pool_mode not in ("max", "avg"):
        raise ValueError(f"Invalid pooling mode: {pool_mode}")
    return f"{pool_mode}_pool2d"


# -- volumes ------------------------------------------------------------------------------------------------
def _triple(value: Any) -> list[int]:
    return [as_integer(v, "a size or stride") for v in ([value] * 3 if isinstance(value, int) else value)]


def conv3d(
    x: Tensor,
    kernel: Tensor,
    strides: Sequence[int] = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sequence[int] = (1, 1, 1),
) -> Tensor:
    """3-D convolution.

    Args:
        x: (batch, depth, height, width, channels), or channels before depth for ``channels_first``.
        kernel: (depth, height, width, channels in, channels out).
        padding: ``'valid'`` or ``'same'``.
    """
    attrs = {"strides": _triple(strides), "dilation": _triple(dilation_rate), "padding": _padding(padding)}
    return _channels_last(x, data_format, lambda t: _conv("conv3d", t, kernel, attrs))


def conv3d_transpose(
    x: Tensor,
    kernel: Tensor,
    output_shape: Any,
    strides: Sequence[int] = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The gradient of a 3-D convolution with respect to its input, as a layer: it enlarges.

    Args:
        kernel: (depth, height, width, channels out, channels in).
        output_shape: of the result, batch included, in x's layout; entries may be scalar tensors, the batch None.
    """
    attrs = {"strides": _triple(strides), "dilation": [1, 1, 1], "padding": _padding(padding)}
    return _transposed("conv3d", x, kernel, output_shape, data_format, attrs)


def pool3d(
    x: Tensor,
    pool_size: Sequence[int],
    strides: Sequence[int] = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Maximum or mean over windows of a volume: windows are boxes, so images first and the depth after them."""
    size, strides, padding, op = _triple(pool_size), _triple(strides), _padding(padding), _pool_op(pool_mode)

    def run(t: Tensor) -> Tensor:
        batch, depth, *image = dims_of(t)
        y = graph.apply(op, [reshape(t, [-1, *image])], size=size[1:], strides=strides[1:], padding=padding)
        _, height, width, channels = dims_of(y)
        y = reshape(y, [batch, depth, height * width, channels])
        y = graph.apply(op, [y], size=[size[0], 1], strides=[strides[0], 1], padding=padding)
        return reshape(y, [batch, dims_of(y)[1], height, width, channels])

    return _channels_last(x, data_format, run)


# -- unshared kernels ---------------------------------------------------------------------------------------
def local_conv1d(
    inputs: Tensor, kernel: Tensor, kernel_size: Sequence[int], strides: Sequence[int], data_format: str | None = None
) -> Tensor:
    """1-D convolution with another kernel at each step.

    Args:
        inputs: (batch, steps, channels).
        kernel: (steps out, width * channels, filters).

    Returns:
        (batch, steps out, filters).
    """
    places, attrs = int_shape(kernel)[0], {"kernel": [1, kernel_size[0]], "strides": [1, strides[0]]}

    def run(t: Tensor) -> Tensor:
        return squeeze(graph.apply("local_conv2d", [expand_dims(t, 1), kernel], places=[1, places], **attrs), 1)

    return _channels_last(inputs, data_format, run)


def local_conv2d(
    inputs: Tensor,
    kernel: Tensor,
    kernel_size: Sequence[int],
    strides: Sequence[int],
    output_shape: Sequence[int],
    data_format: str | None = None,
) -> Tensor:
    """2-D convolution with another kernel at each place.

    Args:
        inputs: (batch, height, width, channels), or channels first.
        kernel: (rows out * columns out, kernel height * kernel width * channels, filters); its middle axis has
            the inputs' own order of axes.
        output_shape: (rows out, columns out).
    """
    attrs = {"kernel": _pair(kernel_size), "strides": _pair(strides), "places": _pair(output_shape)}
    if normalize_data_format(data_format) == "channels_first":
        places, cells, filters = int_shape(kernel)
        height, width = attrs["kernel"]
        windows = reshape(kernel, [places, cells // (height * width), height, width, filters])
        kernel = reshape(permute_dimensions(windows, [0, 2, 3, 1, 4]), [places, cells, filters])
    return _channels_last(inputs, data_format, lambda t: graph.apply("local_conv2d", [t, kernel], **attrs))


# -- biases -------------------------------------------------------------------------------------------------
def bias_add(x: Tensor, bias: Tensor, data_format: str | None = None) -> Tensor:
    """Add a bias to the channels of x.

    Args:
        bias: a vector with an entry per channel, or a tensor of x's rank less one, channels last. In
            ``channels_first`` it is reshaped, not transposed, to the channels first, as the weights of Keras 2 expect.

    Raises:
        ValueError: a bias of another rank, or for another number of channels.
    """
    data_format = normalize_data_format(data_format)
    if bias.ndim not in (1, x.ndim - 1):
        raise ValueError(f"Unexpected bias dimensions {bias.ndim}, expect to be 1 or {x.ndim - 1} dimensions")
    channels = x.shape[1 if data_format == "channels_first" else -1]
    if None not in (channels, bias.shape[-1]) and channels != bias.shape[-1]:
        raise ValueError(f"a bias for {bias.shape[-1]} channels does not fit {data_format} data of shape {x.shape}")
    if x.ndim == 2:
        return x + bias
    if bias.ndim > 1 and data_format == "channels_first":
        dims = dims_of(bias)
        return x + reshape(bias, [1, dims[-1], *dims[:-1]])
    return _channels_last(x, data_format, lambda t: t + bias)
