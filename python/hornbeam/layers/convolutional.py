"""Convolutions, and the layers that enlarge, pad and crop images, sequences and volumes."""

from __future__ import annotations

from typing import Any

from .. import activations
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.generic_utils import transpose_shape
from .options import arguments, options_config, set_options

# Keras 1 had the pooling layers in this module; scripts still look for them here.
from .pooling import (  # noqa: F401
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)


class _Conv(Layer):
    """A convolution over ``rank`` axes, and what its kin share.

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

    _options: tuple[str, ...] = (
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

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
        self.rank = rank
        self.filters = None if filters is None else conv_utils.normalize_size(filters, "filters")
        self.kernel_size = conv_utils.normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = conv_utils.normalize_tuple(strides, rank, "strides")
        self.padding = conv_utils.normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.dilation_rate = conv_utils.normalize_tuple(dilation_rate, rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        set_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
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

    def _add_kernel(self, prefix: str, name: str, shape: tuple) -> Any:
        """A weight with the options whose names begin with ``prefix``."""
        return self.add_weight(
            shape=shape,
            name=name,
            initializer=getattr(self, f"{prefix}_initializer"),
            regularizer=getattr(self, f"{prefix}_regularizer"),
            constraint=getattr(self, f"{prefix}_constraint"),
        )

    def _add_bias(self, channels: int) -> None:
        self.bias = self._add_kernel("bias", "bias", (channels,)) if self.use_bias else None
        self.built = True

    def build(self, input_shape):
        channels = self._input_channels(input_shape)
        if channels % self.groups:
            raise ValueError(f"The {channels} channels of the input cannot be cut into {self.groups} groups.")
        self.kernel = self._add_kernel("kernel", "kernel", (*self.kernel_size, channels // self.groups, self.filters))
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

    def compute_output_shape(self, input_shape):
        first = 2 if self.data_format == "channels_first" else 1
        space = input_shape[first : first + self.rank]
        lengths = [self._output_length(length, axis) for axis, length in enumerate(space)]
        shape = (input_shape[0], *lengths, self._output_channels(input_shape))
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
        self.kernel = self._add_kernel("kernel", "kernel", (*self.kernel_size, self.filters, channels))
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


class _SeparableConv(_Conv):
    """A depthwise convolution followed by one of size 1 that mixes channels.

    Args:
        depth_multiplier: number of depthwise filters per input channel.

    Weights: depthwise_kernel (kernel_size..., channels in, depth_multiplier),
    pointwise_kernel (1, ..., channels in * depth_multiplier, filters), bias (filters,).
    """

    _options = (
        "depthwise_initializer",
        "pointwise_initializer",
        "bias_initializer",
        "depthwise_regularizer",
        "pointwise_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "depthwise_constraint",
        "pointwise_constraint",
        "bias_constraint",
    )

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
        set_options(
            self,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
        )

    def build(self, input_shape):
        channels = self._input_channels(input_shape)
        depthwise = (*self.kernel_size, channels, self.depth_multiplier)
        pointwise = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self._add_kernel("depthwise", "depthwise_kernel", depthwise)
        self.pointwise_kernel = self._add_kernel("pointwise", "pointwise_kernel", pointwise)
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


class DepthwiseConv2D(Conv2D):
    """Convolution of each channel of an image with ``depth_multiplier`` filters of its own.

    Weights: depthwise_kernel (height, width, channels in, depth_multiplier), bias (channels in * depth_multiplier,).
    """

    _options = (
        "depthwise_initializer",
        "bias_initializer",
        "depthwise_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "depthwise_constraint",
        "bias_constraint",
    )

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
        super().__init__(
            filters=None,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        set_options(
            self,
            depthwise_initializer=depthwise_initializer,
            depthwise_regularizer=depthwise_regularizer,
            depthwise_constraint=depthwise_constraint,
        )

    def build(self, input_shape):
        channels = self._input_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._add_kernel("depthwise", "depthwise_kernel", shape)
        self._add_bias(channels * self.depth_multiplier)

    def _convolve(self, inputs):
        return K.depthwise_conv2d(inputs, self.depthwise_kernel, **self._geometry())

    def _output_channels(self, input_shape):
        return input_shape[self._channel_axis] * self.depth_multiplier

    def get_config(self):
        config = {**super().get_config(), "depth_multiplier": self.depth_multiplier}
        del config["filters"]
        return config


# -- enlarging, padding, cropping -------------------------------------------------------------------------
def _spatial_pairs(value: Any, rank: int, name: str) -> tuple[tuple[int, ...], ...]:
    """``((before, after), ...)`` per axis, from a number, one number per axis, or pairs."""
    if isinstance(value, int):
        return ((value, value),) * rank
    if not hasattr(value, "__len__"):
        raise ValueError(f"`{name}` should be an int, a tuple of ints, or a tuple of pairs of ints. Found: {value}")
    if len(value) != rank:
        raise ValueError(f"`{name}` should have {rank} elements. Found: {value}")
    return tuple(conv_utils.normalize_tuple(v, 2, f"entry {i + 1} of {name}") for i, v in enumerate(value))


class _Spatial(Layer):
    """A layer that changes the lengths of the spatial axes, by a rule per axis."""

    def __init__(self, rank, data_format, **kwargs):
        super().__init__(**kwargs)
        self.rank = rank
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)

    def _new_length(self, length: int, axis: int) -> int:
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        first = 2 if self.data_format == "channels_first" else 1
        shape = list(input_shape)
        for axis in range(self.rank):
            if shape[first + axis] is not None:
                shape[first + axis] = self._new_length(shape[first + axis], axis)
        return tuple(shape)

    def _config(self, name: str) -> dict:
        value = getattr(self, name)
        if self.rank == 1:  # sequences have one entry and no data format
            return {**super().get_config(), name: value[0]}
        return {**super().get_config(), name: value, "data_format": self.data_format}


class _UpSampling(_Spatial):
    """Repeat each cell ``size`` times along each spatial axis."""

    def __init__(self, size, data_format=None, **kwargs):
        super().__init__(len(size), data_format, **kwargs)
        self.size = size

    def _new_length(self, length, axis):
        return length * self.size[axis]

    def get_config(self):
        return self._config("size")


class UpSampling1D(_UpSampling):
    """Repeat each step ``size`` times."""

    @interfaces.legacy_upsampling1d_support
    def __init__(self, size=2, **kwargs):
        super().__init__((int(size),), "channels_last", **kwargs)

    def call(self, inputs):
        return K.repeat_elements(inputs, self.size[0], axis=1)


class UpSampling2D(_UpSampling):
    """Enlarge images by whole factors.

    Args:
        interpolation: ``'nearest'``, ``'bilinear'``, or ``'bilinear_half_pixel'``, which is what ``'bilinear'`` means in files
            of tf.keras 2: see :func:`hornbeam.backend.resize_images`.
    """

    @interfaces.legacy_upsampling2d_support
    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(conv_utils.normalize_tuple(size, 2, "size"), data_format, **kwargs)
        if interpolation not in ("nearest", "bilinear", "bilinear_half_pixel"):
            raise ValueError('interpolation should be one of "nearest" or "bilinear".')
        self.interpolation = interpolation

    def call(self, inputs):
        return K.resize_images(inputs, *self.size, self.data_format, self.interpolation)

    def get_config(self):
        return {**super().get_config(), "interpolation": self.interpolation}


class UpSampling3D(_UpSampling):
    """Repeat the cells of volumes."""

    @interfaces.legacy_upsampling3d_support
    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(conv_utils.normalize_tuple(size, 3, "size"), data_format, **kwargs)

    def call(self, inputs):
        return K.resize_volumes(inputs, *self.size, self.data_format)


class _ZeroPadding(_Spatial):
    """Zeros before and after the cells of each spatial axis."""

    def __init__(self, padding, data_format=None, **kwargs):
        super().__init__(len(padding), data_format, **kwargs)
        self.padding = padding

    def _new_length(self, length, axis):
        return length + sum(self.padding[axis])

    def get_config(self):
        return self._config("padding")


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after a sequence: a number, or (before, after)."""

    def __init__(self, padding=1, **kwargs):
        super().__init__((conv_utils.normalize_tuple(padding, 2, "padding"),), "channels_last", **kwargs)

    def call(self, inputs):
        return K.temporal_padding(inputs, padding=self.padding[0])


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images: a number, (height, width), or ((top, bottom), (left, right))."""

    @interfaces.legacy_zeropadding2d_support
    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(_spatial_pairs(padding, 2, "padding"), data_format, **kwargs)

    def call(self, inputs):
        return K.spatial_2d_padding(inputs, padding=self.padding, data_format=self.data_format)


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes: a number, one per axis, or pairs."""

    @interfaces.legacy_zeropadding3d_support
    def __init__(self, padding=(1, 1, 1), data_format=None, **kwargs):
        super().__init__(_spatial_pairs(padding, 3, "padding"), data_format, **kwargs)

    def call(self, inputs):
        return K.spatial_3d_padding(inputs, padding=self.padding, data_format=self.data_format)


