"""``keras.preprocessing.image.smart_resize``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from .image import resize


def smart_resize(x: Any, size: Any, interpolation: str = "bilinear") -> Any:
    """The largest middle part of images that has the proportions of ``size``, resized to it.

    Args:
        x: (height, width, channels) or (batch, height, width, channels); a tensor, or an array, which gives an array.
        size: (height, width).
        interpolation: as for ``tf.image.resize``.

    Raises:
        ValueError: another rank, or another length of ``size``.
    """
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers, but got: {size}.")
    images = graph.convert(x)
    if images.ndim not in (3, 4):
        raise ValueError(
            "Expected an image array with shape (height, width, channels) or (batch_size, height, width, channels), but got "
            f"shape {images.shape}."
        )
    dims = graph.shape_of(images) if None in images.shape else images.shape
    height, width = dims[-3], dims[-2]
    rows = _smaller(height, _share(width, size[0], size[1]))
    columns = _smaller(width, _share(height, size[1], size[0]))
    top, left = (height - rows) // 2, (width - columns) // 2
    part = images[..., top : top + rows, left : left + columns, :]
    resized = resize(part, size, interpolation)
    return resized.numpy() if isinstance(x, np.ndarray) else resized


def _share(length: Any, part: int, whole: int) -> Any:
    """``length * part / whole``, rounded down as float32 has it."""
    if isinstance(length, Tensor):
        return graph.cast(graph.cast(length * part, "float32") / float(whole), "int32")
    return int(np.float32(length * part) / np.float32(whole))


def _smaller(a: Any, b: Any) -> Any:
    return graph.apply("minimum", [graph.cast(a, "int32"), b]) if isinstance(a, Tensor) else min(a, b)
