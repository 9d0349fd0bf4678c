"""Handwritten digits: 60,000 to train on and 10,000 to test on."""

from __future__ import annotations

from ..utils.data_utils import get_file
from . import npz
from .files import published


def load_data(path="mnist.npz"):
    """Load MNIST.

    Args:
        path: name of the file in the cache.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images of shape (n, 28, 28), and labels 0 to 9.
    """
    x_train, y_train, x_test, y_test = npz.read(
        get_file(path, **published("mnist.npz")), "x_train", "y_train", "x_test", "y_test"
    )
    return (x_train, y_train), (x_test, y_test)
