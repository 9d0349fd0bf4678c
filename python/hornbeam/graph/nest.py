"""Lists, tuples and dictionaries of tensors, taken apart and put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def flatten(structure: Any) -> list:
    """The leaves, in order (of a dictionary's keys, sorted)."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def pack(structure: Any, flat_sequence: Any) -> Any:
    """The same structure with other leaves."""
    leaves = iter(flat_sequence)

    def build(part: Any) -> Any:
        if isinstance(part, dict):
            made = {key: build(part[key]) for key in sorted(part)}
            return {key: made[key] for key in part}
        if isinstance(part, tuple) and hasattr(part, "_fields"):
            return type(part)(*[build(item) for item in part])
        if isinstance(part, (list, tuple)):
            return type(part)([build(item) for item in part])
        return next(leaves)

    return build(structure)


def map_structure(func: Callable, *structures: Any) -> Any:
    """The structure of what ``func`` gives for the leaves at each place of structures that are alike."""
    columns = zip(*(flatten(s) for s in structures))
    return pack(structures[0], [func(*leaves) for leaves in columns])


def take_apart(structure: Any) -> Any:
    """A structure with the ``tensor_parts()`` of what is made of several tensors, as sparse tensors are: named tuples."""
    return _with_leaves(structure, lambda x: x.tensor_parts() if is_composite(x) else x)


def put_together(structure: Any) -> Any:
    """The opposite of :func:`take_apart`: a named tuple of parts has a method ``whole()``."""
    return _with_leaves(structure, lambda x: x)


def is_composite(x: Any) -> bool:
    return hasattr(type(x), "tensor_parts")


def _with_leaves(part: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(part, dict):
        return {key: _with_leaves(item, function) for key, item in part.items()}
    if isinstance(part, tuple) and hasattr(part, "whole"):
        return part.whole()
    if isinstance(part, tuple) and hasattr(part, "_fields"):
        return type(part)(*[_with_leaves(item, function) for item in part])
    if isinstance(part, (list, tuple)):
        return type(part)([_with_leaves(item, function) for item in part])
    return function(part)


def outline(structure: Any) -> Any:
    """What two structures have in common that differ in their leaves alone: hashable, and equal for these."""
    if isinstance(structure, dict):
        return ("dict", *[(key, outline(structure[key])) for key in sorted(structure)])
    if isinstance(structure, (list, tuple)):
        return (type(structure), *[outline(part) for part in structure])
    return None
