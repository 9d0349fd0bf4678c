"""``tf.image``: resizing, cropping, colours, measures of likeness."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import SizesFromData, along, dim, dims, dtype_name, first_given, is_float, product, tensor, tensors
from .layout import pad
from .table import for_scripts, function


def _batched(images: Any, f: Callable[[Tensor], Tensor]) -> Tensor:
    """``f`` of a batch of images; one image alone makes a batch of one."""
    x = tensor(images)
    return f(x) if x.ndim == 4 else f(K.expand_dims(x, 0))[0]


# -- resizing -------------------------------------------------------------------------------------------------
class ResizeMethod:
    """The numbers that TensorFlow gives them."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_METHODS = {0: "bilinear", 1: "nearest", 2: "bicubic", 3: "area"}


def _method(method: Any) -> str:
    """A method by its number (TensorFlow 1) or its name (2)."""
    name = method.lower().removesuffix("_neighbor") if isinstance(method, str) else _METHODS.get(method)
    if name is None or name not in _METHODS.values():
        raise ValueError(f"tf.image.resize has no method {method!r} here: {', '.join(_METHODS.values())}")
    return name


def _size(size: Any) -> list[Any]:
    return [size[i] if isinstance(size[i], Tensor) else int(size[i]) for i in range(2)]


@function("image.resize", "image.resize_v2", "image.resize_images_v2")
def resize(
    images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False,
    name: Any = None,
) -> Tensor:  # fmt: skip
    """As TensorFlow 2 does: the middles of the pixels are laid over each other. Floats, but for ``nearest``.

    Raises:
        ValueError: ``antialias``, ``preserve_aspect_ratio`` or another method than bilinear, nearest, bicubic, area.
    """
    method = _method(method)
    if antialias or preserve_aspect_ratio:
        raise ValueError("tf.image.resize with antialias or preserve_aspect_ratio is not supported")
    if method == "area":
        return _batched(images, lambda x: _area(x, _size(size)))
    return _batched(images, lambda x: _resized(x, _size(size), method, aligned=False, half=True))


@function("image.resize_images", "compat.v1.image.resize", "compat.v1.image.resize_images")
def resize_images(
    images: Any, size: Any, method: Any = 0, align_corners: bool = False, preserve_aspect_ratio: bool = False,
    name: Any = None,
) -> Tensor:  # fmt: skip
    """As TensorFlow 1 does: pixel i of the result lies at i * in / out; with ``align_corners``, corners on corners."""
    if preserve_aspect_ratio:
        raise ValueError("tf.image.resize_images with preserve_aspect_ratio is not supported")
    method = _method(method)
    if method == "area":
        return _batched(images, lambda x: _area(x, _size(size)))
    return _batched(images, lambda x: _resized(x, _size(size), method, align_corners, half=False))


def _resize_by(method: str) -> Callable:
    def resize_by(
        images: Any, size: Any, align_corners: bool = False, half_pixel_centers: bool = False, name: Any = None
    ) -> Tensor:
        return _batched(images, lambda x: _resized(x, _size(size), method, align_corners, half_pixel_centers))

    return resize_by


for _name, _kind in (("bilinear", "bilinear"), ("nearest_neighbor", "nearest"), ("bicubic", "bicubic")):
    function(f"image.resize_{_name}")(_resize_by(_kind))


def _resized(x: Tensor, size: list[Any], method: str, aligned: bool, half: bool) -> Tensor:
    dtype = x.dtype
    if method != "nearest" and not is_float(x):
        x = graph.cast(x, "float32")
    if not aligned and not half and method != "bicubic" and is_float(x):
        return graph.apply("resize", [x, graph.shape_tensor(size)], interpolation=method)
    sample = {"nearest": _nearest, "bilinear": _bilinear, "bicubic": _bicubic}[method]
    for axis, length in ((1, size[0]), (2, size[1])):
        x = sample(x, axis, length, aligned, half)
    return x if method != "nearest" else graph.cast(x, dtype)


def _places(x: Tensor, axis: int, length: Any, aligned: bool, half: bool) -> Tensor:
    """Where along an axis the pixels of the result lie, as float64."""
    before, after = (graph.cast(tensor(n), "float64") for n in (dim(x, axis), length))
    i = K.arange(length, dtype="float64")
    if aligned:
        steps = K.maximum(after - 1.0, 1.0)
        # One pixel lies at the first one's place, as nothing has to be stretched.
        return i * ((before - 1.0) / steps)
    return (i + 0.5) * (before / after) - 0.5 if half else i * (before / after)


