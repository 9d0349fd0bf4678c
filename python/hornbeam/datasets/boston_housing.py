"""Prices of 506 houses in Boston in the 1970s, with 13 figures about each neighbourhood."""

from __future__ import annotations

import numpy as np

from ..utils.data_utils import get_file
from . import npz
from .files import published
from .sequences import shuffled


def load_data(path="boston_housing.npz", test_split=0.2, seed=113):
    """Load the prices.

    Args:
        path: name of the file in the cache.
        test_split: share of the houses for the test.
        seed: of the shuffling.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: float64 of shapes (n, 13) and (n,); prices in thousands of dollars.
    """
    assert 0 <= test_split < 1
    x, y = npz.read(get_file(path, **published("boston_housing.npz")), "x", "y")
    x, y = shuffled(np.random.RandomState(seed), x, y)
    split = int(len(x) * (1 - test_split))
    return (x[:split], y[:split]), (x[split:], y[split:])
