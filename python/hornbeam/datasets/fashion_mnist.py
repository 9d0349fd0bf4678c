"""Pictures of clothes in MNIST's format: 60,000 to train on and 10,000 to test on."""

from __future__ import annotations

import gzip
import math
import os
import struct

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


def _read_idx(path: str) -> np.ndarray:
    """An IDX file of bytes: two zeros, the type 8, the number of axes, their lengths in big endian, the data."""
    with gzip.open(path) as file:
        data = file.read()
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not an IDX file of bytes.")
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    return np.frombuffer(data, np.uint8, math.prod(shape), offset=4 + 4 * len(shape)).reshape(shape)
