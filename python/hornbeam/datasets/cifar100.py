"""Small colour pictures of 100 kinds of things in 20 groups: 50,000 to train on and 10,000 to test on."""

from __future__ import annotations

import os

import numpy as np

from .. import backend as K
from ..utils.data_utils import get_file
from .cifar import load_batch
from .files import published


def load_data(label_mode="fine"):
    """Load CIFAR-100.

    Args:
        label_mode: ``"fine"`` for labels 0 to 99, ``"coarse"`` for the groups 0 to 19.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images of shape (n, 32, 32, 3), or (n, 3, 32, 32) where the
        image data format is ``channels_first``, and labels of shape (n, 1).

    Raises:
        ValueError: another ``label_mode``.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError('`label_mode` must be one of `"fine"`, `"coarse"`.')
    folder = get_file("cifar-100-python", untar=True, **published("cifar-100-python"))
    sets = []
    for part in ("train", "test"):
        x, y = load_batch(os.path.join(folder, part), label_key=f"{label_mode}_labels")
        if K.image_data_format() == "channels_last":
            x = x.transpose(0, 2, 3, 1)
        sets.append((x, np.reshape(y, (-1, 1))))
    return tuple(sets)
