"""Convolutions whose kernel differs from place to place."""

from __future__ import annotations

import math

from .. import activations
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.generic_utils import transpose_shape
from .options import arguments, options_config, set_options


class _LocallyConnected(Layer):
    """What both have in common; arguments as for convolutions.

    Weights: kernel (places, window * channels in, filters), bias (output lengths..., filters).
    """

    _rank: int
    _options = (
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    def __init__(self, filters, kernel_size, strides, padding, data_format, activation, use_bias, **kwargs):
        options = {name: kwargs.pop(name) for name in self._options}
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = conv_utils.normalize_tuple(kernel_size, self._rank, "kernel_size")
        self.strides = conv_utils.normalize_tuple(strides, self._rank, "strides")
        self.padding = conv_utils.normalize_padding(padding)
        if self.padding != "valid":
            raise ValueError(f'Invalid border mode for {type(self).__name__} (only "valid" is supported): {padding}')
        self.data_format = K.normalize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        set_options(self, **options)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else self._rank + 1

    def _output_lengths(self, input_shape: tuple) -> tuple:
        first = 2 if self.data_format == "channels_first" else 1
        space = input_shape[first : first + self._rank]
        return tuple(
            conv_utils.conv_output_length(length, size, self.padding, stride)
            for length, size, stride in zip(space, self.kernel_size, self.strides)
        )

    def build(self, input_shape):
        channels = input_shape[self._channel_axis]
        self._lengths = self._output_lengths(input_shape)
        if channels is None or None in self._lengths:
            raise ValueError(
                f"Axes after the batch of the inputs to a {type(self).__name__} layer should be fully-defined, "
                f"but layer received the inputs shape {input_shape}"
            )
        self.kernel = self.add_weight(
            shape=(math.prod(self._lengths), math.prod(self.kernel_size) * channels, self.filters),
            name="kernel",
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(*self._lengths, self.filters),
                name="bias",
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(ndim=self._rank + 2, axes={self._channel_axis: channels})
        self.built = True

    def call(self, inputs):
        if self._rank == 1:
            outputs = K.local_conv1d(inputs, self.kernel, self.kernel_size, self.strides, self.data_format)
        else:
            outputs = K.local_conv2d(
                inputs, self.kernel, self.kernel_size, self.strides, self._lengths, self.data_format
            )
        if self.use_bias:
            outputs = K.bias_add(outputs, self.bias, data_format=self.data_format)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        shape = (input_shape[0], *self._output_lengths(input_shape), self.filters)
        return transpose_shape(shape, self.data_format, range(1, self._rank + 1))

    def get_config(self):
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **options_config(self, *self._options),
        }
        return {**super().get_config(), **own}


class LocallyConnected1D(_LocallyConnected):
    """Like Conv1D, with another kernel at each step."""

    _rank = 1

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
        **kwargs,
    ):
        super().__init__(**arguments(locals()))


class LocallyConnected2D(_LocallyConnected):
    """Like Conv2D, with another kernel at each place."""

    _rank = 2

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
        **kwargs,
    ):
        super().__init__(**arguments(locals()))
