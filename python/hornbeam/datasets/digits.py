"""1,797 handwritten digits that come with scikit-learn: a small MNIST that needs no network."""

from __future__ import annotations

import numpy as np

from .sequences import shuffled


def load_data(test_split=0.2, seed=113):
    """Load the digits.

    Args:
        test_split: share of the digits for the test.
        seed: of the shuffling.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images of shape (n, 8, 8) with values 0 to 16, and labels 0 to 9.

    Raises:
        ImportError: scikit-learn is not there.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("The digits come with scikit-learn: pip install scikit-learn") from error
    bunch = load_digits()
    x, y = bunch.images.astype("uint8"), bunch.target.astype("uint8")
    x, y = shuffled(np.random.RandomState(seed), x, y)
    split = int(len(x) * (1 - test_split))
    return (x[:split], y[:split]), (x[split:], y[split:])
