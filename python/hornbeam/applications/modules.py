"""The keyword arguments by which keras_applications was handed the Keras to work with."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

_MODULES = ("backend", "layers", "models", "utils")


def get_submodules_from_kwargs(kwargs: dict[str, Any]) -> tuple[ModuleType, ...]:
    """``backend``, ``layers``, ``models`` and ``utils``: those given, otherwise Hornbeam's.

    Models written in keras_applications' manner begin with it.

    Raises:
        TypeError: another argument is given.
    """
    for name in kwargs:
        if name not in _MODULES:
            raise TypeError(f"Invalid keyword argument: {name}")
    return tuple([kwargs.get(name) or importlib.import_module(f"hornbeam.{name}") for name in _MODULES])


def set_keras_submodules(
    backend: Any = None, layers: Any = None, models: Any = None, utils: Any = None, engine: Any = None
) -> None:
    """Does nothing: the modules that keras_applications had to be told once are Hornbeam's here."""


def keras_modules_injection(base_fun: Callable) -> Callable:
    """Let a function in keras_applications' manner be called without the modules: it gets Hornbeam's."""

    @functools.wraps(base_fun)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return base_fun(*args, **kwargs, **dict(zip(_MODULES, get_submodules_from_kwargs({}))))

    return wrapper


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
