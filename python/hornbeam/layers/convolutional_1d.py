"""Transposed and depthwise convolution over steps, which are images of width 1: layers of tf.keras, beyond Keras 2.3.1."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .convolutional import Conv1D, _Depthwise, _Transposed
from .options import arguments


def _geometry_2d(layer: Any) -> dict:
    """The layer's strides and dilation, along the height of images."""
    own = layer._geometry()
    return {**own, "strides": (*own["strides"], 1), "dilation_rate": (*own["dilation_rate"], 1)}


class Conv1DTranspose(_Transposed, Conv1D):
    """Transposed convolution over steps: (batch, steps, channels) to (batch, new steps, filters).

    Args:
        output_padding: cells added to the output's end, less than the stride; by default the output has the size
            whose convolution gives exactly the input's.

    Weights: kernel (kernel_size, filters, channels in), bias (filters,).
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
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
        super().__init__(**arguments(locals()))

    def _convolve(self, inputs):
        axis = 3 if self.data_format == "channels_first" else 2
        shape = list(self._target_shape(inputs))
        shape.insert(axis, 1)
        images = K.conv2d_transpose(
            K.expand_dims(inputs, axis), K.expand_dims(self.kernel, 1), shape, **_geometry_2d(self)
        )
        return K.squeeze(images, axis)


class DepthwiseConv1D(_Depthwise, Conv1D):
    """Convolution over steps of each channel with ``depth_multiplier`` filters of its own.

    Weights: depthwise_kernel (kernel_size, channels in, depth_multiplier), bias (channels in * depth_multiplier,).
    """

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
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
        axis = 3 if self.data_format == "channels_first" else 2
        images = K.depthwise_conv2d(
            K.expand_dims(inputs, axis), K.expand_dims(self.depthwise_kernel, 1), **_geometry_2d(self)
        )
        return K.squeeze(images, axis)


Convolution1DTranspose = Conv1DTranspose
