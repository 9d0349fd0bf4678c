"""Saving and loading, under the module path that Keras 2.3.1 had."""

from ..saving import *  # noqa: F403
from ..saving import __all__  # noqa: F401
