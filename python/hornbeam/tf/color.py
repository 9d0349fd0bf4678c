"""``tf.image``: colours, and changes by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import number, tensor
from .elementwise import clip_by_value
from .generators import stateless_uniform
from .image import (
    adjust_brightness,
    adjust_contrast,
    convert_image_dtype,
    flip_left_right,
    flip_up_down,
    pad_to_bounding_box,
    resize,
)
from .random import uniform
from .table import for_scripts, function

# -- colour spaces -------------------------------------------------------------------------------------------------------
_YIQ = [[0.299, 0.59590059, 0.21153661], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]
_YUV = [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]


def _by_matrix(matrix: Any) -> Callable:
    def convert(images: Any, name: Any = None) -> Tensor:
        """The last axis times a matrix."""
        x = tensor(images)
        return graph.apply("matmul", [x, graph.constant(np.asarray(matrix, x.dtype))])

    return convert


function("image.rgb_to_yiq")(_by_matrix(_YIQ))
function("image.rgb_to_yuv")(_by_matrix(_YUV))
function("image.yiq_to_rgb")(_by_matrix(np.linalg.inv(_YIQ)))
function("image.yuv_to_rgb")(_by_matrix(np.linalg.inv(_YUV)))


def _pick(condition: Tensor, x: Any, y: Any) -> Tensor:
    return graph.apply("select", [condition, x, y])


@function("image.rgb_to_hsv")
def rgb_to_hsv(images: Any, name: Any = None) -> Tensor:
    """Hue, saturation and value, of colours in [0, 1]."""
    x = tensor(images)
    red, green, blue = (x[..., i] for i in range(3))
    value = K.max(x, axis=-1)
    spread = value - K.min(x, axis=-1)
    grey, black = graph.apply("equal", [spread, 0.0]), graph.apply("equal", [value, 0.0])
    safe = _pick(grey, K.ones_like(spread), spread)
    of_red, of_green = (graph.apply("equal", [c, value]) for c in (red, green))
    hue = _pick(of_red, (green - blue) / safe, _pick(of_green, (blue - red) / safe + 2.0, (red - green) / safe + 4.0))
    hue = hue / 6.0
    hue = _pick(grey, K.zeros_like(hue), hue - graph.apply("floor", [hue]))
    saturation = _pick(black, K.zeros_like(value), spread / _pick(black, K.ones_like(value), value))
    return K.stack([hue, saturation, value], axis=-1)


@function("image.hsv_to_rgb")
def hsv_to_rgb(images: Any, name: Any = None) -> Tensor:
    x = tensor(images)
    hue, saturation, value = (x[..., i] for i in range(3))
    parts = []
    for shift in (0.0, 2 / 3, 1 / 3):
        place = hue + shift
        wave = graph.apply("abs", [6.0 * (place - graph.apply("floor", [place])) - 3.0]) - 1.0
        parts.append(value * (1.0 - saturation + saturation * clip_by_value(wave, 0.0, 1.0)))
    return K.stack(parts, axis=-1)


# -- adjustments -----------------------------------------------------------------------------------------------------------
def _as_fractions(change: Callable) -> Callable:
    """A change of colours in [0, 1], for images of any dtype."""

    def adjust(image: Any, amount: Any, name: Any = None) -> Tensor:
        x = tensor(image)
        changed = change(convert_image_dtype(x, x.dtype if x.dtype.is_floating else "float32"), amount)
        return convert_image_dtype(changed, x.dtype, saturate=True)

    return adjust


def _with_hsv(change: Callable) -> Callable:
    def changed(x: Tensor, amount: Any) -> Tensor:
        hue, saturation, value = change(*(rgb_to_hsv(x)[..., i] for i in range(3)), amount)
        return hsv_to_rgb(K.stack([hue, saturation, value], axis=-1))

    return changed


@_as_fractions
@_with_hsv
def _hue(hue: Tensor, saturation: Tensor, value: Tensor, delta: Any) -> tuple:
    moved = hue + delta
    return moved - graph.apply("floor", [moved]), saturation, value


@_as_fractions
@_with_hsv
def _saturation(hue: Tensor, saturation: Tensor, value: Tensor, factor: Any) -> tuple:
    return hue, clip_by_value(saturation * factor, 0.0, 1.0), value


@function("image.adjust_hue")
def adjust_hue(image: Any, delta: Any, name: Any = None) -> Tensor:
    """The hue moved round its circle by ``delta``, in [-1, 1]."""
    return _hue(image, delta)


@function("image.adjust_saturation")
def adjust_saturation(image: Any, saturation_factor: Any, name: Any = None) -> Tensor:
    return _saturation(image, saturation_factor)


@function("image.adjust_gamma")
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1, name: Any = None) -> Tensor:
    """``gain`` times the image to the power ``gamma``."""
    return _as_fractions(lambda x, power: gain * graph.apply("pow", [x, K.ones_like(x) * power]))(image, gamma)


@function("image.resize_with_pad")
def resize_with_pad(
    image: Any,
    target_height: int,
    target_width: int,
    method: Any = "bilinear",
    antialias: bool = False,
    name: Any = None,
) -> Tensor:
    """Resized as a whole, with its sides' ratio kept, in the middle of zeros."""
    x = tensor(image)
    height, width = (int(n) for n in x.shape[-3:-1])
    ratio = max(width / number(target_width), height / number(target_height))
    size = [max(1, int(height / ratio)), max(1, int(width / ratio))]
    small = resize(x, size, method, antialias=antialias)
    top, left = (int(max(0.0, (t - n / ratio) / 2)) for t, n in ((target_height, height), (target_width, width)))
    return pad_to_bounding_box(small, top, left, number(target_height), number(target_width))


