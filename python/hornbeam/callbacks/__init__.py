"""Callbacks: what looks on while a model trains."""

from ..utils.generic_utils import Progbar
from . import experimental
from .callbacks import *  # noqa: F403
from .callbacks import __all__ as _without_tensorboard
from .tensorboard import TensorBoard

__all__ = [*_without_tensorboard, "TensorBoard", "experimental"]
