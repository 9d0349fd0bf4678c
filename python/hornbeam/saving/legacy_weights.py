"""Weights of older Keras versions and other backends, put into the order and layout of Keras 2.3.1.

One function per kind of layer: from the layer and its arrays in the file to the arrays it has now.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..utils.conv_utils import convert_kernel

_Arrays = list[np.ndarray]


def preprocess_weights_for_loading(layer, weights, original_keras_version=None, original_backend=None, reshape=False):
    """Return the arrays that ``layer`` takes for those found in a file.

    Args:
        layer: the layer that gets them.
        weights: the arrays, as stored.
        original_keras_version, original_backend: who wrote them.
        reshape: whether convolution kernels with the right number of elements may be reshaped.
    """

    def again(inner: Any, arrays: _Arrays) -> _Arrays:
        return preprocess_weights_for_loading(inner, arrays, original_keras_version, original_backend, reshape)

    kind = type(layer).__name__
    if kind == "Bidirectional":
        half = len(weights) // 2
        weights = again(layer.forward_layer, weights[:half]) + again(layer.backward_layer, weights[half:])
    elif kind == "TimeDistributed":
        weights = again(layer.layer, weights)
    elif getattr(layer, "_is_graph_network", False):
        weights = _nested(layer, weights, again)
    if original_keras_version == "1" and kind in _FROM_KERAS_1:
        weights = _FROM_KERAS_1[kind](layer, list(weights))
    if kind in _CONVOLUTIONS and weights:
        weights = _convolution(layer, list(weights), original_backend, reshape)
    return convert_rnn_weights(layer, weights)


def _nested(model: Any, weights: _Arrays, again: Callable) -> _Arrays:
    """A nested model is stored flat, in the order of its weights: of each run of one layer's, what that layer takes."""
    owners = {id(weight): layer for layer in model.layers for weight in layer.weights}
    converted: _Arrays = []
    for layer, run in itertools.groupby(model.weights, lambda weight: owners.get(id(weight))):
        arrays, weights = weights[: (count := len(list(run)))], weights[count:]
        converted += again(layer, arrays) if layer is not None else arrays
    return converted + list(weights)


# -- Keras 1 --------------------------------------------------------------------------------------------
def _conv1d(layer: Any, weights: _Arrays) -> _Arrays:
    """(length, 1, input, filters), or before 1.1 (filters, input, length, 1)."""
    kernel = weights[0]
    if kernel.ndim == 4:
        if kernel.shape[:2] != (layer.kernel_size[0], 1) or kernel.shape[3] != layer.filters:
            if kernel.shape[0] != layer.filters or kernel.shape[2:] != (layer.kernel_size[0], 1):
                raise ValueError(f"Layer {layer.name}: a Conv1D kernel of shape {kernel.shape} is of no known version.")
            kernel = np.transpose(kernel, (2, 3, 1, 0))
        weights[0] = kernel[:, 0, :, :]
    return weights


def _kernel_axes(*axes_first: int) -> Callable:
    """Move the axes of the first array, where the layer's data format is ``channels_first``."""

    def convert(layer: Any, weights: _Arrays) -> _Arrays:
        if layer.data_format == "channels_first":
            weights[0] = np.transpose(weights[0], axes_first)
        return weights

    return convert


def _conv2d_transpose(layer: Any, weights: _Arrays) -> _Arrays:
    axes = (0, 1, 3, 2) if layer.data_format == "channels_last" else (2, 3, 0, 1)
    weights[0] = np.transpose(weights[0], axes)
    return weights


def _gates(order: tuple[int, ...]) -> Callable:
    """Keras 1 had kernel, recurrent kernel and bias of each gate apart; ``order`` says which gate comes when."""

    def convert(layer: Any, weights: _Arrays) -> _Arrays:
        if len(weights) != 3 * len(order):
            return weights
        merged = [np.concatenate([weights[3 * gate + i] for gate in order], axis=-1) for i in range(3)]
        if type(layer).__name__ == "ConvLSTM2D" and layer.data_format == "channels_first":
            merged[:2] = [np.transpose(kernel, (2, 3, 1, 0)) for kernel in merged[:2]]
        return merged

    return convert


