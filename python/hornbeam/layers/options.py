"""Initializers, regularizers and constraints of layers, resolved and serialized by the names of their arguments."""

from __future__ import annotations

from typing import Any

from .. import constraints, initializers, regularizers

_KINDS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


def _kind(name: str) -> Any:
    return _KINDS[name.rpartition("_")[2]]


#: those of recurrent layers and cells
RECURRENT_OPTIONS = tuple(
    f"{weight}_{kind}"
    for kind in ("initializer", "regularizer", "constraint")
    for weight in ("kernel", "recurrent", "bias")
)


def set_options(layer: Any, **options: Any) -> None:
    """Set attributes such as ``kernel_initializer`` from names, configs or functions."""
    for name, value in options.items():
        setattr(layer, name, _kind(name).get(value))


def options_config(layer: Any, *names: str) -> dict:
    """The configs of such attributes."""
    return {name: _kind(name).serialize(getattr(layer, name)) for name in names}


def add_weight(layer: Any, name: str, shape: tuple, options: str, initializer: Any = None) -> Any:
    """A weight of ``layer`` with the options whose names begin with ``options``; another initializer may be given."""
    return layer.add_weight(
        shape=shape,
        name=name,
        initializer=initializer or getattr(layer, f"{options}_initializer"),
        regularizer=getattr(layer, f"{options}_regularizer"),
        constraint=getattr(layer, f"{options}_constraint"),
    )


def arguments(scope: dict) -> dict:
    """The arguments of a constructor, from its ``locals()``, to pass on to the base class as keywords."""
    given = {name: value for name, value in scope.items() if name not in ("self", "__class__", "kwargs")}
    return {**given, **scope["kwargs"]}
