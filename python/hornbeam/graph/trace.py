"""Traces: a Python function that is called once with placeholders, and what it assigned in the meantime."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import nest
from .context import context, inside
from .ops import apply, convert
from .tensor import NeedsValue, Tensor


class Trace:
    """The assignments of a function that is being traced.

    After an assignment, reads of the variable in the same function mean its new value.

    Attributes:
        effects: what is called after each run, with the values of some tensors.
        reads: what variables are read as after their assignments, and which variable each is of.
    """

    def __init__(self, outer: Trace | None = None) -> None:
        self.effects: list[tuple[Callable, Sequence[Tensor]]] = []
        self.reads: dict[Tensor, Tensor] = {} if outer is None else outer.reads
        self._updates: dict[int, Tensor] = {}
        self._values: dict[int, Tensor] = {} if outer is None else dict(outer._values)

    @property
    def updates(self) -> list[Tensor]:
        """One update for each variable that was assigned, to what it is at the end."""
        return list(self._updates.values())

    @contextmanager
    def open(self) -> Iterator[Trace]:
        """While the function is called."""
        with inside(trace=self, symbolic=False, pending=self._values):
            yield self

    def assign(self, updates: Iterable[Tensor]) -> None:
        for update in updates:
            self._assign(update)

    def after(self, call: Callable, tensors: Sequence[Tensor]) -> None:
        """Let ``call`` be called with the tensors' values after each run of the function."""
        self.effects.append((call, tensors))

    def _assign(self, update: Tensor) -> None:
        variable, value = update.op.inputs
        if update.op.attrs["how"] != "set":
            before = self._values.get(id(variable), variable)
            value = apply(update.op.attrs["how"], [before, value])
            if before is not variable:
                update = variable.assign_formula(value)
        self._updates[id(variable)] = update
        self._values[id(variable)] = read = apply("identity", [value])
        self.reads[read] = variable

    def choose(self, condition: Tensor, then: Callable[[], Any], other: Callable[[], Any], select: Callable) -> Any:
        """Call both functions, and let hold what one of them assigned and returns, as ``condition`` says when it is run."""
        branches, results = [], []
        for function in (then, other):
            branch = Trace(self)
            with branch.open():
                results.append(function())
                branches.append(branch)
        for key, update in {**branches[0]._updates, **branches[1]._updates}.items():
            variable: Any = update.op.inputs[0]
            values = [branch._values.get(key, variable) for branch in branches]
            self._assign(variable.assign_formula(selected(condition, *values)))
        for branch, holds in zip(branches, (True, False)):
            for call, tensors in branch.effects:
                self.after(_where(holds, call), [condition, *tensors])
        return _one_of(condition, results[0], results[1], select)


def _one_of(condition: Tensor, then: Any, other: Any, select: Callable) -> Any:
    if then is None or other is None:  # called for what they assign
        return None
    first, second = nest.flatten(then), nest.flatten(other)
    if len(first) != len(second):
        raise ValueError("The functions of a cond return different structures.")
    return nest.pack(then, [select(condition, a, b) for a, b in zip(first, second)])


def _where(holds: bool, call: Callable) -> Callable:
    """An effect of one branch: nothing is done in runs that take the other."""
    return lambda condition, *values: call(*values) if bool(condition) is holds else None


def selected(condition: Tensor, then: Any, other: Any) -> Tensor:
    """The one of two values that the condition says."""
    return apply("select", [condition, convert(then), convert(other, then.dtype if isinstance(then, Tensor) else None)])


def choose(condition: Tensor, then: Callable[[], Any], other: Callable[[], Any], select: Callable = selected) -> Any:
    """What one of two functions returns as ``condition`` is when it is run, and in a traced function its assignments.

    Args:
        select: gives what holds of the condition and of two leaves of the results.

    Raises:
        NeedsValue: one of them assigns a variable in a formula for a model.
    """
    if context.trace is not None:
        return context.trace.choose(condition, then, other, select)
    results = []
    for function in (then, other):
        with inside(assigned=[]):
            results.append(function())
            if context.assigned:
                raise NeedsValue(f"{context.assigned[0].op.inputs[0]!r} is assigned in a branch, or not, in a formula")
    return _one_of(condition, results[0], results[1], select)


def is_tracing() -> bool:
    """Whether assignments are taken by a trace now."""
    return context.trace is not None
