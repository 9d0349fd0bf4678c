"""Users' functions in pipelines.

A function is traced into a program where it is made of tensors' ops, once for all elements if their shapes are known that far.
One that looks at values runs in Python. Both happen apart from what the script computes and tapes meanwhile, as a pipeline may
run in a thread of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from ... import graph
from ...backend.sparse import SparseTensor
from ...graph import NeedsValue, Recorder, Traced, nest
from ...settings import settings
from ..specs import TensorSpec
from .element import is_dataset, is_leaf, map_leaves, to_arrays, to_tensors
from .selecting import Derived
from .stage import UNKNOWN, Stage


class Mapped:
    """A function of elements. A tuple's parts are its arguments.

    Args:
        function: takes tensors and returns a structure of tensors.
        spec: of the elements; None where it is not known.

    Attributes:
        spec: of what it gives; None where that is not known.
    """

    def __init__(self, function: Callable, spec: Any) -> None:
        if not callable(function):
            raise TypeError(f"a function is expected, got {function!r:.80}")
        self._function = function
        self._traced = Traced(function)
        self._recorder = Recorder() if settings.recorder is None else Recorder(settings.recorder.convert)
        self._program: graph.TracedProgram | None = None
        self._sees_values = False
        self._is_warm = False  # whether the program was built
        self.spec: Any = None
        if settings.recorder is not None:
            settings.recorder.settle()  # what the function takes from outside
        if spec is not None and all(isinstance(s, TensorSpec) and s.shape is not None for s in nest.flatten(spec)):
            self._trace(spec)

    def _trace(self, spec: Any) -> None:
        placeholders = map_leaves(lambda s: graph.placeholder(s.shape, s.dtype), spec)
        try:
            with graph.apart(self._recorder):
                self._program = self._traced.program(*_arguments(placeholders))
            found = None if self._program is None else self._program.results
            self._sees_values = self._program is None or _holds_others(found)
        except (ValueError, TypeError):
            if all(s.shape.is_fully_defined() for s in nest.flatten(spec)):
                raise
            return  # of sizes that it must know: these are known of each element
        if not self._sees_values:
            self.spec = _result_spec(found)

    def __call__(self, element: Any) -> Any:
        """What the function gives for an element, as tensors or data sets."""
        arguments = _arguments(element)
        with graph.apart(self._recorder):
            if self._program is not None and not self._sees_values:
                return self._program(nest.flatten((arguments, {})))
            if self._sees_values or any(is_leaf(x) for x in nest.flatten(element)):
                return self._function(*to_tensors(arguments))
            return self._on(to_tensors(arguments))

    def _on(self, arguments: tuple) -> Any:
        """For elements of unknown rank: a program for each combination of shapes."""
        program = self._traced.program(*arguments)
        if program is None or _holds_others(program.results):
            self._sees_values = True
            return self._function(*arguments)
        return program(nest.flatten((arguments, {})))

    def arrays(self, element: Any) -> Any:
        """What the function gives for an element, as the pipeline has it."""
        if self.spec is not None and self._program is not None and self._is_warm:
            return self._program.run(nest.flatten(element))
        result = self(element)
        self._is_warm = True
        with graph.apart(self._recorder):
            return to_arrays(result)


def _holds_others(results: Any) -> bool:
    """Whether a function returns what is made anew for each element, and is not a tensor."""
    return any(is_dataset(x) or isinstance(x, SparseTensor) for x in nest.flatten(results))


def _arguments(element: Any) -> tuple:
    return element if isinstance(element, tuple) else (element,)


def _result_spec(results: Any) -> Any:
    """The spec of what a traced function returns."""
    if isinstance(results, list):
        return None
    spec = map_leaves(
        lambda x: TensorSpec(x.shape, x.dtype) if isinstance(x, graph.Tensor) else None if x is None else False, results
    )
    return None if any(s is False or isinstance(s, list) for s in nest.flatten(spec)) else spec


class Map(Derived):
    """Elements that a function makes of others."""

    def __init__(self, source: Stage, function: Callable) -> None:
        super().__init__(source)
        self.function = Mapped(function, source.spec)

    @property
    def spec(self) -> Any:  # type: ignore[override]
        return self.function.spec

    def open(self) -> Iterator[Any]:
        return map(self.function.arrays, self.source.open())


class Scan(Derived):
    """Elements that a function makes of a state and others; it gives the next state, too."""

    spec = None  # type: ignore[assignment]

    def __init__(self, source: Stage, state: Any, function: Callable) -> None:
        super().__init__(source)
        self._state = to_arrays(state)
        self._function = Mapped(function, None)

    def open(self) -> Iterator[Any]:
        state = self._state
        for element in self.source.open():
            state, result = self._function.arrays((state, element))
            yield result


class IgnoreErrors(Derived):
    """Passes over the elements that the function of the stage before it fails for."""

    cardinality = UNKNOWN  # type: ignore[assignment]

    def open(self) -> Iterator[Any]:
        elements = self.source.open()
        while True:
            try:
                yield next(elements)
            except StopIteration:
                return
            except (ValueError, OSError, TypeError, NeedsValue):
                continue


class FlatMap(Stage):
    """The elements of the data sets that a function gives, one data set after the other."""

    def __init__(self, source: Stage, function: Callable) -> None:
        self._source = source
        self._function = Mapped(function, None)

    def open(self) -> Iterator[Any]:
        for element in self._source.open():
            yield from _stage(self._function(element)).open()


class Interleave(Stage):
    """The elements of several data sets that a function gives, in turns.

    Args:
        cycle: how many of them are open at a time.
        block: how many elements of each come in a row.
    """

    def __init__(self, source: Stage, function: Callable, cycle: int, block: int) -> None:
        self._source = source
        self._function = Mapped(function, None)
        self._cycle, self._block = cycle, block

    def open(self) -> Iterator[Any]:
        more = self._source.open()
        opened = (_stage(self._function(element)).open() for element in more)
        running: list[Iterator | None] = list(itertools.islice(opened, self._cycle))
        while any(r is not None for r in running):
            for place, elements in enumerate(running):
                if elements is None:
                    continue
                block = list(itertools.islice(elements, self._block))
                yield from block
                if len(block) < self._block:
                    running[place] = next(opened, None)


def _stage(dataset: Any) -> Stage:
    if not is_dataset(dataset):
        raise TypeError(f"flat_map and interleave take a function that returns a data set, it returned {dataset!r:.80}")
    return dataset.stage
