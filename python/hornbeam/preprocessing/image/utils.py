"""Images as arrays: files, Pillow images, and lists of files."""

from __future__ import annotations

import os
import struct

import numpy as np

from ...backend.common import image_data_format
from ...graph import floatx
from ...utils.messages import warn_user
from .optional import require

_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_PICTURES = ("jpg", "jpeg", "bmp", "png", "ppm", "tif", "tiff")


def validate_filename(filename, white_list_formats):
    """Whether a file exists and has one of the endings."""
    return filename.lower().endswith(tuple(white_list_formats)) and os.path.isfile(filename)


def list_pictures(directory, ext=_PICTURES):
    """The files below a folder that have one of the extensions (a string or several)."""
    endings = tuple(f".{e}" for e in ((ext,) if isinstance(ext, str) else ext))
    return [
        os.path.join(root, name)
        for root, _, names in os.walk(directory)
        for name in names
        if name.lower().endswith(endings)
    ]


def iter_valid_files(directory, white_list_formats, follow_links):
    """Pairs ``(folder, file name)`` of the pictures below a folder, in alphabetical order."""
    for root, _, names in sorted(os.walk(directory, followlinks=follow_links)):
        for name in sorted(names):
            if name.lower().endswith(".tiff"):
                warn_user('Using ".tiff" files with multiple bands will cause distortion. Please verify your output.')
            if name.lower().endswith(tuple(white_list_formats)):
                yield root, name


def load_img(
    path, grayscale=False, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False
):  # fmt: skip
    """Read a picture with Pillow.

    Args:
        path: of the file.
        grayscale: old name of ``color_mode='grayscale'``.
        color_mode: ``'grayscale'``, ``'rgb'`` or ``'rgba'``.
        target_size: ``(height, width)`` to resize to.
        interpolation: ``'nearest'``, ``'bilinear'``, ``'bicubic'``, ``'hamming'``, ``'box'`` or ``'lanczos'``.
        keep_aspect_ratio: resize the largest middle part that has the proportions of ``target_size``.

    Returns:
        A Pillow image.

    Raises:
        ImportError: Pillow is not installed.
        OSError: there is no such file, or it is not a whole image.
        ValueError: unknown colour mode, or an unknown interpolation where there is something to resize.
    """
    if grayscale:
        warn_user('grayscale is deprecated. Please use color_mode = "grayscale"')
        color_mode = "grayscale"
    if color_mode not in ("grayscale", "rgb", "rgba"):
        raise ValueError('color_mode must be "grayscale", "rgb", or "rgba"')
    pillow = require("PIL.Image")
    try:
        with pillow.open(path) as file:
            file.load()
            deep = color_mode == "grayscale" and file.mode in ("I", "I;16")  # more than 8 bits, which L would clip
            image = file.copy() if deep else file.convert({"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}[color_mode])
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, pillow.DecompressionBombError) as error:
        if str(path) in str(error):
            raise
        raise OSError(f"{str(path)!r} is not an image that can be read: {error}") from error
    if target_size is not None:
        size = (target_size[1], target_size[0])
        if image.size != size:
            if interpolation not in _RESAMPLING:
                raise ValueError(
                    f"Invalid interpolation method {interpolation} specified. Supported methods are "
                    f"{', '.join(_RESAMPLING)}"
                )
            box = _middle(image.size, size) if keep_aspect_ratio else None
            image = image.resize(size, getattr(pillow.Resampling, interpolation.upper()), box)
    return image


def _middle(whole, size):
    """The corners of the largest middle part of an image that has the proportions of ``size``; all as (width, height)."""
    width, height = min(whole[0], whole[1] * size[0] // size[1]), min(whole[1], whole[0] * size[1] // size[0])
    left, top = (whole[0] - width) // 2, (whole[1] - height) // 2
    return left, top, left + width, top + height


def array_to_img(x, data_format=None, scale=True, dtype=None):
    """Turn an array into a Pillow image.

    Args:
        x: array of shape ``(height, width, channels)``, or channels first; 1, 3 or 4 channels.
        data_format: ``'channels_last'`` or ``'channels_first'``; by default the backend's.
        scale: whether to stretch the values to 0 to 255.
        dtype: to compute in, by default ``floatx()``.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: the shape is not that of an image.
    """
    pillow = require("PIL.Image")
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise ValueError(f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}")
    if _checked(data_format) == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - x.min()
        largest = x.max()
        if largest != 0:
            x = x / largest
        x = x * 255
    channels = x.shape[2]
    if channels in (3, 4):
        return pillow.fromarray(np.ascontiguousarray(x.astype("uint8")))
    if channels == 1:
        return pillow.fromarray(np.ascontiguousarray(x[:, :, 0].astype("int32" if x.max() > 255 else "uint8")))
    raise ValueError(f"Unsupported channel number: {channels}")


def img_to_array(img, data_format=None, dtype=None):
    """Turn a Pillow image into an array of rank 3.

    Args:
        img: the image.
        data_format: ``'channels_last'`` or ``'channels_first'``; by default the backend's.
        dtype: of the array, by default ``floatx()``.
    """
    channels_first = _checked(data_format) == "channels_first"
    x = np.asarray(img, dtype=dtype or floatx())
    if x.ndim == 2:
        x = x[:, :, np.newaxis]
    if x.ndim != 3:
        raise ValueError(f"Unsupported image shape: {x.shape}")
    return x.transpose(2, 0, 1) if channels_first else x


def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs):
    """Write an array as a picture.

    Args:
        path: of the file, or a file object.
        x, data_format, scale: see :func:`array_to_img`.
        file_format: by default the path's extension says it.
        kwargs: for Pillow's ``save``.
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    if image.mode == "RGBA" and file_format in ("jpg", "jpeg"):
        warn_user("The JPG format does not support RGBA images, converting to RGB.")
        image = image.convert("RGB")
    image.save(path, format="jpeg" if file_format == "jpg" else file_format, **kwargs)


def _checked(data_format):
    data_format = data_format or image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"Invalid data_format: {data_format}")
    return data_format