def _at(x: Tensor, axis: int, places: Tensor) -> Tensor:
    """The pixels at whole places, of which those outside mean the edge."""
    last = graph.cast(tensor(dim(x, axis)), "float64") - 1.0
    inside = K.minimum(K.maximum(places, 0.0), last)
    return graph.apply("gather", [x, graph.cast(inside, "int64")], axis=axis)


def _along(weights: Tensor, like: Tensor, axis: int) -> Tensor:
    return graph.cast(K.reshape(weights, [-1] + [1] * (like.ndim - axis - 1)), like.dtype)


def _nearest(x: Tensor, axis: int, length: Any, aligned: bool, half: bool) -> Tensor:
    places = _places(x, axis, length, aligned, half)
    # Rounded half up, as the C function does that TensorFlow calls where corners lie on corners.
    shift = 0.5 if aligned or half else 0.0
    return _at(x, axis, graph.apply("floor", [places + shift]))


def _bilinear(x: Tensor, axis: int, length: Any, aligned: bool, half: bool) -> Tensor:
    places = _places(x, axis, length, aligned, half)
    low = graph.apply("floor", [places])
    before, behind = _at(x, axis, low), _at(x, axis, low + 1.0)
    return before + (behind - before) * _along(places - low, x, axis)


def _bicubic(x: Tensor, axis: int, length: Any, aligned: bool, half: bool) -> Tensor:
    """Keys's kernel over four pixels: a = -0.5 with half pixels, whose weights at the edge are scaled to sum 1, else -0.75."""
    places = _places(x, axis, length, aligned, half)
    low = graph.apply("floor", [places])
    rest = places - low
    a = -0.5 if half else -0.75
    weights = [_cubic_far(rest + 1.0, a), _cubic_near(rest, a), _cubic_near(1.0 - rest, a), _cubic_far(2.0 - rest, a)]
    if half:
        last = graph.cast(tensor(dim(x, axis)), "float64") - 1.0
        zero = graph.constant(0.0, "float64")
        for i in range(4):
            at = low + float(i - 1)
            inside = graph.apply("logical_and", [at >= 0.0, at <= last])
            weights[i] = graph.apply("select", [inside, weights[i], zero])
        total = weights[0] + weights[1] + weights[2] + weights[3]
        weights = [w / total for w in weights]
    return _sum([_at(x, axis, low + float(i - 1)) * _along(w, x, axis) for i, w in enumerate(weights)])


def _cubic_near(d: Tensor, a: float) -> Tensor:
    return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0


def _cubic_far(d: Tensor, a: float) -> Tensor:
    return ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a


