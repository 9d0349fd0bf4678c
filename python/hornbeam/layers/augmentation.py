"""Images changed at random in training, and left alone otherwise: layers of tf.keras, beyond Keras 2.3.1.

Images are (batch, height, width, channels), or a single one without the batch. What is drawn for one image is independent of the others, except where a layer
says otherwise.
"""

from __future__ import annotations

import math
from typing import Any

from .. import backend as K
from .. import graph
from ..backend import image
from ..backend.math import where
from ..backend.shapes import dims_of
from ..engine.base_layer import InputSpec, Layer
from ..graph import Tensor


def _bounds(factor: Any, name: str, lowest: float = -math.inf, highest: float = math.inf) -> tuple[float, float]:
    """A pair of bounds; a number stands for itself to both sides of 0."""
    low, high = factor if isinstance(factor, (list, tuple)) else (-factor, factor)
    if high < low or low < lowest or high > highest:
        raise ValueError(f"`{name}` must be a number or a rising pair within [{lowest}, {highest}], got {factor}.")
    return low, high


class _Random(Layer):
    """What is random in training only.

    Subclasses define ``_changed(images)``, and perhaps ``_unchanged``.
    """

    def __init__(self, seed=None, **kwargs):
        kwargs.pop("rng_type", None)  # how tf.keras keeps the state of its random numbers
        super().__init__(**kwargs)
        self.seed = seed
        self.input_spec = InputSpec(min_ndim=3, max_ndim=4)

    def call(self, inputs, training=None):
        if inputs.ndim == 3:  # a single image
            return K.squeeze(self.call(K.expand_dims(inputs, 0), training), 0)
        inputs = K.cast(inputs, self.dtype)
        return K.in_train_phase(lambda: self._changed(inputs), lambda: self._unchanged(inputs), training=training)

    def _changed(self, images: Tensor) -> Tensor:
        raise NotImplementedError

    def _unchanged(self, images: Tensor) -> Tensor:
        return images

    def _uniform(self, count: Any, low: float, high: float, number: int = 0) -> Tensor:
        """``count`` numbers; ``number`` tells apart what one layer draws."""
        seed = None if self.seed is None else self.seed + number
        return K.random_uniform([count], low, high, dtype="float32", seed=seed)

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}

    def compute_output_shape(self, input_shape):
        return input_shape


class RandomFlip(_Random):
    """Mirror half of the images.

    Args:
        mode: ``'horizontal'`` (left and right change places), ``'vertical'`` or ``'horizontal_and_vertical'``.
        seed: for the random numbers.
    """

    def __init__(self, mode="horizontal_and_vertical", seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(f"Unknown `mode` {mode!r} of `RandomFlip`.")
        self.mode = mode

    def _changed(self, images):
        for number, (axis, direction) in enumerate(((2, "horizontal"), (1, "vertical"))):
            if direction in self.mode:
                drawn = K.reshape(self._uniform(dims_of(images)[0], 0.0, 1.0, number), [-1, 1, 1, 1])
                images = where(K.less(drawn, 0.5), K.reverse(images, axis), images)
        return images

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}


class _Moved(_Random):
    """Images in another place.

    Args:
        fill_mode: what comes in from outside: ``'constant'``, ``'nearest'``, ``'wrap'`` or ``'reflect'``.
        interpolation: ``'bilinear'`` or ``'nearest'``.
        seed: for the random numbers.
        fill_value: the constant.
    """

    def __init__(self, fill_mode, interpolation, seed, fill_value, kwargs):
        super().__init__(seed, **kwargs)
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def _matrix(self, images: Tensor) -> tuple:
        """Where each pixel comes from, as :func:`hornbeam.backend.image.transform` takes it."""
        raise NotImplementedError

    def _changed(self, images):
        return image.transform(images, self._matrix(images), self.fill_mode, self.fill_value, self.interpolation)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("fill_mode", "interpolation", "fill_value")}
        return {**super().get_config(), **own}


def _lengths(images: Tensor) -> tuple[Any, Any]:
    """Height and width as floats."""
    height, width = dims_of(images)[1:3]
    return K.cast(graph.convert(height), "float32"), K.cast(graph.convert(width), "float32")


class RandomTranslation(_Moved):
    """Move images.

    Args:
        height_factor, width_factor: how far, as a part of the height and the width: a number (to both sides), or a pair of
            bounds; positive is down and to the right.
    """

    def __init__(
        self,
        height_factor,
        width_factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, kwargs)
        self._bounds = _bounds(height_factor, "height_factor", -1, 1), _bounds(width_factor, "width_factor", -1, 1)
        self.height_factor = height_factor
        self.width_factor = width_factor

    def _matrix(self, images):
        count, (height, width) = dims_of(images)[0], _lengths(images)
        down, right = (self._uniform(count, *bounds, number) for number, bounds in enumerate(self._bounds))
        return 1.0, 0.0, -right * width, 0.0, 1.0, -down * height

    def get_config(self):
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


