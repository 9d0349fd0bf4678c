"""Convolutions whose kernel differs from place to place."""

from __future__ import annotations

import math

import numpy as np

from .. import backend as K
from ..engine.base_layer import InputSpec
from ..legacy import interfaces
from ..utils.generic_utils import transpose_shape
from .conv_base import _Conv
from .options import add_weight, arguments


class _LocallyConnected(_Conv):
    """A convolution with another kernel at each place.

    Args:
        padding: ``'valid'``; with ``implementation=2`` also ``'same'``.
        implementation: 1 multiplies each window by its kernel. 2, an addition of tf.keras, is one product of the whole
            input with a matrix that is zero outside the windows: faster for small inputs, and large.

    Weights: kernel, bias (output lengths..., filters). The kernel is (places, window * channels in, filters), or with
    ``implementation=2`` (input lengths..., channels in, output lengths..., filters), with the channels before the
    lengths for ``channels_first``.
    """

    def __init__(self, rank, padding, implementation, **kwargs):
        if rank == 1 and kwargs["data_format"] is None:
            kwargs["data_format"] = "channels_last"  # whatever images have, as in the other layers of sequences
        if implementation not in (1, 2):
            raise ValueError(f"`implementation` of {type(self).__name__} is 1 or 2, not {implementation!r}.")
        super().__init__(rank, padding=padding, **kwargs)
        self.implementation = implementation
        if self.padding not in (("valid",) if implementation == 1 else ("valid", "same")):
            raise ValueError(
                f"Invalid border mode for {type(self).__name__}: {padding}. "
                'Only "valid" is supported, and "same" with implementation=2.'
            )

    def build(self, input_shape):
        channels = input_shape[self._channel_axis]
        self._lengths = self._output_lengths(input_shape)
        if channels is None or None in self._lengths:
            raise ValueError(
                f"Axes after the batch of the inputs to a {type(self).__name__} layer should be fully-defined, "
                f"but layer received the inputs shape {input_shape}"
            )
        if min(self._lengths) < 1:
            raise ValueError(f"The kernel of size {self.kernel_size} does not fit the inputs, of shape {input_shape}.")
        if self.implementation == 1:
            shape = (math.prod(self._lengths), math.prod(self.kernel_size) * channels, self.filters)
        else:
            space = range(1, self.rank + 1)
            output = transpose_shape((None, *self._lengths, self.filters), self.data_format, space)
            shape = (*input_shape[1:], *output[1:])
            self._connections = self._window_mask(input_shape)
        self.kernel = add_weight(self, "kernel", shape)
        self.bias = add_weight(self, "bias", (*self._lengths, self.filters)) if self.use_bias else None
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        self.built = True

    def _window_mask(self, input_shape: tuple) -> np.ndarray:
        """An array that broadcasts to the kernel of ``implementation=2``: 1 where an input lies in an output's window."""
        first = 2 if self.data_format == "channels_first" else 1
        mask = np.ones((1,) * (2 * self.rank + 2), K.floatx())
        for axis, (length, outputs) in enumerate(zip(input_shape[first:], self._lengths)):
            size, stride = self.kernel_size[axis], self.strides[axis]
            missing = max(0, (outputs - 1) * stride + size - length) if self.padding == "same" else 0
            offset = np.arange(length)[:, None] - (np.arange(outputs) * stride - missing // 2)
            inside = (offset >= 0) & (offset < size)
            # the kernel's axes: the input's without the batch, then the output's
            shape = [1] * mask.ndim
            shape[first - 1 + axis], shape[first + self.rank + axis] = inside.shape
            mask = mask * inside.reshape(shape)
        return mask

    def _multiply_whole(self, inputs):
        """``implementation=2``: the whole input times the masked kernel."""
        shape = self.kernel.shape
        half = len(shape) // 2
        kernel = self.kernel * K.constant(self._connections, dtype=K.dtype(self.kernel))
        flat = K.dot(K.batch_flatten(inputs), K.reshape(kernel, (math.prod(shape[:half]), math.prod(shape[half:]))))
        return K.reshape(flat, (-1, *shape[half:]))

    def _convolve(self, inputs):
        if self.implementation == 2:
            return self._multiply_whole(inputs)
        if self.rank == 1:
            return K.local_conv1d(inputs, self.kernel, self.kernel_size, self.strides, self.data_format)
        return K.local_conv2d(inputs, self.kernel, self.kernel_size, self.strides, self._lengths, self.data_format)

    def get_config(self):
        config = super().get_config()
        del config["dilation_rate"]
        if self.implementation != 1:  # Keras 2.3.1 would not understand the argument
            config["implementation"] = self.implementation
        return config


class LocallyConnected1D(_LocallyConnected):
    """Like Conv1D, with another kernel at each step."""

    @interfaces.legacy_conv1d_support
    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        implementation=1,
        **kwargs,
    ):
        super().__init__(rank=1, **arguments(locals()))


class LocallyConnected2D(_LocallyConnected):
    """Like Conv2D, with another kernel at each place."""

    @interfaces.legacy_conv2d_support
    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        implementation=1,
        **kwargs,
    ):
        super().__init__(rank=2, **arguments(locals()))
