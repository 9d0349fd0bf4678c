"""Small colour pictures of 10 kinds of things: 50,000 to train on and 10,000 to test on."""

from __future__ import annotations

import os

import numpy as np

from .. import backend as K
from ..utils.data_utils import get_file
from .cifar import load_batch
from .files import published


def load_data():
    """Load CIFAR-10.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images of shape (n, 32, 32, 3), or (n, 3, 32, 32) where the
        image data format is ``channels_first``, and labels 0 to 9 of shape (n, 1).
    """
    folder = get_file("cifar-10-batches-py", untar=True, **published("cifar-10-batches-py"))
    batches = [load_batch(os.path.join(folder, f"data_batch_{i}")) for i in range(1, 6)]
    x_train = np.concatenate([data for data, _ in batches])
    y_train = np.concatenate([np.asarray(labels, "uint8") for _, labels in batches]).reshape(-1, 1)
    x_test, y_test = load_batch(os.path.join(folder, "test_batch"))
    y_test = np.reshape(y_test, (-1, 1))
    if K.image_data_format() == "channels_last":
        x_train, x_test = x_train.transpose(0, 2, 3, 1), x_test.transpose(0, 2, 3, 1)
    return (x_train, y_train), (x_test, y_test)
