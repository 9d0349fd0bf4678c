"""The table of TensorFlow's functions by what follows ``tf.`` in their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F")

#: What a script may use: functions, and the classes and constants of ``names.py``.
NAMES: dict[str, Any] = {}
#: What a model file may name, too: functions from tensors to tensors that call nothing they are given.
PURE: dict[str, Callable] = {}


def function(*names: str) -> Callable[[F], F]:
    """Enter a function of tensors under all its names; model files may name it."""
    return _entering(names, NAMES, PURE)


def for_scripts(*names: str) -> Callable[[F], F]:
    """Enter what no model file may name: it calls functions, holds state, or makes no tensor of others."""
    return _entering(names, NAMES)


def _entering(names: tuple[str, ...], *tables: dict[str, Any]) -> Callable[[F], F]:
    def enter(f: F) -> F:
        for name in names:
            if name in NAMES:
                raise ValueError(f"tf.{name} is entered twice: as {NAMES[name]!r:.80} and as {f!r:.80}")
            for table in tables:
                table[name] = f
        return f

    return enter


def find(name: Any, table: dict[str, Callable] = PURE) -> Callable | None:
    """The function of a name; TensorFlow 1's own (``compat.v1.x``) where it differs from 2's, and ``math.x`` for ``x``."""
    if not isinstance(name, str):
        return None
    if name in table:
        return table[name]
    name = name.removeprefix("compat.v1.").removeprefix("compat.v2.")
    return table.get(name) or table.get(f"math.{name}")
