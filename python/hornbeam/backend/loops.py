"""Functions applied along the first axis of a tensor, whose length may be unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import graph
from ..graph import Tensor


def map_fn(fn: Callable, elems: Any, name: str | None = None, dtype: str | None = None) -> Any:
    """``fn`` of each element along the first axis, stacked.

    Args:
        fn: from an element (a list of them, if ``elems`` is a list) to a tensor or a list of tensors.
        dtype: of the result; that of what ``fn`` returns by default.

    Raises:
        RuntimeError: ``fn`` updates a variable.
    """
    returned: list[Any] = []

    def step(states: list[Tensor], rows: list[Tensor]) -> tuple[list[Any], list[Tensor]]:
        result = fn(_like(elems, rows))
        returned.append(result)
        results = list(result) if isinstance(result, (list, tuple)) else [result]
        return [r if dtype is None else graph.cast(graph.convert(r), dtype) for r in results], []

    outputs = graph.scan(step, [], _sequences(elems)).outputs
    return list(outputs) if isinstance(returned[0], (list, tuple)) else outputs[0]


def foldl(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Combine elements from first to last: ``fn(accumulator, element)``, beginning with ``initializer`` or the first.

    Raises:
        ValueError: no elements and no initializer, or an accumulator that changes its shape.
    """
    return _fold(fn, elems, initializer, reverse=False)


def foldr(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Combine elements from last to first; otherwise as :func:`foldl`."""
    return _fold(fn, elems, initializer, reverse=True)


def _fold(fn: Callable, elems: Any, initializer: Any, reverse: bool) -> Any:
    sequences = _sequences(elems)
    if initializer is None:
        if sequences[0].shape[0] == 0:
            raise ValueError("a fold over no elements needs an initializer")
        edge = -1 if reverse else 0
        initial = [t[edge] for t in sequences]
        sequences = [t[:-1] if reverse else t[1:] for t in sequences]
        like = elems
    else:
        like = initializer
        several = isinstance(initializer, (list, tuple))
        initial = [graph.convert(t) for t in (initializer if several else [initializer])]

    def step(states: list[Tensor], rows: list[Tensor]) -> tuple[list[Tensor], list[Any]]:
        result = fn(_like(like, states), _like(elems, rows))
        return [], list(result) if isinstance(result, (list, tuple)) else [result]

    return _like(like, graph.scan(step, initial, sequences, reverse=reverse).finals)


def _sequences(elems: Any) -> list[Tensor]:
    return [graph.convert(t) for t in (elems if isinstance(elems, (list, tuple)) else [elems])]


def _like(elems: Any, tensors: list[Tensor]) -> Any:
    """One tensor, or as many in a list or tuple as ``elems`` has."""
    return type(elems)(tensors) if isinstance(elems, (list, tuple)) else tensors[0]
