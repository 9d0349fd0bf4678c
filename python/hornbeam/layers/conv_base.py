"""What all convolution layers share: their options, geometry, weights and configuration."""

from __future__ import annotations

from typing import Any

from .. import activations
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..utils import conv_utils
from ..utils.generic_utils import transpose_shape
from .options import add_weight, option_names, options_config, options_in, set_options


class _Conv(Layer):
    """A convolution over ``rank`` axes, and what transposed, depthwise and separable ones have of it.

    Args:
        rank: number of spatial axes.
        filters: number of output channels.
        kernel_size, strides, dilation_rate: a number, or one per axis.
        padding: ``'valid'``, ``'same'``, or ``'causal'`` (1-D only).
        data_format: ``'channels_last'`` or ``'channels_first'``; the backend's by default.
        activation: by name or as a function; None is linear.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: by name, config or as functions.
        groups: (keyword only, as in files of tf.keras) into how many parts the channels are cut; each part of the filters
            sees its part of the channels.

    Weights: kernel (kernel_size..., channels in / groups, filters), bias (filters,).
    """

    _options: tuple[str, ...] = (*option_names("kernel", "bias"), "activity_regularizer")

    def __init__(
        self,
        rank,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
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
        self.groups = kwargs.pop("groups", 1)
        super().__init__(**kwargs)
        if self.groups < 1 or (self.groups > 1 and filters % self.groups):
            raise ValueError(f"The {filters} filters cannot be cut into {self.groups} groups.")
        if self.groups > 1 and type(self)._convolve is not _Conv._convolve:
            raise ValueError(f"{type(self).__name__} cannot cut channels into groups (groups={self.groups}).")
        self.rank = rank
        self.filters = None if filters is None else conv_utils.normalize_size(filters, "filters")
        self.kernel_size = conv_utils.normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = conv_utils.normalize_tuple(strides, rank, "strides")
        self.padding = conv_utils.normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.dilation_rate = conv_utils.normalize_tuple(dilation_rate, rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        set_options(self, **options_in(locals()))
        self.input_spec = InputSpec(ndim=rank + 2)
        axes = {1: "steps", 2: "height, width", 3: "depth, height, width"}[rank]
        layout = f"channels, {axes}" if self.data_format == "channels_first" else f"{axes}, channels"
        self._input_hint = f"Inputs are (batch, {layout}); a single channel needs its axis, too"

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else self.rank + 1

    def _input_channels(self, input_shape: tuple) -> int:
        """The number of input channels, which is also noted for checks of later inputs."""
        if len(input_shape) != self.rank + 2:
            raise ValueError(
                f"Inputs to `{type(self).__name__}` should have rank {self.rank + 2}. "
                f"Received input shape: {input_shape}"
            )
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                f"The channel dimension of the inputs to `{type(self).__name__}` should be defined. Found `None`."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        return int(channels)

    def _add_bias(self, channels: int) -> None:
        self.bias = add_weight(self, "bias", (channels,)) if self.use_bias else None
        self.built = True

    def build(self, input_shape):
        channels = self._input_channels(input_shape)
        if channels % self.groups:
            raise ValueError(f"The {channels} channels of the input cannot be cut into {self.groups} groups.")
        self.kernel = add_weight(self, "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self._add_bias(self.filters)

    def call(self, inputs):
        outputs = self._convolve(inputs)
        if self.use_bias:
            outputs = K.bias_add(outputs, self.bias, data_format=self.data_format)
        return self.activation(outputs)

    def _convolve(self, inputs: Any) -> Any:
        convolutions: dict[int, Any] = {1: K.conv1d, 2: K.conv2d, 3: K.conv3d}
        convolve = convolutions[self.rank]
        if self.groups == 1:
            return convolve(inputs, self.kernel, **self._geometry())
        if self.rank == 2 and self.kernel.shape[-2] == 1:  # a channel in each group: hundreds of them in ConvNeXt
            kernel = K.reshape(self.kernel, (*self.kernel_size, self.groups, self.filters // self.groups))
            return K.depthwise_conv2d(inputs, kernel, **self._geometry())
        axis = self._channel_axis
        parts = zip(_cut(inputs, axis, self.groups), _cut(self.kernel, self.rank + 1, self.groups))
        return K.concatenate([convolve(x, kernel, **self._geometry()) for x, kernel in parts], axis=axis)

    def _geometry(self) -> dict:
        return {
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }

    def _output_channels(self, input_shape: tuple) -> int:
        return self.filters

    def _output_length(self, length: int | None, axis: int) -> int | None:
        """The output's length along a spatial axis (counted from 0)."""
        return conv_utils.conv_output_length(
            length, self.kernel_size[axis], self.padding, self.strides[axis], self.dilation_rate[axis]
        )

    def _output_lengths(self, input_shape: tuple) -> list:
        first = 2 if self.data_format == "channels_first" else 1
        space = input_shape[first : first + self.rank]
        return [self._output_length(length, axis) for axis, length in enumerate(space)]

    def compute_output_shape(self, input_shape):
        shape = (input_shape[0], *self._output_lengths(input_shape), self._output_channels(input_shape))
        return transpose_shape(shape, self.data_format, range(1, self.rank + 1))

    def get_config(self):
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **options_config(self, *self._options),
        }
        if self.groups > 1:
            own["groups"] = self.groups
        return {**super().get_config(), **own}


def _cut(x: Any, axis: int, parts: int) -> list:
    """Equal parts of a tensor along an axis of known size."""
    size = K.int_shape(x)[axis] // parts
    return [x[(slice(None),) * axis + (slice(i * size, (i + 1) * size),)] for i in range(parts)]
