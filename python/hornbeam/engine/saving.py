"""Saving and loading, under the module path that Keras 2.3.1 had."""

from __future__ import annotations

from collections.abc import Callable

from ..saving import *  # noqa: F403
from ..saving import __all__ as _saving
from ..saving import remote as tf_file_io  # noqa: F401 - what the name meant in Keras: files behind an address
from ..utils.io_utils import ask_to_proceed_with_overwrite  # noqa: F401 - looked up here when a file is written

__all__ = [*_saving, "allow_read_from_gcs", "allow_write_to_gcs"]


def allow_write_to_gcs(save_function: Callable) -> Callable:
    """Keras's decorator for functions that save to Google's storage; the function itself: all of them can."""
    return save_function


def allow_read_from_gcs(load_function: Callable) -> Callable:
    """Keras's decorator for functions that load from Google's storage; the function itself: all of them can."""
    return load_function
