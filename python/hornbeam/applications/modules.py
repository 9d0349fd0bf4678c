"""The keyword arguments by which keras_applications was handed the Keras to work with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

_MODULES = ("backend", "layers", "models", "utils")


def ignores_modules(function: Callable) -> Callable:
    """Let a function be called with ``backend=``, ``layers=``, ``models=`` and ``utils=``.

    ``keras.applications`` put its own modules in their place, whatever a script passed.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **{name: value for name, value in kwargs.items() if name not in _MODULES})

    own = inspect.signature(function)
    rest = inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)
    wrapper.__signature__ = own.replace(parameters=[*own.parameters.values(), rest])  # type: ignore[attr-defined]
    return wrapper
