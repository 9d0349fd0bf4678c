"""Layers that enlarge, pad and crop sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..backend.shapes import interpolation_meant
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.generic_utils import transpose_shape


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
        super().__init__(conv_utils.normalize_tuple(size, 1, "size"), "channels_last", **kwargs)

    def call(self, inputs):
        return K.repeat_elements(inputs, self.size[0], axis=1)


class UpSampling2D(_UpSampling):
    """Enlarge images by whole factors.

    Args:
        interpolation: ``'nearest'``, ``'bilinear'``, or ``'bilinear_half_pixel'``, which is what ``'bilinear'`` means in files
            of tf.keras 2 and in scripts of TensorFlow 2: see :func:`hornbeam.backend.resize_images`.
    """

    @interfaces.legacy_upsampling2d_support
    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(conv_utils.normalize_tuple(size, 2, "size"), data_format, **kwargs)
        self.interpolation = interpolation_meant(interpolation)

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
