"""The names that the optimizers of tf.keras 2.11 had before that: ``keras.optimizers.experimental``."""

from .base import Optimizer
from .classic import SGD, Adadelta, Adagrad, Adam, Adamax, Nadam, RMSprop
from .later import Adafactor, AdamW, Ftrl

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Nadam",
    "Optimizer",
    "RMSprop",
]
