"""Packages that only images need."""

from __future__ import annotations

import importlib
from typing import Any


def require(module: str) -> Any:
    """Import a module of Pillow or SciPy.

    Raises:
        ImportError: it is not installed; the message says how to get it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = {"PIL": "Pillow", "scipy": "SciPy"}[module.split(".")[0]]
        raise ImportError(f"Image preprocessing needs {package} here: pip install 'hornbeam[image]'") from error
