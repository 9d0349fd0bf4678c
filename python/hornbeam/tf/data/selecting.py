"""Stages that choose among elements or repeat them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...graph import nest
from ..specs import TensorSpec
from .stage import INFINITE, UNKNOWN, Stage


class Derived(Stage):
    """A stage behind another one, whose elements have the same spec."""

    def __init__(self, source: Stage) -> None:
        self.source = source

    @property
    def spec(self) -> Any:  # type: ignore[override]
        return self.source.spec

    @property
    def cardinality(self) -> int:  # type: ignore[override]
        return self.source.cardinality


class Take(Derived):
    """The first elements; all where ``count`` is -1."""

    def __init__(self, source: Stage, count: int) -> None:
        super().__init__(source)
        self._count = count

    @property
    def cardinality(self) -> int:  # type: ignore[override]
        known = self.source.cardinality
        if self._count < 0:
            return known
        return self._count if known == INFINITE else min(known, self._count) if known >= 0 else UNKNOWN

    def open(self) -> Iterator[Any]:
        return self.source.open() if self._count < 0 else itertools.islice(self.source.open(), self._count)


class Skip(Derived):
    """The elements behind the first ones; none where ``count`` is -1."""

    def __init__(self, source: Stage, count: int) -> None:
        super().__init__(source)
        self._count = count

    @property
    def cardinality(self) -> int:  # type: ignore[override]
        known = self.source.cardinality
        return 0 if self._count < 0 else known if known < 0 else max(known - self._count, 0)

    def open(self) -> Iterator[Any]:
        return iter(()) if self._count < 0 else itertools.islice(self.source.open(), self._count, None)


class Repeat(Derived):
    """Pass after pass; without an end where ``count`` is None or -1."""

    def __init__(self, source: Stage, count: int | None) -> None:
        super().__init__(source)
        self._count = INFINITE if count is None else int(count)

    @property
    def cardinality(self) -> int:  # type: ignore[override]
        known = self.source.cardinality
        if self._count < 0:
            return 0 if known == 0 else INFINITE
        return 0 if self._count == 0 else known if known < 0 else known * self._count

    def open(self) -> Iterator[Any]:
        passes = itertools.count() if self._count < 0 else range(self._count)
        for _ in passes:
            empty = True
            for element in self.source.open():
                empty = False
                yield element
            if empty:
                return


class Shard(Derived):
    """Every ``count``-th element, from number ``index`` on."""

    def __init__(self, source: Stage, count: int, index: int) -> None:
        super().__init__(source)
        if not 0 <= index < count:
            raise ValueError(f"shard: the index must be at least 0 and less than {count}, got {index}.")
        self._count, self._index = count, index

    @property
    def cardinality(self) -> int:  # type: ignore[override]
        known = self.source.cardinality
        return known if known < 0 else len(range(self._index, known, self._count))

    def open(self) -> Iterator[Any]:
        return itertools.islice(self.source.open(), self._index, None, self._count)


class Filter(Derived):
    """The elements for which a predicate holds.

    Args:
        holds: takes an element and gives a number that is true or not.
        whole: whether it goes on behind an element for which it does not hold.
    """

    cardinality = UNKNOWN  # type: ignore[assignment]

    def __init__(self, source: Stage, holds: Callable[[Any], Any], whole: bool = True) -> None:
        super().__init__(source)
        self._holds = holds
        self._whole = whole

    def open(self) -> Iterator[Any]:
        return (filter if self._whole else itertools.takewhile)(self._holds, self.source.open())


class Unique(Derived):
    """Each element once."""

    cardinality = UNKNOWN  # type: ignore[assignment]

    def open(self) -> Iterator[Any]:
        seen = set()
        for element in self.source.open():
            key = tuple([_key(np.asarray(x)) for x in nest.flatten(element)])
            if key not in seen:
                seen.add(key)
                yield element


def _key(x: np.ndarray) -> tuple:
    return (x.shape, tuple(x.reshape(-1)) if x.dtype == object else x.tobytes())


class Enumerated(Derived):
    """Pairs of a number and an element."""

    def __init__(self, source: Stage, start: int) -> None:
        super().__init__(source)
        self._start = start

    @property
    def spec(self) -> Any:  # type: ignore[override]
        return None if self.source.spec is None else (TensorSpec((), "int64"), self.source.spec)

    def open(self) -> Iterator[Any]:
        numbers = itertools.count(self._start)
        return ((np.asarray(i, dtype="int64"), element) for i, element in zip(numbers, self.source.open()))


class Counted(Derived):
    """Elements whose number the script states.

    Raises:
        ValueError: there are more or fewer.
    """

    cardinality = UNKNOWN  # type: ignore[assignment]

    def __init__(self, source: Stage, count: int) -> None:
        super().__init__(source)
        self.cardinality = count  # type: ignore[misc]

    def open(self) -> Iterator[Any]:
        done = 0
        for element in self.source.open():
            done += 1
            if done > self.cardinality >= 0:
                break
            yield element
        if self.cardinality >= 0 and done != self.cardinality:
            raise ValueError(
                f"assert_cardinality: {self.cardinality} elements were announced, there are {'more' if done > self.cardinality else done}."
            )
