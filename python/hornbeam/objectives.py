"""Keras 1's name for :mod:`hornbeam.losses`."""

from .losses import *  # noqa: F403