# -- by chance ---------------------------------------------------------------------------------------------------------------
def _by(most: bool, change: Callable, draw: Callable) -> Callable:
    """A change of all images together by an amount that is drawn, from [-max_delta, max_delta] or [lower, upper]."""

    def symmetric(image: Any, max_delta: Any, seed: Any = None) -> Tensor:
        return change(image, draw(-max_delta, max_delta, seed))

    def between(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
        return change(image, draw(lower, upper, seed))

    return symmetric if most else between


def _stateless(low: Any, high: Any, seed: Any) -> Tensor:
    return stateless_uniform([], seed, low, high)


def _stateful(low: Any, high: Any, seed: Any) -> Tensor:
    return uniform([], low, high, seed=seed)


for _name, _most, _change in (
    ("brightness", True, adjust_brightness), ("contrast", False, adjust_contrast),
    ("saturation", False, adjust_saturation), ("hue", True, adjust_hue),
):  # fmt: skip
    for_scripts(f"image.random_{_name}")(_by(_most, _change, _stateful))
    for_scripts(f"image.stateless_random_{_name}")(_by(_most, _change, _stateless))


def _cropped(value: Any, size: Any, shares: Tensor) -> Tensor:
    x, sizes = tensor(value), [number(n) for n in size]
    sizes = [int(x.shape[i]) if n == -1 else n for i, n in enumerate(sizes)]
    if len(sizes) != x.ndim or any(n > whole for n, whole in zip(sizes, x.shape)):
        raise ValueError(f"tf.image.random_crop: size {sizes} does not fit into shape {x.shape}")
    room = graph.constant(np.array([w - n + 1 for w, n in zip(x.shape, sizes)], "float32"))
    begin = graph.cast(graph.apply("floor", [shares * room]), "int32")
    for axis, n in enumerate(sizes):
        if n != x.shape[axis]:
            x = graph.apply("gather", [x, K.arange(n) + begin[axis]], axis=axis)
    return x


@for_scripts("image.random_crop", "random_crop")
def random_crop(value: Any, size: Any, seed: Any = None, name: Any = None) -> Tensor:
    """A part of this size, at a place that is drawn."""
    return _cropped(value, size, uniform([tensor(value).ndim], seed=seed))


@for_scripts("image.stateless_random_crop")
def stateless_random_crop(value: Any, size: Any, seed: Any, name: Any = None) -> Tensor:
    return _cropped(value, size, stateless_uniform([tensor(value).ndim], seed))


def _flipped(flip: Callable) -> Callable:
    def stateless(image: Any, seed: Any) -> Tensor:
        """Each image is flipped or not."""
        x = tensor(image)
        shares = stateless_uniform([x.shape[0], 1, 1, 1] if x.ndim == 4 else [], seed)
        return graph.apply("select", [shares < 0.5, flip(x), x])

    return stateless


for_scripts("image.stateless_random_flip_left_right")(_flipped(flip_left_right))
for_scripts("image.stateless_random_flip_up_down")(_flipped(flip_up_down))
