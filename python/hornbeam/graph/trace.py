"""Traces: a Python function that is called once with placeholders, and what it assigned in the meantime."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from .context import inside
from .tensor import Tensor


class Trace:
    """The assignments of a function that is being traced, in their order.

    After an assignment, reads of the variable in the same function mean its new value.

    Attributes:
        effects: what is called after each run, with the values of some tensors.
    """

    def __init__(self) -> None:
        self.updates: list[Tensor] = []
        self.effects: list[tuple[Callable, Sequence[Tensor]]] = []
        self._latest: dict[int, Tensor] = {}

    @contextmanager
    def open(self) -> Iterator[Trace]:
        """While the function is called."""
        with inside(trace=self, symbolic=False, pending=self._latest):
            yield self

    def assign(self, updates: Iterable[Tensor]) -> None:
        for update in updates:
            self.updates.append(update)
            self._latest[id(update.op.attrs["variable"])] = update

    def after(self, call: Callable, tensors: Sequence[Tensor]) -> None:
        """Let ``call`` be called with the tensors' values after each run of the function."""
        self.effects.append((call, tensors))
