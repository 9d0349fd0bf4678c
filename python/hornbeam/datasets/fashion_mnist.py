"""Pictures of clothes in MNIST's format: 60,000 to train on and 10,000 to test on."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib

import numpy as np

from ..utils.data_utils import get_file
from .files import published


def load_data():
    """Load Fashion-MNIST.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images of shape (n, 28, 28), and labels: 0 T-shirt, 1 trousers,
        2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.
    """
    folder = os.path.join("datasets", "fashion-mnist")
    y_train, x_train, y_test, x_test = (
        _read_idx(get_file(f"{part}-ubyte.gz", cache_subdir=folder, **published(f"{part}-ubyte.gz")))
        for part in ("train-labels-idx1", "train-images-idx3", "t10k-labels-idx1", "t10k-images-idx3")
    )
    return (x_train, y_train), (x_test, y_test)


_MAX_EXPANSION = 1032  # more is not possible with gzip


def _read_idx(path: str) -> np.ndarray:
    """An IDX file of bytes: two zeros, the type 8, the number of axes, their lengths in big endian, the data.

    Raises:
        ValueError: it is something else.
    """
    try:
        with gzip.open(path) as file:
            start = file.read(4)
            if len(start) < 4 or start[:3] != b"\0\0\x08" or start[3] > 8:
                raise ValueError("it does not begin as such a file does")
            shape = struct.unpack(f">{start[3]}I", file.read(4 * start[3]))
            if math.prod(shape) > _MAX_EXPANSION * os.path.getsize(path):
                raise ValueError(f"it states a shape of {shape}")
            data = file.read(math.prod(shape))
            if file.read(1):  # with which the checksum is read, too
                raise ValueError("it goes on behind its data")
            return np.frombuffer(data, np.uint8).reshape(shape)
    except (EOFError, zlib.error, struct.error, gzip.BadGzipFile, ValueError) as error:
        raise ValueError(f"{path} is not an IDX file of bytes: {error}") from error