class _Cropping(_Spatial):
    """Cut cells off both ends of each spatial axis."""

    def __init__(self, cropping, data_format=None, **kwargs):
        super().__init__(len(cropping), data_format, **kwargs)
        self.cropping = cropping

    def call(self, inputs):
        kept = [slice(begin, -end if end else None) for begin, end in self.cropping]
        whole = slice(None)
        return inputs[transpose_shape((whole, *kept, whole), self.data_format, range(1, self.rank + 1))]

    def _new_length(self, length, axis):
        if sum(self.cropping[axis]) > length:
            raise ValueError(f"`cropping` {self.cropping} takes more than there is: axis {axis} has {length} cells.")
        return length - sum(self.cropping[axis])

    def get_config(self):
        return self._config("cropping")


class Cropping1D(_Cropping):
    """Cut steps off a sequence: a number, or (begin, end)."""

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__((conv_utils.normalize_tuple(cropping, 2, "cropping"),), "channels_last", **kwargs)


class Cropping2D(_Cropping):
    """Cut the borders off images: a number, (height, width), or ((top, bottom), (left, right))."""

    @interfaces.legacy_cropping2d_support
    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(_spatial_pairs(cropping, 2, "cropping"), data_format, **kwargs)


class Cropping3D(_Cropping):
    """Cut the borders off volumes: a number, one per axis, or pairs."""

    @interfaces.legacy_cropping3d_support
    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(_spatial_pairs(cropping, 3, "cropping"), data_format, **kwargs)


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
Convolution2DTranspose = Deconvolution2D = Deconv2D = Conv2DTranspose
Deconvolution3D = Deconv3D = Conv3DTranspose


def __getattr__(name: str) -> Any:
    # legacy.layers needs this package, so it is imported when asked for.
    if name in ("AtrousConv1D", "AtrousConvolution1D", "AtrousConv2D", "AtrousConvolution2D"):
        from ..legacy import layers

        return getattr(layers, f"AtrousConvolution{name[-2:]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
