"""What errors and warnings have in common: a guess at what was meant, data described by shape, the user's own line.

What a file says may be of any length, so it is shortened where it enters a message.
"""

from __future__ import annotations

import difflib
import inspect
import reprlib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """`` Did you mean 'relu'?`` where one of the ``known`` names is close to ``name``, else nothing."""
    close = difflib.get_close_matches(str(name)[:80], list(known), n=1, cutoff=0.7)
    return f" Did you mean {close[0]!r}?" if close else ""


_short = reprlib.Repr()
_short.maxlist = _short.maxtuple = _short.maxdict = 8
_short.maxstring = _short.maxother = _short.maxlong = 80

#: No message about a file is longer, whatever is in it.
LONGEST_MESSAGE = 600


def shortened(value: Any, limit: int = 200) -> str:
    """A text as it is, or the ``repr`` of something else, cut to ``limit`` characters at a cost that does not grow with it."""
    text = value if isinstance(value, str) else _short.repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


@contextmanager
def short_errors() -> Iterator[None]:
    """Cut the messages of errors raised inside the block, and of those that led to them, to a length that people read.

    A file decides what such a message quotes, by way of any layer's, optimizer's or user's class's own checks.
    """
    try:
        yield
    except Exception as error:
        link: BaseException | None = error
        while link is not None:
            if link.args and isinstance(link.args[0], str) and len(link.args[0]) > LONGEST_MESSAGE:
                link.args = (_cut(link.args[0]), *link.args[1:])
            link = link.__cause__ or link.__context__
        raise


def _cut(text: str) -> str:
    """Beginning and end of a long text: the end is often the remedy."""
    return f"{text[: LONGEST_MESSAGE - 220]} [...] {text[-200:]}"


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
    warnings.warn(message if len(message) <= LONGEST_MESSAGE else _cut(message), category, stacklevel=level)


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
