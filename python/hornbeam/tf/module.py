"""``tf.Module``: an object that knows the variables in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

from .. import graph
from ..engine.base_layer import Layer
from .table import for_scripts


class _WithLayers(type):
    """Layers and models are modules, too."""

    def __instancecheck__(cls, x: Any) -> bool:
        return type.__instancecheck__(cls, x) or (cls.__name__ == "Module" and isinstance(x, Layer))


@for_scripts("Module")
class Module(metaclass=_WithLayers):
    """Base of classes with variables. Those are found among its attributes, also in lists, dicts and modules there.

    Args:
        name: a valid Python name; by default the class's, with words apart.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not name.isidentifier():
            raise ValueError(f"{name!r} is not a valid module name. Module names must be valid Python identifiers.")
        self._name = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()

    @property
    def name(self) -> str:
        return self._name

    @property
    def name_scope(self) -> AbstractContextManager[str]:
        return graph.name_scope(self._name)

    @classmethod
    def with_name_scope(cls, method: Callable) -> Callable:
        """Decorate a method: what it makes has the module's name before its own."""

        @wraps(method)
        def scoped(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped

    @property
    def variables(self) -> tuple:
        """The variables of attributes, by the attributes' names, then those of modules in them."""
        return tuple(_once(_variables(self, set())))

    @property
    def trainable_variables(self) -> tuple:
        return tuple([v for v in self.variables if getattr(v, "trainable", True)])

    @property
    def non_trainable_variables(self) -> tuple:
        return tuple([v for v in self.variables if not getattr(v, "trainable", True)])

    @property
    def submodules(self) -> tuple:
        """The modules and layers in it, and those in them."""
        return tuple(_once(_modules(self, {id(self)})))


def _leaves(owner: Any) -> Iterator[Any]:
    for name in sorted(vars(owner)):
        yield from _parts(vars(owner)[name])


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _parts(value[key])
    elif isinstance(value, (list, tuple)) and not isinstance(value, graph.StaticShape):
        for item in value:
            yield from _parts(item)
    else:
        yield value


def _variables(owner: Any, seen: set[int]) -> Iterator[Any]:
    seen.add(id(owner))
    inner = []
    for leaf in _leaves(owner):
        if isinstance(leaf, graph.Variable):
            yield leaf
        elif isinstance(leaf, Module) and id(leaf) not in seen:
            inner.append(leaf)
    for module in inner:
        if isinstance(module, Layer):
            yield from module.weights
        elif id(module) not in seen:
            yield from _variables(module, seen)


def _modules(owner: Any, seen: set[int]) -> Iterator[Any]:
    for leaf in _leaves(owner):
        if isinstance(leaf, Module) and id(leaf) not in seen:
            seen.add(id(leaf))
            yield leaf
            if isinstance(leaf, Layer):
                yield from leaf.submodules
            else:
                yield from _modules(leaf, seen)


def _once(things: Iterator[Any]) -> Iterator[Any]:
    seen: set[int] = set()
    for thing in things:
        if id(thing) not in seen:
            seen.add(id(thing))
            yield thing
