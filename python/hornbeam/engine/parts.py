"""Attributes that Keras has on a model and that live in one of the model's parts here."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any


class derived:
    """Decorate a method that computes an attribute from the parts.

    It is read-only as long as nobody assigns the name: a subclass that keeps something of its own there may.
    """

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, model: Any, owner: type) -> Any:
        return self if model is None else self._compute(model)


def of_endpoints(name: str, fed: bool = False) -> derived:
    """A list of what the endpoints have under ``name``: all of them, or those that are fed."""
    read = operator.attrgetter(name)
    if fed:
        return derived(lambda model: [read(end) for end in model._compiled.fed])
    return derived(lambda model: [read(end) for end in model._compiled.endpoints])


class OfCompiled:
    """An attribute ``name`` of ``model._compiled``, read and assigned on the model."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: type) -> Any:
        return self if model is None else getattr(model._compiled, self.name)

    def __set__(self, model: Any, value: Any) -> None:
        setattr(model._compiled, self.name, value)


class OfArguments:
    """What ``compile`` was given as ``name``, read and assigned on the model; absent before."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: type) -> Any:
        if model is None:
            return self
        arguments = model._compiled.arguments
        if arguments is None:
            raise AttributeError(f"{owner.__name__} {model.name!r} has not been compiled: it has no `{self.name}`.")
        return getattr(arguments, self.name)

    def __set__(self, model: Any, value: Any) -> None:
        setattr(model._compiled.given(), self.name, value)
