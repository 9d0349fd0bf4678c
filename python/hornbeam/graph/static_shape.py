"""The shape of a tensor as far as it is known: a tuple that also answers what TensorFlow's TensorShape does.

Code written for Keras on TensorFlow says ``x.get_shape().as_list()``, ``x.shape[1].value`` or ``x.shape.ndims``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, SupportsIndex


class Dim(int):
    """A known dim: an ``int`` whose number is its ``value``, too."""

    __slots__ = ()

    @property
    def value(self) -> int:
        return int(self)


class StaticShape(tuple):
    """Dims, with None for one that is known only when run."""

    __slots__ = ()

    def __new__(cls, dims: Iterable[int | None]) -> StaticShape:
        return super().__new__(cls, [None if d is None else Dim(d) for d in dims])

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        found = super().__getitem__(key)
        return StaticShape(found) if isinstance(key, slice) else found

    @property
    def ndims(self) -> int:
        return len(self)

    rank = ndims

    @property
    def dims(self) -> list[int | None]:
        return list(self)

    def as_list(self) -> list[int | None]:
        return [None if d is None else int(d) for d in self]

    def is_fully_defined(self) -> bool:
        return None not in self

    def num_elements(self) -> int | None:
        """The number of elements; None where a dim is unknown."""
        return math.prod(self) if self.is_fully_defined() else None

    def is_compatible_with(self, other: Iterable[int | None]) -> bool:
        """Whether a tensor could have both shapes."""
        other = tuple(other)
        return len(self) == len(other) and all(None in (m, n) or m == n for m, n in zip(self, other))

    def concatenate(self, other: Iterable[int | None]) -> StaticShape:
        return StaticShape([*self, *other])

    def with_rank(self, rank: int) -> StaticShape:
        """The shape itself.

        Raises:
            ValueError: it has another rank.
        """
        if len(self) != rank:
            raise ValueError(f"Shape {tuple(self)} must have rank {rank}")
        return self

    def __getnewargs__(self) -> tuple:
        return (self.as_list(),)
