"""Methods that a class may replace by a way of its own, and whether it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

_Method = TypeVar("_Method", bound=Callable)


def default(method: _Method) -> _Method:
    """Decorate a method of a base class, for :func:`defines`."""
    method._is_default = True  # type: ignore[attr-defined]
    return method


def defines(item: Any, method: str) -> bool:
    """Whether the class of an object has its own way to do what a method decorated as :func:`default` does."""
    return not getattr(getattr(type(item), method), "_is_default", False)