def _sum(terms: list[Tensor]) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _area(x: Tensor, size: list[Any]) -> Tensor:
    """The mean of the pixels below each new one, where they are whole numbers of them.

    Raises:
        ValueError: the image does not shrink by whole factors.
    """
    height, width = x.shape[1:3]
    known = all(isinstance(n, int) for n in (height, width, *size))
    if not known or height % size[0] or width % size[1]:
        raise ValueError(
            f"resizing by area is supported by whole factors only, from {(height, width)} to {tuple(size)}"
        )
    factor = (height // size[0], width // size[1])
    x = x if is_float(x) else graph.cast(x, "float32")
    return K.pool2d(x, factor, factor, "valid", "channels_last", "avg")


# -- parts and turns --------------------------------------------------------------------------------------------
@function("image.flip_left_right")
def flip_left_right(image: Any, name: Any = None) -> Tensor:
    return K.reverse(tensor(image), -2)


@function("image.flip_up_down")
def flip_up_down(image: Any, name: Any = None) -> Tensor:
    return K.reverse(tensor(image), -3)


@function("image.transpose", "image.transpose_image")
def transpose(image: Any, name: Any = None) -> Tensor:
    return _batched(image, lambda x: K.permute_dimensions(x, [0, 2, 1, 3]))


@function("image.rot90")
def rot90(image: Any, k: int = 1, name: Any = None) -> Tensor:
    """Turned ``k`` times by 90 degrees, counter-clockwise."""
    turn: dict[int, Callable[[Tensor], Tensor]] = {
        0: lambda x: x,
        1: lambda x: K.reverse(K.permute_dimensions(x, [0, 2, 1, 3]), 1),
        2: lambda x: K.reverse(x, [1, 2]),
        3: lambda x: K.reverse(K.permute_dimensions(x, [0, 2, 1, 3]), 2),
    }
    return _batched(image, turn[int(k) % 4])


def _with_chance(f: Callable) -> Callable:
    def apply(image: Any, seed: Any = None, name: Any = None) -> Tensor:
        def each(x: Tensor) -> Tensor:
            drawn = K.random_uniform([dim(x, 0), 1, 1, 1], seed=seed)
            return graph.apply("select", [drawn < 0.5, x, f(x)])

        return _batched(image, each)

    return apply


for_scripts("image.random_flip_left_right")(_with_chance(flip_left_right))
for_scripts("image.random_flip_up_down")(_with_chance(flip_up_down))


@function("image.crop_to_bounding_box")
def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    x = tensor(image)
    rows = slice(offset_height, offset_height + target_height)
    return x[..., rows, slice(offset_width, offset_width + target_width), :]


@function("image.pad_to_bounding_box")
def pad_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Tensor:
    def widen(x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        if height is None or width is None:
            raise ValueError(f"the size of the image has to be known, got shape {x.shape}")
        before = [0, int(offset_height), int(offset_width), 0]
        after = [0, target_height - offset_height - height, target_width - offset_width - width, 0]
        return graph.apply("pad", [x], before=before, after=after, value=0.0)

    return _batched(image, widen)


@function("image.central_crop")
def central_crop(image: Any, central_fraction: float) -> Tensor:
    x = tensor(image)
    height, width = x.shape[-3:-1]
    if height is None or width is None:
        raise ValueError(f"the size of the image has to be known, got shape {x.shape}")
    top, left = (int((n - n * central_fraction) / 2) for n in (height, width))
    return x[..., top : height - top, left : width - left, :]


@function("image.resize_with_crop_or_pad", "image.resize_image_with_crop_or_pad")
def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Tensor:
    """The middle of a larger image, zeros around a smaller one."""

    def fit(x: Tensor) -> Tensor:
        for axis, target in ((1, int(target_height)), (2, int(target_width))):
            length = x.shape[axis]
            if length is None:
                raise ValueError(f"the size of the image has to be known, got shape {x.shape}")
            if length > target:
                first = (length - target) // 2
                x = x[along(axis, slice(first, first + target))]
            elif length < target:
                before, after = [0] * 4, [0] * 4
                before[axis] = (target - length) // 2
                after[axis] = target - length - before[axis]
                x = graph.apply("pad", [x], before=before, after=after, value=0.0)
        return x

    return _batched(image, fit)


@function("image.crop_and_resize")
def crop_and_resize(
    image: Any, boxes: Any = None, box_indices: Any = None, crop_size: Any = None, method: str = "bilinear",
    extrapolation_value: float = 0.0, name: Any = None, box_ind: Any = None,
) -> Tensor:  # fmt: skip
    """Boxes (y1, x1, y2, x2), in shares of the height and width less one, cut out of their images and resized.

    Corners lie on corners; what is outside the image has ``extrapolation_value``.
    """
    x = tensor(image)
    x = x if is_float(x) else graph.cast(x, "float32")
    boxes = tensor(boxes, x.dtype)
    owner = tensor(first_given(box_indices, box_ind), "int32")
    owner = owner if owner.dtype == "int32" else graph.cast(owner, "int32")
    if method not in ("bilinear", "nearest"):
        raise ValueError(f"tf.image.crop_and_resize has no method {method!r}: bilinear, nearest")
    (batch, height, width, channels), (rows, columns) = dims(x), _size(crop_size)
    at_y, at_x = (_crop_places(boxes[:, i], boxes[:, i + 2], dim(x, i + 1), n) for i, n in ((0, rows), (1, columns)))
    pixels = K.reshape(x, [product([batch, height, width]), channels])
    first = K.reshape(owner, [-1, 1, 1]) * height

    def pixel(y: Tensor, z: Tensor) -> Tensor:
        """(boxes, rows, columns, channels) at whole places, which are moved into the image."""
        inside_y = K.expand_dims(_clamped(y, height), 2)
        inside_x = K.expand_dims(_clamped(z, width), 1)
        return graph.apply("gather", [pixels, (first + inside_y) * width + inside_x], axis=0)

    if method == "nearest":
        cut = pixel(graph.apply("floor", [at_y + 0.5]), graph.apply("floor", [at_x + 0.5]))
    else:
        low_y, low_x = graph.apply("floor", [at_y]), graph.apply("floor", [at_x])
        share_y = K.expand_dims(K.expand_dims(at_y - low_y, 2), 3)
        share_x = K.expand_dims(K.expand_dims(at_x - low_x, 1), 3)
        top = pixel(low_y, low_x) * (1.0 - share_x) + pixel(low_y, low_x + 1.0) * share_x
        bottom = pixel(low_y + 1.0, low_x) * (1.0 - share_x) + pixel(low_y + 1.0, low_x + 1.0) * share_x
        cut = top * (1.0 - share_y) + bottom * share_y
    outside = graph.apply(
        "logical_or",
        [K.expand_dims(_outside(at_y, height), 2), K.expand_dims(_outside(at_x, width), 1)],
    )
    return graph.apply("select", [K.expand_dims(outside, 3), tensor(extrapolation_value, x.dtype), cut])


def _crop_places(low: Tensor, high: Tensor, length: Any, count: Any) -> Tensor:
    """(boxes, count) places along one axis."""
    last = graph.cast(tensor(length), low.dtype) - 1.0
    low, high = K.expand_dims(low, 1), K.expand_dims(high, 1)
    if count == 1:
        return (low + high) * 0.5 * last
    steps = K.expand_dims(K.arange(count, dtype=low.dtype), 0)
    return low * last + steps * ((high - low) * last / (graph.cast(tensor(count), low.dtype) - 1.0))


def _clamped(places: Tensor, length: Any) -> Tensor:
    last = graph.cast(tensor(length), places.dtype) - 1.0
    return graph.cast(K.minimum(K.maximum(places, 0.0), last), "int32")


def _outside(places: Tensor, length: Any) -> Tensor:
    last = graph.cast(tensor(length), places.dtype) - 1.0
    return graph.apply("logical_or", [places < 0.0, places > last])


# -- colours ------------------------------------------------------------------------------------------------------
@function("image.rgb_to_grayscale")
def rgb_to_grayscale(images: Any, name: Any = None) -> Tensor:
    x = tensor(images)
    gray = graph.apply(
        "matmul", [x if is_float(x) else graph.cast(x, "float32"), np.array([[0.2989], [0.587], [0.114]])]
    )
    return gray if is_float(x) else graph.cast(gray, x.dtype)


@function("image.grayscale_to_rgb")
def grayscale_to_rgb(images: Any, name: Any = None) -> Tensor:
    x = tensor(images)
    return K.tile(x, [1] * (x.ndim - 1) + [3])


@function("image.adjust_brightness")
def adjust_brightness(image: Any, delta: Any) -> Tensor:
    x = tensor(image)
    return convert_image_dtype(_floats(x) + delta, x.dtype, saturate=True)


def _floats(x: Tensor) -> Tensor:
    """An image of integers as fractions of the largest one."""
    return x if is_float(x) else convert_image_dtype(x, "float32")


@function("image.adjust_contrast")
def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    given = tensor(images)
    x = _floats(given)
    mean = K.mean(x, axis=[-3, -2], keepdims=True)
    return convert_image_dtype((x - mean) * contrast_factor + mean, given.dtype, saturate=True)


@function("image.per_image_standardization")
def per_image_standardization(image: Any) -> Tensor:
    """Each image with mean 0 and standard deviation 1, which is taken as at least one over the root of the pixels."""
    x = tensor(image)
    x = x if is_float(x) else graph.cast(x, "float32")
    over = [-3, -2, -1]
    count = graph.cast(tensor(product(dims(x)[-3:])), x.dtype)
    spread = K.maximum(K.std(x, over, keepdims=True), graph.apply("rsqrt", [count]))
    return (x - K.mean(x, over, keepdims=True)) / spread


@function("image.convert_image_dtype")
def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: Any = None) -> Tensor:
    """Floats in [0, 1] to integers over their whole range, and back.

    Raises:
        ValueError: from integers to integers of another size.
    """
    x, dtype = tensor(image), dtype_name(dtype)
    if x.dtype == dtype:
        return x
    to_float = dtype.startswith("float")
    if is_float(x) and to_float:
        return graph.cast(x, dtype)
    if to_float:
        return graph.cast(x, dtype) * (1.0 / np.iinfo(x.dtype).max)
    if not is_float(x):
        raise ValueError(f"tf.image.convert_image_dtype from {x.dtype} to {dtype} is not supported")
    limits = np.iinfo(dtype)
    scaled = graph.apply("floor", [x * (limits.max + 0.5)])
    return graph.cast(K.minimum(K.maximum(scaled, limits.min), limits.max) if saturate else scaled, dtype)


# -- measures -----------------------------------------------------------------------------------------------------
@function("image.total_variation")
def total_variation(images: Any, name: Any = None) -> Tensor:
    """The sum of the sizes of all differences between neighbours, of each image."""
    x = tensor(images)
    down, right = x[..., 1:, :, :] - x[..., :-1, :, :], x[..., 1:, :] - x[..., :-1, :]
    return K.sum(K.abs(down), axis=[-3, -2, -1]) + K.sum(K.abs(right), axis=[-3, -2, -1])


@function("image.image_gradients")
def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """Differences to the next pixel below and to the right; 0 at the end."""
    x = tensor(image)
    down, right = x[:, 1:] - x[:, :-1], x[:, :, 1:] - x[:, :, :-1]
    none = [0, 0, 0, 0]
    return (
        graph.apply("pad", [down], before=none, after=[0, 1, 0, 0], value=0.0),
        graph.apply("pad", [right], before=none, after=[0, 0, 1, 0], value=0.0),
    )


@function("image.sobel_edges")
def sobel_edges(image: Any) -> Tensor:
    """Sobel's differences down and to the right of each channel, in a new last axis; edges are mirrored."""
    x = tensor(image)
    channels = x.shape[-1]
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    kernel = np.stack([down, down.T], axis=-1)[:, :, None, :].repeat(channels, axis=2).astype(x.dtype)
    x = pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    y = K.depthwise_conv2d(x, graph.constant(kernel), (1, 1), "valid", "channels_last")
    return K.reshape(y, [*dims(y)[:3], channels, 2])


@function("image.psnr")
def psnr(a: Any, b: Any, max_val: Any, name: Any = None) -> Tensor:
    """Peak signal to noise of each pair of images, in decibels."""
    a, b = _scaled(a, b)
    error = K.mean(K.square(a - b), axis=[-3, -2, -1])
    peak = 20.0 * graph.apply("log", [tensor(max_val, a.dtype)])
    return (peak - 10.0 * graph.apply("log", [error])) * (1.0 / math.log(10.0))


def _scaled(a: Any, b: Any) -> list[Tensor]:
    return [x if is_float(x) else graph.cast(x, "float32") for x in tensors(a, b)]


@function("image.ssim")
def ssim(
    img1: Any, img2: Any, max_val: Any, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, name: Any = None,
) -> Tensor:  # fmt: skip
    """Structural similarity of each pair of images (Wang et al., 2004): the mean over windows and channels."""
    a, b = _scaled(img1, img2)
    alike, _ = _ssim(a, b, max_val, filter_size, filter_sigma, k1, k2)
    return K.mean(alike, axis=-1)


def _ssim(
    a: Tensor, b: Tensor, max_val: Any, filter_size: int, filter_sigma: float, k1: float, k2: float
) -> tuple[Tensor, Tensor]:
    """The similarity and its part of contrast and structure, a mean for each channel."""
    channels = a.shape[-1]
    distance = np.arange(filter_size) - (filter_size - 1) / 2.0
    share = np.exp(-0.5 * (distance / filter_sigma) ** 2)
    window = np.outer(share, share) / np.outer(share, share).sum()
    kernel = graph.constant(np.repeat(window[:, :, None, None], channels, axis=2).astype(a.dtype))

    def blurred(x: Tensor) -> Tensor:
        shape = dims(x)
        y = K.depthwise_conv2d(K.reshape(x, [-1, *shape[-3:]]), kernel, (1, 1), "valid", "channels_last")
        return K.reshape(y, [*shape[:-3], *dims(y)[1:]])

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean_a, mean_b = blurred(a), blurred(b)
    product_of_means, squares = mean_a * mean_b, K.square(mean_a) + K.square(mean_b)
    luminance = (2.0 * product_of_means + c1) / (squares + c1)
    both, each = blurred(a * b), blurred(K.square(a) + K.square(b))
    structure = (2.0 * both - 2.0 * product_of_means + c2) / (each - squares + c2)
    return K.mean(luminance * structure, axis=[-3, -2]), K.mean(structure, axis=[-3, -2])


@function("image.ssim_multiscale")
def ssim_multiscale(
    img1: Any, img2: Any, max_val: Any, power_factors: Any = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
    filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03, name: Any = None,
) -> Tensor:  # fmt: skip
    """Over several sizes, each half of the one before, weighted by powers (Wang et al., 2003)."""
    a, b = _scaled(img1, img2)
    parts = []
    for i, power in enumerate(power_factors):
        if i:
            a, b = (K.pool2d(x, (2, 2), (2, 2), "same", "channels_last", "avg") for x in (a, b))
        alike, structure = _ssim(a, b, max_val, filter_size, filter_sigma, k1, k2)
        part = alike if i == len(power_factors) - 1 else structure
        parts.append(K.relu(part) ** float(power))
    total = parts[0]
    for part in parts[1:]:
        total = total * part
    return K.mean(total, axis=-1)


# -- boxes --------------------------------------------------------------------------------------------------------
@function("image.non_max_suppression")
def non_max_suppression(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: float = 0.5, score_threshold: float = -math.inf,
    name: Any = None,
) -> Tensor:  # fmt: skip
    """Boxes (n, 4) by falling score, without those that overlap one before by more than ``iou_threshold``.

    Returns:
        int32 numbers of boxes, as many as are left.
    """
    chosen, count = _suppress(boxes, scores, max_output_size, iou_threshold, score_threshold)
    SizesFromData.count += 1
    return chosen[:count]


@function("image.non_max_suppression_padded")
def non_max_suppression_padded(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: float = 0.5, score_threshold: float = -math.inf,
    pad_to_max_output_size: bool = False, name: Any = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """:func:`non_max_suppression` and how many are left; with ``pad_to_max_output_size``, zeros behind them."""
    chosen, count = _suppress(boxes, scores, max_output_size, iou_threshold, score_threshold)
    return chosen if pad_to_max_output_size else chosen[:count], count


def _suppress(
    boxes: Any, scores: Any, most: Any, iou_threshold: float, score_threshold: float
) -> tuple[Tensor, Tensor]:
    """One step for each box that may be chosen: the best of those left, whose neighbours then go."""
    boxes, scores = (graph.apply("stop_gradient", [tensor(t)]) for t in (boxes, scores))
    # One more that is never chosen, so that there is a best one of no boxes.
    boxes = graph.apply("pad", [boxes], before=[0, 0], after=[1, 0], value=0.0)
    scores = graph.apply("pad", [scores], before=[0], after=[1], value=-math.inf)
    low, high = K.minimum(boxes[:, :2], boxes[:, 2:]), K.maximum(boxes[:, :2], boxes[:, 2:])
    area = K.prod(high - low, axis=1)
    gone = graph.constant(-math.inf, scores.dtype)
    left = graph.apply("select", [scores > score_threshold, scores, gone])

    def step(states: list[Tensor], rows: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        (left,) = states
        best = graph.apply("argmax", [left], axis=0)
        alive = K.max(left) > -math.inf
        best_low, best_high, best_area = (graph.apply("gather", [t, best], axis=0) for t in (low, high, area))
        overlap = K.prod(K.maximum(K.minimum(high, best_high) - K.maximum(low, best_low), 0.0), axis=1)
        together = area + best_area - overlap
        near = overlap > iou_threshold * together
        itself = graph.apply("equal", [K.arange(dim(left, 0), dtype="int64"), best])
        number = graph.apply("select", [alive, graph.cast(best, "int32"), graph.constant(0, "int32")])
        stays = graph.apply("select", [graph.apply("logical_or", [near, itself]), gone, left])
        return [number, graph.cast(alive, "int32")], [stays]

    if isinstance(most, Tensor) and most.ndim:
        most = K.reshape(most, [])
    steps = K.arange(most if isinstance(most, Tensor) else int(most))
    numbers, alive = graph.scan(step, [left], [steps]).outputs
    return numbers, K.sum(alive)
