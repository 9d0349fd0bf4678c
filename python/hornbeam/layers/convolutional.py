"""Convolutions. Under this name Keras has what enlarges, pads and crops, too, and Keras 1 had pooling."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.messages import warn_user
from .conv_base import _Conv
from .options import add_weight, arguments, option_names, options_in, set_options
from .pooling import (  # noqa: F401
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .separable import SeparableConv1D, SeparableConv2D
from .spatial import (  # noqa: F401
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)


class Conv1D(_Conv):
    """Convolution over steps: (batch, steps, channels) to (batch, new steps, filters)."""

    @interfaces.legacy_conv1d_support
    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format="channels_last",
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
        if padding == "causal" and data_format != "channels_last":
            raise ValueError(
                'When using causal padding in `Conv1D`, `data_format` must be "channels_last" (temporal data).'
            )
        super().__init__(rank=1, **arguments(locals()))


class Conv2D(_Conv):
    """Convolution over images: (batch, height, width, channels) to (batch, new height, new width, filters)."""

    @interfaces.legacy_conv2d_support
    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
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
        super().__init__(rank=2, **arguments(locals()))


class Conv3D(_Conv):
    """Convolution over volumes: (batch, depth, height, width, channels) to (batch, new sizes..., filters)."""

    @interfaces.legacy_conv3d_support
    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1, 1),
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
        super().__init__(rank=3, **arguments(locals()))


class _Transposed(_Conv):
    """The gradient of a convolution with respect to its input, as a layer: it enlarges.

    Weights: kernel (kernel_size..., filters, channels in), bias (filters,).
    """

    def __init__(self, output_padding=None, **kwargs):
        super().__init__(**kwargs)
        self.output_padding = output_padding
        if output_padding is None:
            return
        self.output_padding = conv_utils.normalize_tuple(output_padding, self.rank, "output_padding")
        for stride, extra in zip(self.strides, self.output_padding):
            if extra >= stride:
                raise ValueError(f"Stride {self.strides} must be greater than output padding {self.output_padding}")

    def build(self, input_shape):
        channels = self._input_channels(input_shape)
        self.kernel = add_weight(self, "kernel", (*self.kernel_size, self.filters, channels))
        self._add_bias(self.filters)

    def _output_length(self, length, axis):
        extra = None if self.output_padding is None else self.output_padding[axis]
        return conv_utils.deconv_length(
            length, self.strides[axis], self.kernel_size[axis], self.padding, extra, self.dilation_rate[axis]
        )

    def _target_shape(self, inputs: Any) -> tuple:
        """The output's shape, with scalar tensors for dims that are known only when run."""
        known, actual = K.int_shape(inputs), K.shape(inputs)
        return self.compute_output_shape(tuple(actual[i] if d is None else d for i, d in enumerate(known)))

    def get_config(self):
        return {**super().get_config(), "output_padding": self.output_padding}


class Conv2DTranspose(_Transposed, Conv2D):
    """Transposed convolution over images.

    Args:
        output_padding: cells added to the output's end, less than the stride; by default the output has the size
            whose convolution gives exactly the input's.
    """

    @interfaces.legacy_deconv2d_support
    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=(1, 1),
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

    def _convolve(self, inputs):
        return K.conv2d_transpose(inputs, self.kernel, self._target_shape(inputs), **self._geometry())


class Conv3DTranspose(_Transposed, Conv3D):
    """Transposed convolution over volumes; arguments as for :class:`Conv2DTranspose`."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1, 1),
        padding="valid",
        output_padding=None,
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

    def _convolve(self, inputs):
        return K.conv3d_transpose(
            inputs,
            self.kernel,
            self._target_shape(inputs),
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )

    def get_config(self):
        config = super().get_config()
        del config["dilation_rate"]
        return config


class _Depthwise(_Conv):
    """Convolution of each channel with ``depth_multiplier`` filters of its own.

    Weights: depthwise_kernel (kernel_size..., channels in, depth_multiplier), bias (channels in * depth_multiplier,).
    """

    _options = (*option_names("depthwise", "bias"), "activity_regularizer")

    def __init__(
        self,
        depth_multiplier=1,
        depthwise_initializer="glorot_uniform",
        depthwise_regularizer=None,
        depthwise_constraint=None,
        **kwargs,
    ):
        super().__init__(filters=None, **kwargs)
        self.depth_multiplier = depth_multiplier
        set_options(self, **options_in(locals()))

    def build(self, input_shape):
        channels = self._input_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = add_weight(self, "depthwise_kernel", shape)
        self._add_bias(channels * self.depth_multiplier)

    def _output_channels(self, input_shape):
        return input_shape[self._channel_axis] * self.depth_multiplier

    def get_config(self):
        config = {**super().get_config(), "depth_multiplier": self.depth_multiplier}
        del config["filters"]
        return config


class DepthwiseConv2D(_Depthwise, Conv2D):
    """Convolution of each channel of an image with ``depth_multiplier`` filters of its own.

    Weights: depthwise_kernel (height, width, channels in, depth_multiplier), bias (channels in * depth_multiplier,).
    """

    def __init__(
        self,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=(1, 1),
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**arguments(locals()))

    def _convolve(self, inputs):
        return K.depthwise_conv2d(inputs, self.depthwise_kernel, **self._geometry())


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
Convolution3DTranspose = Conv3DTranspose
Convolution2DTranspose = Deconvolution2D = Deconv2D = Conv2DTranspose
Deconvolution3D = Deconv3D = Conv3DTranspose


def AtrousConvolution1D(*args, **kwargs):
    """``Conv1D`` with ``dilation_rate`` given as ``atrous_rate``."""
    return _atrous(Conv1D, args, kwargs)


def AtrousConvolution2D(*args, **kwargs):
    """``Conv2D`` with ``dilation_rate`` given as ``atrous_rate``."""
    return _atrous(Conv2D, args, kwargs)


def _atrous(convolution: type, args: tuple, kwargs: dict) -> Any:
    name = convolution.__name__
    kwargs["dilation_rate"] = kwargs.pop("atrous_rate", 1)
    warn_user(
        f"The `Atrous{name.replace('Conv', 'Convolution')}` layer has been deprecated. Use instead the `{name}` "
        "layer with the `dilation_rate` argument.",
        DeprecationWarning,
    )
    return convolution(*args, **kwargs)


AtrousConv1D = AtrousConvolution1D
AtrousConv2D = AtrousConvolution2D
