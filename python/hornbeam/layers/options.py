"""Initializers, regularizers and constraints of layers: resolved, serialized and used by the names of their arguments."""

from __future__ import annotations

from typing import Any

from .. import constraints, initializers, regularizers

_KINDS = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


def _kind(name: str) -> Any:
    return _KINDS[name.rpartition("_")[2]]


def option_names(*weights: str) -> tuple[str, ...]:
    """``kernel_initializer``, ``bias_initializer``, ..., ``kernel_constraint``, ... for the prefixes of weights."""
    return tuple(f"{weight}_{kind}" for kind in _KINDS for weight in weights)


#: those of recurrent layers and cells
RECURRENT_OPTIONS = option_names("kernel", "recurrent", "bias")


def given_arguments(scope: dict) -> tuple[dict, dict]:
    """A constructor's own arguments, from its ``locals()``, and its ``**kwargs``."""
    own = {name: value for name, value in scope.items() if name not in ("self", "__class__", "kwargs")}
    return own, scope["kwargs"]


def arguments(scope: dict, *without: str) -> dict:
    """The arguments of a constructor, from its ``locals()``, to pass on to the base class as keywords."""
    own, more = given_arguments(scope)
    return {**{name: value for name, value in own.items() if name not in without}, **more}


def options_in(scope: dict) -> dict:
    """The initializers, regularizers and constraints among a constructor's ``locals()`` or ``**kwargs``."""
    return {name: value for name, value in scope.items() if name.rpartition("_")[2] in _KINDS}


def set_options(layer: Any, **options: Any) -> None:
    """Set attributes such as ``kernel_initializer`` from names, configs or functions."""
    for name, value in options.items():
        setattr(layer, name, _kind(name).get(value))


def options_config(layer: Any, *names: str) -> dict:
    """The configs of such attributes."""
    return {name: _kind(name).serialize(getattr(layer, name)) for name in names}


def add_weight(layer: Any, name: str, shape: tuple, initializer: Any = None) -> Any:
    """A weight of ``layer`` with the options named after it: ``bias_initializer``; ``recurrent_*`` for recurrent_kernel.

    Args:
        initializer: in place of the layer's option.
    """
    prefix = name.removesuffix("_kernel")
    return layer.add_weight(
        shape=shape,
        name=name,
        initializer=initializer or getattr(layer, f"{prefix}_initializer"),
        regularizer=getattr(layer, f"{prefix}_regularizer"),
        constraint=getattr(layer, f"{prefix}_constraint"),
    )
