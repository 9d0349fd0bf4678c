"""Stages of pipelines, and those that data come from: arrays, generators, numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...graph import RaggedTensor, nest
from ..specs import TensorSpec
from .element import rows_of, spec_of, to_arrays, without_dim

INFINITE = -1
UNKNOWN = -2


class Stage:
    """One step of a pipeline.

    Attributes:
        spec: the structure of the elements' specs; None where it is known only from an element.
        cardinality: the number of elements, ``INFINITE`` or ``UNKNOWN``.
    """

    spec: Any = None
    cardinality: int = UNKNOWN

    def open(self) -> Iterator[Any]:
        """The elements of one pass, from the first on."""
        raise NotImplementedError

    def rows(self) -> tuple[Slices, Iterator[np.ndarray]] | None:
        """Where the elements are rows of arrays: these, and runs of the rows' numbers in the order of one pass."""
        return None


class Single(Stage):
    """One element."""

    cardinality = 1

    def __init__(self, value: Any) -> None:
        self._element = to_arrays(value)
        self.spec = spec_of(self._element)

    def open(self) -> Iterator[Any]:
        yield self._element


class Slices(Stage):
    """The rows of arrays.

    Raises:
        ValueError: a number has no rows, or the arrays differ in their number.
    """

    def __init__(self, value: Any) -> None:
        self._structure = to_arrays(value)
        self._leaves = nest.flatten(self._structure)
        if not self._leaves:
            raise ValueError("from_tensor_slices needs an array to take the rows of.")
        if any(len(x.shape) == 0 for x in self._leaves):
            raise ValueError("from_tensor_slices takes the rows of arrays, and a number has none: use from_tensors.")
        counts = sorted({len(x) for x in self._leaves})
        if len(counts) > 1:
            raise ValueError(f"from_tensor_slices: dimensions {counts} of the first axis are not compatible.")
        self.cardinality = counts[0]
        self.spec = without_dim(spec_of(self._structure))

    def open(self) -> Iterator[Any]:
        pack = packer(self._structure)
        columns = [rows_of(x) for x in self._leaves]
        for i in range(self.cardinality):
            yield pack([x[i] if isinstance(x, list) else x[i, ...] for x in columns])

    def rows(self) -> tuple[Slices, Iterator[np.ndarray]] | None:
        if not all(isinstance(x, np.ndarray) for x in self._leaves):
            return None
        return self, iter([np.arange(self.cardinality)])

    def take(self, rows: np.ndarray) -> Any:
        """Some rows, as a batch."""
        return nest.pack(self._structure, [x[rows] for x in self._leaves])


def packer(structure: Any) -> Callable[[list], Any]:
    """A function from leaves to an element of the structure: quick for the two commonest."""
    if not isinstance(structure, (dict, tuple)):
        return lambda leaves: leaves[0]
    if type(structure) is tuple and not any(isinstance(x, (dict, tuple)) for x in structure):
        return tuple
    return lambda leaves: nest.pack(structure, leaves)


class Counted(Stage):
    """``start, start + step, ...`` up to and without ``stop``, in int64."""

    def __init__(self, start: int, stop: int, step: int, dtype: str = "int64") -> None:
        self._numbers = range(start, stop, step)
        self._dtype = dtype
        self.spec = TensorSpec((), dtype)
        self.cardinality = len(self._numbers)

    def open(self) -> Iterator[Any]:
        return (np.asarray(i, dtype=self._dtype) for i in self._numbers)


class Generated(Stage):
    """What a generator yields, made anew for each pass.

    Args:
        make: gives the generator, or anything to iterate over.
        spec: of its items, which are converted to the dtypes there; None for whatever comes.

    Raises:
        TypeError: an item is not of the structure or dtype that was announced.
        ValueError: it has another shape.
    """

    def __init__(self, make: Callable[[], Any], spec: Any = None) -> None:
        self._make = make
        self.spec = spec

    def open(self) -> Iterator[Any]:
        for item in self._make():
            yield to_arrays(item) if self.spec is None else self._checked(item)

    def _checked(self, item: Any) -> Any:
        if isinstance(item, list) and isinstance(self.spec, tuple):
            item = tuple(item)
        if isinstance(self.spec, (dict, tuple)):
            if type(item) is not type(self.spec) or len(item) != len(self.spec):
                raise TypeError(
                    f"`generator` yielded an element that did not match the expected structure. The expected structure was "
                    f"{self.spec}, but the yielded element was {str(item)[:120]}."
                )
        return nest.pack(
            self.spec, [_as_announced(x, s) for x, s in zip(_leaves(item, self.spec), nest.flatten(self.spec))]
        )


def _leaves(item: Any, spec: Any) -> list:
    """The leaves of an item where its spec has leaves: a list there is one tensor."""
    if isinstance(spec, dict):
        return [leaf for key in sorted(spec) for leaf in _leaves(item[key], spec[key])]
    if isinstance(spec, tuple):
        return [leaf for part, s in zip(item, spec) for leaf in _leaves(part, s)]
    return [item]


def _as_announced(x: Any, spec: Any) -> Any:
    array = to_arrays(x)
    if not isinstance(spec, TensorSpec):
        return array
    if spec.dtype != "string" and not isinstance(array, RaggedTensor):
        if array.dtype == object:
            raise TypeError(f"`generator` yielded {str(x)[:80]!r} where an element of type {spec.dtype} was expected.")
        array = array.astype(str(spec.dtype), copy=False)
    if spec.shape is not None and not spec.shape.is_compatible_with(array.shape):
        raise TypeError(
            f"`generator` yielded an element of shape {array.shape} where an element of shape {tuple(spec.shape)} was expected."
        )
    return array


class Zip(Stage):
    """Elements of several data sets side by side, as many as the shortest has."""

    def __init__(self, structure: Any, stages: list[Stage]) -> None:
        self._pack = packer(structure)
        self._stages = stages
        counts = [s.cardinality for s in stages]
        finite = [n for n in counts if n >= 0]
        self.cardinality = UNKNOWN if UNKNOWN in counts else min(finite) if finite else INFINITE
        specs = [s.spec for s in stages]
        self.spec = None if None in specs else self._pack(specs)

    def open(self) -> Iterator[Any]:
        return (self._pack(list(parts)) for parts in zip(*[s.open() for s in self._stages]))


class Concatenated(Stage):
    """The elements of one data set, then those of others."""

    def __init__(self, stages: list[Stage], spec: Any) -> None:
        self._stages = stages
        self.spec = spec
        counts = [s.cardinality for s in stages]
        self.cardinality = INFINITE if INFINITE in counts else UNKNOWN if UNKNOWN in counts else sum(counts)

    def open(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(s.open() for s in self._stages)


class Chosen(Stage):
    """Each element from the data set whose number comes next.

    Args:
        choices: opens the numbers.
        stops: whether the first data set that has no more ends it; else its numbers are passed over.
    """

    def __init__(
        self, stages: list[Stage], choices: Callable[[list[bool]], Iterator[int]], stops: bool, spec: Any
    ) -> None:
        self._stages = stages
        self._choices = choices
        self._stops = stops
        self.spec = spec

    def open(self) -> Iterator[Any]:
        running = [s.open() for s in self._stages]
        there = [True] * len(running)
        for i in self._choices(there):
            if not 0 <= i < len(running):
                raise ValueError(f"choose_from_datasets: there is no data set {i}, only {len(running)} of them.")
            for element in running[i] if there[i] else ():
                yield element
                break
            else:
                there[i] = False
                if self._stops or not any(there):
                    return
