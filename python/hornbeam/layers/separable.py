"""Separable convolutions: one for each channel, then one that mixes them."""

from __future__ import annotations

from .. import backend as K
from ..legacy import interfaces
from .conv_base import _Conv
from .options import add_weight, arguments, option_names, options_in, set_options


class _SeparableConv(_Conv):
    """A depthwise convolution followed by one of size 1 that mixes channels.

    Args:
        depth_multiplier: number of depthwise filters per input channel.

    Weights: depthwise_kernel (kernel_size..., channels in, depth_multiplier),
    pointwise_kernel (1, ..., channels in * depth_multiplier, filters), bias (filters,).
    """

    _options = (*option_names("depthwise", "pointwise", "bias"), "activity_regularizer")

    def __init__(
        self,
        rank,
        filters,
        kernel_size,
        depth_multiplier=1,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        **kwargs,
    ):
        super().__init__(rank, filters, kernel_size, **kwargs)
        self.depth_multiplier = depth_multiplier
        set_options(self, **options_in(locals()))

    def build(self, input_shape):
        channels = self._input_channels(input_shape)
        depthwise = (*self.kernel_size, channels, self.depth_multiplier)
        pointwise = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = add_weight(self, "depthwise_kernel", depthwise)
        self.pointwise_kernel = add_weight(self, "pointwise_kernel", pointwise)
        self._add_bias(self.filters)

    def _convolve(self, inputs):
        convolution = K.separable_conv1d if self.rank == 1 else K.separable_conv2d
        return convolution(inputs, self.depthwise_kernel, self.pointwise_kernel, **self._geometry())

    def get_config(self):
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


class SeparableConv1D(_SeparableConv):
    """Separable convolution over steps."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format="channels_last",
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(rank=1, **arguments(locals()))


class SeparableConv2D(_SeparableConv):
    """Separable convolution over images."""

    @interfaces.legacy_separable_conv2d_support
    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(rank=2, **arguments(locals()))
