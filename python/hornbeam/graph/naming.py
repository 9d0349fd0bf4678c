"""Name scopes: how a weight comes to be called ``dense_1/kernel:0``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_local = threading.local()
LONGEST_NAME = 1000


def checked_name(name: str) -> str:
    """The name itself, if files and messages can hold it.

    Raises:
        TypeError: it is no str.
        ValueError: it has a NUL or half of a surrogate pair in it.
    """
    if not isinstance(name, str):
        raise TypeError(f"a name must be a str, got {name!r:.80}")
    try:
        if b"\0" not in name.encode():
            return name
    except UnicodeEncodeError:
        pass
    raise ValueError(f"a name must be text without NUL and without halves of surrogate pairs, got {name!r:.80}")


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Inside the block, names made with :func:`scoped_name` begin with ``name/``; scopes nest."""
    outer = getattr(_local, "scopes", ())
    _local.scopes = (*outer, checked_name(name))
    try:
        yield "/".join(_local.scopes) + "/"
    finally:
        _local.scopes = outer


def scoped_name(name: str) -> str:
    """``name`` inside the open scopes, with the ``:0`` that Keras files have after it."""
    return "/".join((*getattr(_local, "scopes", ()), checked_name(name))) + ":0"


def current_scope() -> str:
    """The open scopes, joined: what nodes are labelled with, so that errors can name the layer. Of many the last ones."""
    label = "/".join(getattr(_local, "scopes", ()))
    return label if len(label) <= LONGEST_NAME else f"...{label[3 - LONGEST_NAME :]}"


def check_name(name: Any) -> None:
    """Every weight's name has its layers' names in it, and every node's label, so a long one would be there many times.

    Raises:
        ValueError: a name is longer than people give.
    """
    if isinstance(name, str) and len(name) > LONGEST_NAME:
        raise ValueError(
            f"A layer's name has at most {LONGEST_NAME} characters, and this has {len(name)}: {name[:40]}..."
        )


@contextmanager
def within(label: str) -> Iterator[None]:
    """Inside the block, the scope is ``label`` whatever it was outside; for ops made on another node's behalf."""
    outer = getattr(_local, "scopes", ())
    _local.scopes = (label,) if label else ()
    try:
        yield
    finally:
        _local.scopes = outer
