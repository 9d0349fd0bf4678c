"""Name scopes: how a weight comes to be called ``dense_1/kernel:0``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from . import building
from .context import context, inside

_LONGEST_LABEL = 1000
_LETTERS_OF_A_STEP = 64  # long names of models would be in the names of all the weights inside


def checked_name(name: str) -> str:
    """The name itself, if files and messages can hold it.

    Raises:
        TypeError: it is not a str.
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
    scopes = (*context.scopes, checked_name(name))
    with inside(scopes=scopes):
        yield "/".join(scopes) + "/"


def scoped_name(name: str) -> str:
    """``name`` inside the open scopes, with the ``:0`` that Keras files have after it."""
    scoped = "/".join((*context.scopes, checked_name(name))) + ":0"
    building.take(len(scoped) // _LETTERS_OF_A_STEP)
    return scoped


def current_scope() -> str:
    """The open scopes, joined: what nodes are labelled with, so that errors can name the layer. Of many the last ones."""
    label = "/".join(context.scopes)
    if len(label) <= _LONGEST_LABEL:
        return label
    building.take(len(label) // _LONGEST_LABEL)
    return f"...{label[3 - _LONGEST_LABEL :]}"


def within(label: str) -> AbstractContextManager[None]:
    """Inside the block, the scope is ``label`` whatever it was outside; for ops made on another node's behalf."""
    return inside(scopes=(label,) if label else ())
