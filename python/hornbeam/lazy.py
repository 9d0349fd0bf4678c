"""Packages whose parts are imported when they are first used: ``import hornbeam`` is quick."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any


def lazy_attributes(
    namespace: dict[str, Any], names: dict[str, str], modules: Iterable[str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's ``__getattr__`` and ``__dir__``.

    Args:
        namespace: the package's ``globals()``.
        names: the submodule that each name comes from.
        modules: submodules that are attributes themselves.
    """
    package = namespace["__name__"]

    def get(name: str) -> Any:
        if name in names:
            value = getattr(importlib.import_module(f".{names[name]}", package), name)
        elif name in modules:
            value = importlib.import_module(f".{name}", package)
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        namespace[name] = value
        return value

    return get, lambda: sorted({*namespace, *names, *modules})
