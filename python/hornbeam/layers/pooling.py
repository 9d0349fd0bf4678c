"""Maximum and mean over windows, or over everything."""

from __future__ import annotations

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from .options import arguments


class _Pooling(Layer):
    """Reduce windows over ``rank`` spatial axes.

    Args:
        pool_size: a number, or one per axis.
        strides: the pool size by default.
        padding: ``'valid'`` or ``'same'``.
        data_format: ``'channels_last'`` or ``'channels_first'``.
    """

    _rank: int
    _mode: str

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = conv_utils.normalize_tuple(pool_size, self._rank, "pool_size")
        self.strides = conv_utils.normalize_tuple(pool_size if strides is None else strides, self._rank, "strides")
        self.padding = conv_utils.normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def compute_output_shape(self, input_shape):
        first = 2 if self.data_format == "channels_first" else 1
        shape = list(input_shape)
        for axis, (size, stride) in enumerate(zip(self.pool_size, self.strides), start=first):
            shape[axis] = conv_utils.conv_output_length(shape[axis], size, self.padding, stride)
        return tuple(shape)

    def call(self, inputs):
        return self._pooling_function(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def _pooling_function(self, inputs, pool_size, strides, padding, data_format):
        """Pool images or volumes; subclasses of the user's own define it."""
        pool = K.pool3d if self._rank == 3 else K.pool2d
        return pool(inputs, pool_size, strides, padding, data_format, self._mode)

    def get_config(self):
        own = {
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }
        return {**super().get_config(), **own}


class _Pooling1D(_Pooling):
    """Pooling over steps: images of width 1."""

    _rank = 1

    def call(self, inputs):
        width = 2 if self.data_format == "channels_last" else 3
        images = K.expand_dims(inputs, width)
        size, strides = (*self.pool_size, 1), (*self.strides, 1)
        return K.squeeze(self._pooling_function(images, size, strides, self.padding, self.data_format), width)


class MaxPooling1D(_Pooling1D):
    """The largest value of each window of steps."""

    _mode = "max"

    @interfaces.legacy_pooling1d_support
    def __init__(self, pool_size=2, strides=None, padding="valid", data_format="channels_last", **kwargs):
        super().__init__(**arguments(locals()))


class AveragePooling1D(_Pooling1D):
    """The mean of each window of steps."""

    _mode = "avg"

    @interfaces.legacy_pooling1d_support
    def __init__(self, pool_size=2, strides=None, padding="valid", data_format="channels_last", **kwargs):
        super().__init__(**arguments(locals()))


class _Pooling2D(_Pooling):
    _rank = 2

    @interfaces.legacy_pooling2d_support
    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(**arguments(locals()))


class MaxPooling2D(_Pooling2D):
    """The largest value of each window of an image."""

    _mode = "max"


class AveragePooling2D(_Pooling2D):
    """The mean of each window of an image; padding does not count."""

    _mode = "avg"


class _Pooling3D(_Pooling):
    _rank = 3

    @interfaces.legacy_pooling3d_support
    def __init__(self, pool_size=(2, 2, 2), strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(**arguments(locals()))


class MaxPooling3D(_Pooling3D):
    """The largest value of each window of a volume."""

    _mode = "max"


class AveragePooling3D(_Pooling3D):
    """The mean of each window of a volume; padding does not count."""

    _mode = "avg"


class _GlobalPooling(Layer):
    """Reduce all spatial axes: (batch, ..., channels) to (batch, channels).

    Args:
        keepdims: (keyword only, as in files of tf.keras) whether the axes stay, with size 1.
    """

    _rank: int

    @interfaces.legacy_global_pooling_support
    def __init__(self, data_format=None, **kwargs):
        self.keepdims = bool(kwargs.pop("keepdims", False))
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    @property
    def _axes(self) -> list[int]:
        first = 2 if self.data_format == "channels_first" else 1
        return list(range(first, first + self._rank))

    def compute_output_shape(self, input_shape):
        if self.keepdims:
            return tuple(1 if axis in self._axes else size for axis, size in enumerate(input_shape))
        return (input_shape[0], input_shape[1 if self.data_format == "channels_first" else -1])

    def get_config(self):
        own: dict = {"keepdims": True} if self.keepdims else {}
        return {**super().get_config(), "data_format": self.data_format, **own}


class _GlobalPooling1D(_GlobalPooling):
    _rank = 1

    def __init__(self, data_format="channels_last", **kwargs):
        super().__init__(data_format, **kwargs)


class _GlobalPooling2D(_GlobalPooling):
    _rank = 2


class _GlobalPooling3D(_GlobalPooling):
    _rank = 3


class _GlobalMax(_GlobalPooling):
    def call(self, inputs):
        return K.max(inputs, axis=self._axes, keepdims=self.keepdims)


class _GlobalAverage(_GlobalPooling):
    def call(self, inputs):
        return K.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean over all steps, or over those that are not masked."""

    def __init__(self, data_format="channels_last", **kwargs):
        super().__init__(data_format, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        steps = self._axes[0]
        if mask is None:
            return K.mean(inputs, axis=steps, keepdims=self.keepdims)
        weights = K.expand_dims(K.cast(mask, K.dtype(inputs)), 3 - steps)
        return K.sum(inputs * weights, steps, self.keepdims) / K.sum(weights, steps, self.keepdims)

    def compute_mask(self, inputs, mask=None):
        return None


class GlobalMaxPooling1D(_GlobalMax, _GlobalPooling1D):
    """The largest value over all steps."""


class GlobalAveragePooling2D(_GlobalAverage, _GlobalPooling2D):
    """The mean over each feature map."""


class GlobalMaxPooling2D(_GlobalMax, _GlobalPooling2D):
    """The largest value of each feature map."""


class GlobalAveragePooling3D(_GlobalAverage, _GlobalPooling3D):
    """The mean over each volume."""


class GlobalMaxPooling3D(_GlobalMax, _GlobalPooling3D):
    """The largest value of each volume."""


AvgPool1D = AveragePooling1D
MaxPool1D = MaxPooling1D
AvgPool2D = AveragePooling2D
MaxPool2D = MaxPooling2D
AvgPool3D = AveragePooling3D
MaxPool3D = MaxPooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