_FROM_KERAS_1: dict[str, Callable] = {
    "Conv1D": _conv1d,
    "Conv2D": _kernel_axes(2, 3, 1, 0),
    "Conv2DTranspose": _conv2d_transpose,
    "Conv3D": _kernel_axes(2, 3, 4, 1, 0),
    "GRU": _gates((0, 1, 2)),
    "LSTM": _gates((0, 2, 1, 3)),  # Keras 1 had input, cell, forget, output
    "ConvLSTM2D": _gates((0, 2, 1, 3)),
}

# -- convolutions -----------------------------------------------------------------------------------------
_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")


def _convolution(layer: Any, weights: _Arrays, backend: str | None, reshape: bool) -> _Arrays:
    kernels = 2 if type(layer).__name__ == "ConvLSTM2D" else 1
    if backend == "theano":  # which convolves with the kernel flipped
        weights[:kernels] = [convert_kernel(kernel) for kernel in weights[:kernels]]
    shape = tuple(layer.weights[0].shape)
    if weights[0].shape == shape:
        return weights
    if reshape:
        if weights[0].size != np.prod(shape):
            raise ValueError(
                f"Weights must be of equal size to apply a reshape operation. Layer {layer.name}'s weights have shape "
                f"{shape} and size {np.prod(shape)}. The weights for loading have shape {weights[0].shape} and size "
                f"{weights[0].size}."
            )
        weights[0] = weights[0].reshape(shape)
    elif weights[0].ndim == 4:
        weights[:kernels] = [np.transpose(kernel, (3, 2, 0, 1)) for kernel in weights[:kernels]]
    return weights


# -- recurrent layers for cuDNN -----------------------------------------------------------------------------
def convert_rnn_weights(layer: Any, weights: _Arrays) -> _Arrays:
    """Convert between the layouts of LSTM and CuDNNLSTM, and of GRU (reset_after) and CuDNNGRU.

    cuDNN keeps each gate's kernels transposed and has two biases, one for the input and one for the recurrence.

    Raises:
        ValueError: a GRU without ``reset_after`` computes something else than CuDNNGRU.
    """
    kind = type(layer).__name__
    if kind not in ("LSTM", "CuDNNLSTM", "GRU", "CuDNNGRU") or len(weights) != 3:
        return weights
    gates = 4 if kind.endswith("LSTM") else 3
    units, bias = weights[1].shape[0], weights[2].shape
    if gates == 4:
        source = {(2 * units * 4,): "CuDNNLSTM", (units * 4,): "LSTM"}.get(bias)
        if source is None:
            raise ValueError(f"Invalid bias shape of layer {layer.name}: {bias}")
        if source == kind:
            return weights
        summed = weights[2].reshape(2, -1).sum(axis=0) if kind == "LSTM" else np.tile(0.5 * weights[2], 2)
        return [*_transposed_gates(weights, gates, from_cudnn=kind == "LSTM"), summed]
    source = {
        (2 * units * 3,): "CuDNNGRU",
        (2, units * 3): "GRU(reset_after=True)",
        (units * 3,): "GRU(reset_after=False)",
    }.get(bias)
    target = kind if kind == "CuDNNGRU" else f"GRU(reset_after={bool(layer.reset_after)})"
    if source is None:
        raise ValueError(f"Invalid bias shape of layer {layer.name}: {bias}")
    if source == target:
        return weights
    if "GRU(reset_after=False)" in (source, target):
        raise ValueError(f"Layer {layer.name}: {source} is not compatible with {target}")
    from_cudnn = source == "CuDNNGRU"
    return [
        *_transposed_gates(weights, gates, from_cudnn),
        weights[2].reshape((2, -1) if from_cudnn else -1),
    ]


def _transposed_gates(weights: _Arrays, gates: int, from_cudnn: bool) -> _Arrays:
    order = "F" if from_cudnn else "C"
    kernel = np.hstack([k.T.reshape(k.shape, order=order) for k in np.hsplit(weights[0], gates)])  # type: ignore[call-overload]
    recurrent = np.hstack([k.T for k in np.hsplit(weights[1], gates)])
    return [kernel, recurrent]
