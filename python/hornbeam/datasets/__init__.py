"""Small data sets, downloaded once into ``~/.keras/datasets`` (or below ``KERAS_HOME``).

``digits`` comes with scikit-learn and needs no network.
"""

from __future__ import annotations

from ..lazy import lazy_attributes

__all__ = [
    "boston_housing", "cifar", "cifar10", "cifar100", "digits", "fashion_mnist", "imdb", "mnist", "reuters",
]  # fmt: skip

__getattr__, __dir__ = lazy_attributes(globals(), {}, __all__)
