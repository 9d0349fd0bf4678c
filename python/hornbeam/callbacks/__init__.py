"""Callbacks: what looks on while a model trains."""

from .callbacks import *  # noqa: F403
from .callbacks import __all__
