"""The optimizers of tf.keras up to 2.10, as later versions of it keep them: ``keras.optimizers.legacy``.

They are those of :mod:`hornbeam.optimizers`, with the defaults of that time (``generations.py``).
"""

from __future__ import annotations

from . import classic, later
from .base import Optimizer


class SGD(classic.SGD):
    _is_legacy = True


class RMSprop(classic.RMSprop):
    _is_legacy = True


class Adagrad(classic.Adagrad):
    _is_legacy = True


class Adadelta(classic.Adadelta):
    _is_legacy = True


class Adam(classic.Adam):
    _is_legacy = True


class Adamax(classic.Adamax):
    _is_legacy = True


class Nadam(classic.Nadam):
    _is_legacy = True


class Ftrl(later.Ftrl):
    _is_legacy = True


__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]
