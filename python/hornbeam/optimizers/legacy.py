"""The optimizers under the name that tf.keras from 2.11 on has for those of before."""

from .base import Optimizer
from .classic import SGD, Adadelta, Adagrad, Adam, Adamax, Nadam, RMSprop
from .later import Ftrl

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]
