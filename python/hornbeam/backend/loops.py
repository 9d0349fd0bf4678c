"""Functions applied along the first axis of a tensor. Its length must be known: the calls are laid out in the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import graph
from .shapes import stack
from .variables import int_shape


def _elements(elems: Any) -> list:
    """The slices along the first axis: of a tensor, or of each tensor in a list or tuple."""
    tensors = [graph.convert(t) for t in (elems if isinstance(elems, (list, tuple)) else [elems])]
    length = int_shape(tensors[0])[0]
    if length is None:
        raise ValueError(f"the first axis must have a known length, got shape {tensors[0].shape}")
    if isinstance(elems, (list, tuple)):
        return [type(elems)(t[i] for t in tensors) for i in range(length)]
    return [tensors[0][i] for i in range(length)]


def map_fn(fn: Callable, elems: Any, name: str | None = None, dtype: str | None = None) -> Any:
    """``fn`` of each element along the first axis, stacked.

    Args:
        fn: from an element (a list of them, if ``elems`` is a list) to a tensor or a list of tensors.
        dtype: of the result; that of what ``fn`` returns by default.

    Raises:
        ValueError: the length of the axis is unknown or 0.
    """
    results = [fn(x) for x in _elements(elems)]
    if not results:
        raise ValueError("K.map_fn needs at least one element")
    if isinstance(results[0], (list, tuple)):
        return [_stacked(column, dtype) for column in zip(*results)]
    return _stacked(results, dtype)


def _stacked(tensors: Any, dtype: str | None) -> Any:
    out = stack(tensors, axis=0)
    return out if dtype is None else graph.cast(out, dtype)


def foldl(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Combine elements from first to last: ``fn(accumulator, element)``, beginning with ``initializer`` or the first."""
    return _fold(fn, _elements(elems), initializer)


def foldr(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Combine elements from last to first."""
    return _fold(fn, _elements(elems)[::-1], initializer)


def _fold(fn: Callable, elements: list, initializer: Any) -> Any:
    if initializer is None:
        if not elements:
            raise ValueError("a fold over no elements needs an initializer")
        initializer, *elements = elements
    for element in elements:
        initializer = fn(initializer, element)
    return initializer
