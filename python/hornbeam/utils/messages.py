"""What errors and warnings have in common: a guess at what was meant, data described by shape, the user's own line."""

from __future__ import annotations

import difflib
import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """`` Did you mean 'relu'?`` where one of the ``known`` names is close to ``name``, else nothing."""
    close = difflib.get_close_matches(str(name)[:80], list(known), n=1, cutoff=0.7)
    return f" Did you mean {close[0]!r}?" if close else ""


def argument_names(*functions: Callable) -> list[str]:
    """The names of all arguments of some functions."""
    return [
        name
        for function in functions
        for name in inspect.signature(function).parameters
        if name not in ("self", "kwargs")
    ]


def describe(data: Any) -> str:
    """What was passed as data, in a few words: ``a tuple (array of shape (4, 8), None)``."""
    if hasattr(data, "shape"):
        return f"array of shape {tuple(data.shape)}"
    if isinstance(data, (tuple, list)):
        parts = ", ".join(describe(part) for part in data[:4]) + (", ..." if len(data) > 4 else "")
        return f"{type(data).__name__} of {len(data)} ({parts})"
    if isinstance(data, dict):
        return "dict of " + ", ".join(f"{key!r}: {describe(value)}" for key, value in list(data.items())[:4])
    text = repr(data)
    return text if len(text) <= 80 else f"{type(data).__name__} {text[:80]}..."


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, naming the line outside of Hornbeam that led here."""
    package = __name__.partition(".")[0]
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in (package, "contextlib"):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def blamed_on(path: Any) -> Iterator[None]:
    """The system's errors inside the block name this file: those of writing name none, and others one beside it that
    people know nothing of."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = path
            if error.filename2 is not None:  # of a rename
                del error.filename2
        raise
