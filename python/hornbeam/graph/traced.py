"""Python functions as programs: ``tf.function``.

A function is called once for each combination of its arguments' structure, dtypes and shapes, with placeholders in place of
tensors; what it computed and assigned becomes a Function, and later calls are one call into the core. What is not a tensor
belongs to the combination by its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..settings import settings
from . import nest
from .context import inside
from .deciding import deciding
from .function import Function, RunCounter
from .ops import constant, convert, placeholder
from .tensor import NeedsValue, Tensor
from .trace import Trace
from .variable import Variable


class Traced:
    """A function that is traced when it is called.

    Args:
        function: takes tensors and anything else, and returns tensors in lists, tuples and dicts.
        signature: of the positional arguments' tensors, pairs of a shape and a dtype, where one trace shall serve all shapes.
    """

    def __init__(self, function: Callable, signature: Sequence[tuple] | None = None) -> None:
        self.function = function
        self.signature = signature
        self.traces = 0  #: how often it was traced
        self._counter = RunCounter()
        self._known: dict[Any, TracedProgram | None] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recorder = settings.recorder
        if recorder is None or not recorder.records or recorder.open_tapes or settings.functions_run_eagerly:
            return deciding(self.function)(*args, **kwargs)  # part of what is being built around it
        leaves = nest.flatten((args, kwargs))
        if any(map(nest.is_composite, leaves)):
            parts = nest.take_apart((args, kwargs))
            leaves = nest.flatten(parts)
            program = self._program_for(parts[0], parts[1], leaves)
        else:
            program = self._program_for(args, kwargs, leaves)
        return self.function(*args, **kwargs) if program is None else program(leaves)

    def program(self, *args: Any, **kwargs: Any) -> TracedProgram | None:
        """The program for arguments like these, among which may be placeholders; None where the function looks at values."""
        return self._program_for(args, kwargs, nest.flatten((args, kwargs)))

    def _program_for(self, args: tuple, kwargs: dict, leaves: list) -> TracedProgram | None:
        key = self._key((args, kwargs), leaves)
        if key not in self._known:
            self._known[key] = self._trace(args, kwargs, leaves)
        return self._known[key]

    def _key(self, structure: Any, leaves: list) -> tuple:
        parts: list[Any] = []
        for i, leaf in enumerate(leaves):
            if not _is_fed(leaf):
                parts.append(_identity(leaf))
            elif self.signature is None:
                parts.append((str(leaf.dtype), tuple(leaf.shape)))
            else:
                parts.append(i)
        return (nest.outline(structure), *parts)

    def _trace(self, args: tuple, kwargs: dict, leaves: list) -> TracedProgram | None:
        """The program, or None where the function looks at values: then it runs step by step."""
        assert settings.recorder is not None
        settings.recorder.settle()  # what it takes from outside is constant
        self.traces += 1
        fed = [i for i, leaf in enumerate(leaves) if _is_fed(leaf)]
        given: list[Any] = list(leaves)
        for place, i in enumerate(fed):
            shape, dtype = tuple(leaves[i].shape), str(leaves[i].dtype)
            if self.signature is not None and place < len(self.signature):
                shape, dtype = self.signature[place]
            given[i] = placeholder(shape, dtype)
        packed = nest.pack((args, kwargs), given)
        placeholders = [given[i] for i in fed]
        try:
            return self._program(self.function, packed, placeholders, fed)
        except NeedsValue:
            pass
        try:
            with inside(converts=True):
                return self._program(deciding(self.function), packed, placeholders, fed)
        except NeedsValue:
            return None

    def _program(self, function: Callable, arguments: Any, placeholders: list[Tensor], fed: list[int]) -> TracedProgram:
        trace = Trace()
        with trace.open():
            positional, named = nest.put_together(arguments)
            result = nest.take_apart(function(*positional, **named))
            results = [convert(x) if _is_fed(x) else x for x in nest.flatten(result)]
        made = Function(
            placeholders,
            [x for x in results if isinstance(x, Tensor)] + [t for _, tensors in trace.effects for t in tensors],
            trace.updates,
            name=getattr(function, "__name__", None),
            counter=self._counter,
        )
        return TracedProgram(made, fed, result, results, trace.effects)


class TracedProgram:
    """A traced function: what is fed to it, the structure that its results are put into, and what is called after a run.

    Attributes:
        results: what the function returned, with tensors that tell dtypes and shapes.
    """

    def __init__(self, function: Function, fed: list[int], structure: Any, results: list, effects: list) -> None:
        self._function = function
        self._effects = effects
        self._fed = fed
        self._structure = structure if isinstance(structure, (list, tuple, dict)) else None
        self._results = [None if isinstance(x, Tensor) else (x,) for x in results]
        self._is_composite = any(hasattr(part, "whole") for part in _inner(structure))
        self.results = self._packed(results)

    def __call__(self, leaves: list) -> Any:
        values = iter(self._function([np.asarray(leaves[i]) for i in self._fed]))
        return self._finished(
            values, [constant(next(values)) if known is None else known[0] for known in self._results]
        )

    def run(self, leaves: list) -> Any:
        """As a call, from arrays to arrays, where no eager tensor waits."""
        values = iter(self._function([leaves[i] for i in self._fed], settled=True))
        return self._finished(values, [next(values) if known is None else known[0] for known in self._results])

    def _finished(self, rest: Iterator, results: list) -> Any:
        for call, tensors in self._effects:
            call(*[next(rest) for _ in tensors])
        return self._packed(results)

    def _packed(self, results: list) -> Any:
        if self._structure is None:
            return results[0]
        packed = nest.pack(self._structure, results)
        return nest.put_together(packed) if self._is_composite else packed


def _inner(structure: Any) -> Iterator[Any]:
    """The containers in a structure."""
    if isinstance(structure, (list, tuple, dict)):
        yield structure
        for part in structure.values() if isinstance(structure, dict) else structure:
            yield from _inner(part)


def _is_fed(x: Any) -> bool:
    return isinstance(x, (Tensor, np.ndarray, np.generic)) and not isinstance(x, Variable)


class _Same:
    """Stands for an object in a key: equal if it is the same one, which is kept alive."""

    def __init__(self, x: Any) -> None:
        self._x = x

    def __hash__(self) -> int:
        return id(self._x)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._x is other._x


def _identity(x: Any) -> Any:
    """What stands for an argument that is not a tensor: plain values by their value, all else by what it is."""
    return (type(x), x) if isinstance(x, (bool, int, float, str, bytes, type(None))) else _Same(x)
