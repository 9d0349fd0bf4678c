"""Shuffling, within a buffer as TensorFlow does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from .batching import checked_size
from .selecting import Derived
from .stage import Slices, Stage


class Shuffle(Derived):
    """Each next element is drawn from a buffer of those to come.

    Args:
        size: of the buffer: element n comes out at n - size + 1 at the earliest.
        seed: makes the order repeat; each pass has another one, too, unless ``again`` is False.
        again: whether each pass has an order of its own.
    """

    def __init__(self, source: Stage, size: int, seed: int | None, again: bool) -> None:
        super().__init__(source)
        self._size = checked_size(size, "buffer_size")
        self._seed = int(np.random.randint(2**31)) if seed is None else int(seed) % 2**63
        self._again = again
        self._passes = itertools.count()

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng([self._seed, next(self._passes) if self._again else 0])

    def open(self) -> Iterator[Any]:
        return self._drawn(self.source.open())

    def _drawn(self, elements: Iterator[Any]) -> Iterator[Any]:
        generator = self._generator()
        buffer = list(itertools.islice(elements, self._size))
        draws = _draws(generator, len(buffer))
        for element in elements:
            i = next(draws)
            yield buffer[i]
            buffer[i] = element
        generator.shuffle(buffer)
        while buffer:
            yield buffer.pop()

    def rows(self) -> tuple[Slices, Iterator[np.ndarray]] | None:
        addressed = self.source.rows()
        if addressed is None:
            return None
        slices, runs = addressed
        return slices, self._mixed(runs)

    def _mixed(self, runs: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """The rows' numbers as :meth:`open` would give the rows."""
        rows = np.concatenate(list(runs) or [np.empty(0, dtype="int64")])
        if self._size >= len(rows):
            yield self._generator().permutation(rows)
            return
        drawn = self._drawn(iter(rows.tolist()))
        while run := list(itertools.islice(drawn, 4096)):
            yield np.array(run)


def _draws(generator: np.random.Generator, size: int) -> Iterator[int]:
    """Places in a buffer, drawn many at a time, as one call costs more than many numbers."""
    while True:
        yield from generator.integers(size, size=1024).tolist()
