"""Saving and loading, under the module path that Keras 2.3.1 had."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

from ..saving import *  # noqa: F403
from ..saving import __all__ as _saving
from ..saving import targets
from ..saving.targets import ask_to_proceed_with_overwrite, tf_file_io  # noqa: F401 - Keras has them here

__all__ = [*_saving, "allow_read_from_gcs", "allow_write_to_gcs"]


class _Module(types.ModuleType):
    """This module: what tests of Keras code put in place of its storage and its question is what files are written with."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in ("ask_to_proceed_with_overwrite", "tf_file_io"):
            setattr(targets, name, value)


sys.modules[__name__].__class__ = _Module


def allow_write_to_gcs(save_function: Callable) -> Callable:
    """Keras's decorator for functions that save to Google's storage; the function itself: all of them can."""
    return save_function


def allow_read_from_gcs(load_function: Callable) -> Callable:
    """Keras's decorator for functions that load from Google's storage; the function itself: all of them can."""
    return load_function
