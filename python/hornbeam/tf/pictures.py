"""Pictures out of strings and back: JPEG, PNG, BMP and GIF, by Pillow."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from ..preprocessing.image.optional import require
from .common import dtype_name, entries
from .table import for_scripts

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def _opened(data: bytes) -> Any:
    image = require("PIL.Image")
    try:
        return image.open(io.BytesIO(data))
    except image.DecompressionBombError as error:
        raise ValueError(f"The image of {len(data)} bytes is not decoded: {error}") from None
    except OSError:
        begin = data[:8]
        raise ValueError(
            f"Unknown image file format, of {len(data)} bytes beginning with {begin!r}: one of JPEG, PNG, GIF, BMP required."
        ) from None


def _pixels(picture: Any, channels: int) -> np.ndarray:
    """Height, width and channels of a picture; with 0 channels, as many as it has.

    Raises:
        ValueError: the data are damaged.
    """
    if channels == 0:
        channels = {"1": 1, "L": 1, "I;16": 1, "I": 1, "LA": 4, "RGBA": 4, "P": 3}.get(picture.mode, 3)
        if picture.mode == "P" and "transparency" in picture.info:
            channels = 4
    try:
        array = np.asarray(picture.convert(_MODES[channels]))
    except (OSError, SyntaxError) as error:  # the latter is what Pillow says of chunks that are not PNG's
        raise ValueError(f"The image data are damaged: {error}") from None
    return array[:, :, None] if array.ndim == 2 else array


def _decode(data: bytes, channels: int, dtype: str) -> np.ndarray:
    picture = _opened(data)
    if dtype == "uint16" and picture.mode.startswith("I"):
        array = np.asarray(picture).astype("uint16")[:, :, None]
        return np.repeat(array, channels or 1, axis=2)
    array = _pixels(picture, channels)
    if dtype == "uint16":
        return array.astype("uint16") * 257
    return array if dtype == "uint8" else (array / 255.0).astype(dtype)


def _decoder(contents: Any, channels: Any, dtype: Any = "uint8") -> Tensor:
    channels, name = int(channels or 0), dtype_name(dtype)
    if channels not in (0, *_MODES):
        raise ValueError(f"channels must be 0, 1, 3 or 4, got {channels}")

    def decode(data: np.ndarray) -> np.ndarray:
        return _decode(data.item(), channels, name)

    return graph.on_host(decode, [graph.convert(contents)], (name, (None, None, channels or None)))


@for_scripts("image.decode_jpeg", "io.decode_jpeg")
def decode_jpeg(
    contents: Any, channels: Any = 0, ratio: int = 1, fancy_upscaling: bool = True, try_recover_truncated: bool = False,
    acceptable_fraction: float = 1, dct_method: str = "", name: Any = None,
) -> Tensor:  # fmt: skip
    """The pixels of a JPEG picture (height, width, channels) in uint8; those of other formats, too.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: it is not a picture.
    """
    return _decoder(contents, channels)[::ratio, ::ratio] if ratio != 1 else _decoder(contents, channels)


@for_scripts("image.decode_and_crop_jpeg", "io.decode_and_crop_jpeg")
def decode_and_crop_jpeg(contents: Any, crop_window: Any, channels: Any = 0, **other: Any) -> Tensor:
    """A part of a JPEG picture, (y, x, height, width) of ``crop_window``; other arguments as of :func:`decode_jpeg`."""
    y, x, height, width = entries(crop_window)
    return decode_jpeg(contents, channels, **other)[y : y + height, x : x + width]


@for_scripts("image.decode_png", "io.decode_png")
def decode_png(contents: Any, channels: Any = 0, dtype: Any = "uint8", name: Any = None) -> Tensor:
    """The pixels of a PNG picture (height, width, channels) in uint8 or uint16; see :func:`decode_jpeg`."""
    return _decoder(contents, channels, dtype)


@for_scripts("image.decode_bmp", "io.decode_bmp")
def decode_bmp(contents: Any, channels: Any = 0, name: Any = None) -> Tensor:
    """The pixels of a BMP picture (height, width, channels) in uint8; see :func:`decode_jpeg`."""
    return _decoder(contents, channels)


@for_scripts("image.decode_gif", "io.decode_gif")
def decode_gif(contents: Any, name: Any = None) -> Tensor:
    """All frames of a GIF picture (frames, height, width, 3) in uint8."""

    def decode(data: np.ndarray) -> np.ndarray:
        sequence = require("PIL.ImageSequence")
        return np.stack([_pixels(frame, 3) for frame in sequence.Iterator(_opened(data.item()))])

    return graph.on_host(decode, [graph.convert(contents)], ("uint8", (None, None, None, 3)))


@for_scripts("image.decode_image", "io.decode_image")
def decode_image(
    contents: Any, channels: Any = None, dtype: Any = "uint8", name: Any = None, expand_animations: bool = True
) -> Tensor:
    """The pixels of a picture of any of the formats (height, width, channels); of a GIF the first frame.

    Args:
        dtype: ``tf.uint8``, ``tf.uint16``, or a float's, in which pixels lie between 0 and 1.
        expand_animations: whether a GIF gives all its frames, along a first axis more: of a string that is there.
    """
    tensor = graph.convert(contents)
    if expand_animations and tensor._known and tensor.numpy()[:4] == b"GIF8":
        frames = decode_gif(tensor)
        return frames if dtype_name(dtype) == "uint8" else graph.cast(frames, dtype_name(dtype)) / 255.0
    return _decoder(tensor, channels, dtype)


@for_scripts("io.is_jpeg", "image.is_jpeg")
def is_jpeg(contents: Any, name: Any = None) -> Tensor:
    """Whether a string begins as a JPEG picture does."""
    return graph.on_host(lambda data: data.item()[:3] == b"\xff\xd8\xff", [graph.convert(contents)], ("bool", ()))


def _encoder(image: Any, format: str, **options: Any) -> Tensor:
    tensor = graph.convert(image)
    if tensor.dtype not in ("uint8", "uint16"):
        raise ValueError(f"a picture is encoded of uint8, got {tensor.dtype}")

    def encode(pixels: np.ndarray) -> np.ndarray:
        flat = pixels[:, :, 0] if pixels.shape[-1] == 1 else pixels
        out = io.BytesIO()
        require("PIL.Image").fromarray(flat).save(out, format, **options)
        return np.array(out.getvalue(), dtype=object)

    return graph.on_host(encode, [tensor], ("string", ()))


@for_scripts("image.encode_jpeg", "io.encode_jpeg")
def encode_jpeg(image: Any, format: str = "", quality: int = 95, progressive: bool = False, **other: Any) -> Tensor:
    """A picture (height, width, channels) in uint8 as a JPEG string."""
    return _encoder(image, "JPEG", quality=quality, progressive=progressive)


@for_scripts("image.encode_png", "io.encode_png")
def encode_png(image: Any, compression: int = -1, name: Any = None) -> Tensor:
    """A picture (height, width, channels) in uint8 as a PNG string."""
    return _encoder(image, "PNG")
