"""The optimizers of tf.keras up to 2.10, as later versions of it keep them: ``keras.optimizers.legacy``.

They are those of :mod:`hornbeam.optimizers`, with the defaults of that time (``generations.py``).
"""

from __future__ import annotations

from typing import Any

from . import classic, later
from .base import Optimizer


def _legacy(kind: type[Optimizer]) -> Any:
    """A class of the same name, marked as one of that generation."""
    return type(kind.__name__, (kind,), {"__module__": __name__, "__doc__": kind.__doc__, "_is_legacy": True})


SGD = _legacy(classic.SGD)
RMSprop = _legacy(classic.RMSprop)
Adagrad = _legacy(classic.Adagrad)
Adadelta = _legacy(classic.Adadelta)
Adam = _legacy(classic.Adam)
Adamax = _legacy(classic.Adamax)
Nadam = _legacy(classic.Nadam)
Ftrl = _legacy(later.Ftrl)

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]