class RandomRotation(_Moved):
    """Turn images around their middle.

    Args:
        factor: how far, as a part of a full turn: a number (to both sides), or a pair of bounds; positive is
            counter-clockwise.
    """

    def __init__(self, factor, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0, **kwargs):
        super().__init__(fill_mode, interpolation, seed, fill_value, kwargs)
        self._bounds = _bounds(factor, "factor")
        self.factor = factor

    def _matrix(self, images):
        low, high = (2.0 * math.pi * bound for bound in self._bounds)
        angle = self._uniform(dims_of(images)[0], low, high)
        height, width = _lengths(images)
        middle_down, middle_right = (height - 1.0) / 2.0, (width - 1.0) / 2.0
        cos, sin = K.cos(angle), K.sin(angle)
        right = middle_right - cos * middle_right + sin * middle_down
        down = middle_down - sin * middle_right - cos * middle_down
        return cos, -sin, right, sin, cos, down

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class RandomZoom(_Moved):
    """Zoom into images (negative factors) or out of them.

    Args:
        height_factor: by which part: a number (in and out), or a pair of bounds.
        width_factor: the same for the width; None keeps the proportions.
    """

    def __init__(
        self, height_factor, width_factor=None, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0,
        **kwargs,
    ):  # fmt: skip
        super().__init__(fill_mode, interpolation, seed, fill_value, kwargs)
        self._height = _bounds(height_factor, "height_factor", -1, 1)
        self._width = None if width_factor is None else _bounds(width_factor, "width_factor", -1)
        self.height_factor = height_factor
        self.width_factor = width_factor

    def _matrix(self, images):
        count, (height, width) = dims_of(images)[0], _lengths(images)
        down = 1.0 + self._uniform(count, *self._height)
        right = down if self._width is None else 1.0 + self._uniform(count, *self._width, 1)
        return right, 0.0, (width - 1.0) / 2.0 * (1.0 - right), 0.0, down, (height - 1.0) / 2.0 * (1.0 - down)

    def get_config(self):
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


class RandomContrast(_Random):
    """Stretch or shrink how far pixels are from their channel's mean, by one factor for the whole batch; the results are
    limited to [0, 255].

    Args:
        factor: a number up to 1 (to both sides of no change), or a pair (most shrinking, most stretching).
        seed: for the random numbers.
    """

    def __init__(self, factor, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        less, more = factor if isinstance(factor, (list, tuple)) else (factor, factor)
        if not 0.0 <= less <= 1.0 or more < 0.0:
            raise ValueError(
                f"`factor` of `RandomContrast` must be numbers from 0 on, the first at most 1, got {factor}."
            )
        self._bounds = 1.0 - less, 1.0 + more
        self.factor = factor

    def _changed(self, images):
        mean = K.mean(images, axis=[1, 2], keepdims=True)
        factor = K.cast(K.reshape(self._uniform(1, *self._bounds), [1, 1, 1, 1]), images.dtype)
        return K.clip((images - mean) * factor + mean, 0.0, 255.0)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class RandomBrightness(_Random):
    """Add a number to all pixels of an image.

    Args:
        factor: which part of the range of values: a number (to both sides), or a pair of bounds.
        value_range: the lowest and highest value; results are limited to it.
        seed: for the random numbers.
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.factor = list(_bounds(factor, "factor", -1, 1))
        self.value_range = sorted(value_range)

    def _changed(self, images):
        low, high = self.value_range
        added = self._uniform(dims_of(images)[0], *self.factor) * float(high - low)
        return K.clip(images + K.cast(K.reshape(added, [-1, 1, 1, 1]), images.dtype), low, high)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomCrop(_Random):
    """A part of (height, width) at a random place, the same for the whole batch; the middle, when not training, with its
    proportions kept and resized.

    Raises:
        ValueError: (when called) images of unknown size.
    """

    def __init__(self, height, width, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.height = height
        self.width = width

    def _unchanged(self, images):
        return image.fit(images, (self.height, self.width))

    def _changed(self, images):
        height, width = images.shape[1:3]
        if None in (height, width) or height < self.height or width < self.width:
            return self._unchanged(images)
        places = (height - self.height + 1, width - self.width + 1)
        top, left = (
            K.cast(K.minimum(graph.apply("floor", [self._uniform(1, 0.0, n, number)]), n - 1.0), "int32")
            for number, n in enumerate(places)
        )
        return image.crop(images, top, left, self.height, self.width)

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-3], self.height, self.width, input_shape[-1])


class _RandomLength(_Random):
    """Images resized to a height or width that is drawn for the whole batch.

    Args:
        factor: by which part it changes: a number (to both sides), or a pair of bounds.
        interpolation: ``'bilinear'`` or ``'nearest'``.
        seed: for the random numbers.
    """

    _axis: int

    def __init__(self, factor, interpolation="bilinear", seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self._bounds = _bounds(factor, "factor", -1)
        self.factor = factor
        self.interpolation = interpolation

    def _changed(self, images):
        low, high = self._bounds
        length = K.cast(graph.convert(dims_of(images)[self._axis]), "float32")
        drawn = K.cast(K.squeeze(self._uniform(1, 1.0 + low, 1.0 + high), 0) * length, "int32")
        size = dims_of(images)[1:3]
        size[self._axis - 1] = drawn
        return image.resize_to(images, size, self.interpolation)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "interpolation": self.interpolation}

    def compute_output_shape(self, input_shape):
        return tuple(None if axis == self._axis - 4 else n for axis, n in zip(range(-len(input_shape), 0), input_shape))


class RandomHeight(_RandomLength):
    __doc__ = _RandomLength.__doc__
    _axis = 1


class RandomWidth(_RandomLength):
    __doc__ = _RandomLength.__doc__
    _axis = 2
