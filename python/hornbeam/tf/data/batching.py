"""Stages that put elements together, and take them apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...graph import RaggedTensor, nest
from ..specs import RaggedTensorSpec, SparseTensorSpec, TensorSpec
from .element import DatasetSpec, is_dataset, map_leaves, rows_of, to_array, with_dim, without_dim
from .selecting import Derived
from .sparse_array import SparseArray
from .stage import INFINITE, UNKNOWN, Stage, packer


def batched_count(known: int, size: int, drop: bool) -> int:
    """The number of batches."""
    return known if known < 0 else known // size if drop else -(-known // size)


def checked_size(size: Any, name: str = "batch_size") -> int:
    size = int(size)
    if size < 1:
        raise ValueError(f"`{name}` must be greater than zero, got {size}.")
    return size


class _Batches(Derived):
    """So many elements as one."""

    def __init__(self, source: Stage, size: Any, drop: bool) -> None:
        super().__init__(source)
        self._size, self._drop = checked_size(size), bool(drop)

    @property
    def spec(self) -> Any:  # type: ignore[override]
        known = self.source.spec
        return None if known is None else self._spec_of(self._size if self._drop else None, known)

    @property
    def cardinality(self) -> int:  # type: ignore[override]
        return batched_count(self.source.cardinality, self._size, self._drop)

    def open(self) -> Iterator[Any]:
        elements = self.source.open()
        while chunk := list(itertools.islice(elements, self._size)):
            if len(chunk) < self._size and self._drop:
                return
            yield self._together(chunk)

    def _together(self, chunk: list) -> Any:
        raise NotImplementedError

    def _spec_of(self, dim: int | None, spec: Any) -> Any:
        return with_dim(dim, spec)


class Batch(_Batches):
    """Arrays of one shape, stacked.

    Raises:
        ValueError: the shapes differ.
    """

    def open(self) -> Iterator[Any]:
        addressed = self.source.rows()
        if addressed is None:
            yield from super().open()
            return
        slices, runs = addressed
        rest = np.empty(0, dtype="int64")
        for run in runs:
            rest = np.concatenate([rest, run]) if len(rest) else run
            whole = len(rest) // self._size * self._size
            for start in range(0, whole, self._size):
                yield slices.take(rest[start : start + self._size])
            rest = rest[whole:]
        if len(rest) and not self._drop:
            yield slices.take(rest)

    def _together(self, chunk: list) -> Any:
        spec = self.source.spec
        if spec is None or not any(_is_row_of_ragged(s) for s in nest.flatten(spec)):
            return together(chunk, stacked)
        columns = zip(*[nest.flatten(element) for element in chunk])
        joins = [_ragged if _is_row_of_ragged(s) else stacked for s in nest.flatten(spec)]
        return packer(spec)([join(list(column)) for join, column in zip(joins, columns)])


def _is_row_of_ragged(spec: Any) -> bool:
    return isinstance(spec, RaggedTensorSpec) and spec.ragged_rank == 0 and bool(spec.shape)


def together(chunk: list, join: Callable[[list], Any]) -> Any:
    """A structure of what ``join`` makes of the items at each place."""
    first = chunk[0]
    if not isinstance(first, (dict, tuple)):
        return join(chunk)
    return packer(first)([join(list(column)) for column in zip(*[nest.flatten(element) for element in chunk])])


def stacked(items: list) -> Any:
    """Arrays of one shape as one array; ragged tensors as one."""
    first = items[0]
    if first is None:
        return None
    if isinstance(first, RaggedTensor):
        return RaggedTensor.from_rows(items, first.dtype)
    if isinstance(first, SparseArray):
        return SparseArray.stacked(items)
    if is_dataset(first):
        raise TypeError(
            "Data sets cannot be batched: batch the elements of each, as in window(...).flat_map(lambda w: w.batch(n))."
        )
    for other in items:
        if other.shape != first.shape:
            raise ValueError(
                "Cannot batch tensors with different shapes: the first element has shape "
                f"{first.shape} and another one {other.shape}. Use padded_batch, or bring them to one shape before."
            )
    out = np.empty((len(items), *first.shape), dtype=first.dtype)
    for i, x in enumerate(items):
        out[i] = x[()] if x.ndim == 0 else x
    return out


class RaggedBatch(_Batches):
    """Arrays that may differ in their first dim, as ragged tensors; numbers are stacked."""

    def _together(self, chunk: list) -> Any:
        return together(chunk, _ragged)

    def _spec_of(self, dim: int | None, spec: Any) -> Any:
        def batched(s: Any) -> Any:
            if isinstance(s, TensorSpec) and s.shape:
                return RaggedTensorSpec((dim, *s.shape), s.dtype, 1)
            return with_dim(dim, s)

        return map_leaves(batched, spec)


def _ragged(items: list) -> Any:
    first = items[0]
    return RaggedTensor.from_rows(items) if isinstance(first, np.ndarray) and first.ndim else stacked(items)


class SparseBatch(_Batches):
    """Arrays that may differ in their dims as one sparse tensor.

    Args:
        row_shape: the shape of a row, with None for the largest of a batch.
    """

    def __init__(self, source: Stage, size: Any, row_shape: Any) -> None:
        super().__init__(source, size, False)
        self._row_shape = list(row_shape)

    def _together(self, chunk: list) -> Any:
        return SparseArray.stacked([SparseArray.of_dense(x) for x in chunk], self._row_shape)

    def _spec_of(self, dim: int | None, spec: Any) -> Any:
        return SparseTensorSpec((dim, *[None if n == -1 else n for n in self._row_shape]), spec.dtype)


class PaddedBatch(_Batches):
    """Arrays of different shapes, filled up to the longest of a batch.

    Args:
        shapes: the shape to fill up to for each leaf, with None for the longest; None for that everywhere.
        values: what to fill with, for each leaf; 0 and ``b''`` by default.

    Raises:
        ValueError: an array is larger than the shape.
    """

    def __init__(self, source: Stage, size: Any, shapes: Any, values: Any, drop: bool) -> None:
        super().__init__(source, size, drop)
        self._shapes, self._values = shapes, values

    def _together(self, chunk: list) -> Any:
        first = chunk[0]
        shapes = _at_leaves(first, self._shapes, lambda x: x is None or not isinstance(x, (dict, tuple)) or _is_dims(x))
        values = _at_leaves(first, self._values, lambda x: not isinstance(x, (dict, tuple)))
        columns = zip(*[nest.flatten(element) for element in chunk])
        joined = [padded(list(column), s, v) for column, s, v in zip(columns, shapes, values)]
        return packer(first)(joined)

    def _spec_of(self, dim: int | None, spec: Any) -> Any:
        leaves = nest.flatten(spec)
        shapes = _at_leaves(spec, self._shapes, lambda x: x is None or not isinstance(x, (dict, tuple)) or _is_dims(x))

        def batched(s: TensorSpec, shape: Any) -> TensorSpec:
            if s.shape is None and shape is None:
                return TensorSpec(None, s.dtype)
            known: list = (
                [None] * len(s.shape or ()) if shape is None else [None if d in (None, -1) else d for d in shape]
            )
            return TensorSpec((dim, *known), s.dtype)

        return nest.pack(spec, [batched(s, shape) for s, shape in zip(leaves, shapes)])


def _is_dims(x: Any) -> bool:
    return isinstance(x, (tuple, list)) and all(d is None or isinstance(d, (int, np.integer)) for d in x)


def _at_leaves(structure: Any, given: Any, is_one: Callable[[Any], bool]) -> list:
    """What is given for each leaf of a structure: one item for all, or a structure of items."""
    if isinstance(structure, dict) and isinstance(given, dict):
        return [x for key in sorted(structure) for x in _at_leaves(structure[key], given[key], is_one)]
    if isinstance(structure, tuple) and isinstance(given, (tuple, list)) and not is_one(given):
        return [x for part, item in zip(structure, given) for x in _at_leaves(part, item, is_one)]
    return [given] * len(nest.flatten(structure))


def padded(items: list, shape: Any, value: Any) -> np.ndarray:
    """Arrays as one, each in a corner of a row that is filled up."""
    longest = [max(dims) for dims in zip(*[x.shape for x in items])]
    if shape is not None:
        if len(shape) != len(longest):
            raise ValueError(
                f"padded_batch: the padded shape {tuple(shape)} is for another rank than that of {items[0].shape}."
            )
        wanted = [n if d in (None, -1) else int(d) for n, d in zip(longest, shape)]
        if any(n > m for n, m in zip(longest, wanted)):
            raise ValueError(
                f"Attempted to pad to a smaller size than the input element: {tuple(longest)} to {tuple(wanted)}."
            )
        longest = wanted
    fill: Any = (b"" if items[0].dtype == object else 0) if value is None else to_array(value)
    out = np.full((len(items), *longest), fill[()] if isinstance(fill, np.ndarray) else fill, dtype=items[0].dtype)
    for i, x in enumerate(items):
        place: Any = (i, *[slice(n) for n in x.shape])
        out[place] = x[()] if x.ndim == 0 else x
    return out


class Unbatch(Derived):
    """The rows of each element."""

    cardinality = UNKNOWN  # type: ignore[assignment]

    @property
    def spec(self) -> Any:  # type: ignore[override]
        return None if self.source.spec is None else without_dim(self.source.spec)

    def open(self) -> Iterator[Any]:
        for element in self.source.open():
            pack = packer(element)
            columns = [rows_of(x) for x in nest.flatten(element)]
            for i in range(len(columns[0])):
                yield pack([x[i] if isinstance(x, list) else x[i, ...] for x in columns])


class Window(Derived):
    """Data sets of neighbouring elements; of a structure, a structure of them.

    Args:
        size: elements in a window.
        shift: elements between the first of a window and the first of the next.
        stride: elements between two of a window.
        drop: whether windows that are not full are left out.
        dataset_of: gives a data set of a list of elements.
    """

    def __init__(
        self,
        source: Stage,
        size: int,
        shift: int | None,
        stride: int,
        drop: bool,
        dataset_of: Callable[[list, Any], Any],
    ) -> None:
        super().__init__(source)
        self._size, self._shift, self._stride, self._drop = int(size), int(shift or size), int(stride), bool(drop)
        if min(self._size, self._shift, self._stride) < 1:
            raise ValueError(f"window: size {size}, shift {shift} and stride {stride} must be greater than zero.")
        self._dataset_of = dataset_of

    @property
    def spec(self) -> Any:  # type: ignore[override]
        return None if self.source.spec is None else map_leaves(DatasetSpec, self.source.spec)

    @property
    def cardinality(self) -> int:  # type: ignore[override]
        known = self.source.cardinality
        if known < 0:
            return known
        if not self._drop:
            return -(-known // self._shift)
        return max((known - (self._size - 1) * self._stride - 1) // self._shift + 1, 0)

    def open(self) -> Iterator[Any]:
        reach = (self._size - 1) * self._stride + 1
        elements = self.source.open()
        held: list = []
        while True:
            held += itertools.islice(elements, reach - len(held))
            if not held or (len(held) < reach and self._drop):
                return
            yield self._window(held[: reach : self._stride])
            if self._shift >= len(held):
                passed = self._shift - len(held)
                held = []
                if len(list(itertools.islice(elements, passed))) < passed:
                    return
            else:
                held = held[self._shift :]

    def _window(self, elements: list) -> Any:
        first = elements[0]
        spec = self.source.spec
        if not isinstance(first, (dict, tuple)):
            return self._dataset_of(elements, spec)
        columns = zip(*[nest.flatten(e) for e in elements])
        specs = [None] * len(nest.flatten(first)) if spec is None else nest.flatten(spec)
        return nest.pack(first, [self._dataset_of(list(c), s) for c, s in zip(columns, specs)])


class Held(Stage):
    """Elements that are there."""

    def __init__(self, elements: list, spec: Any) -> None:
        self._elements = elements
        self.spec = spec
        self.cardinality = len(elements)

    def open(self) -> Iterator[Any]:
        return iter(self._elements)


class Grouped(Stage):
    """Batches of elements that have something in common, as of one length.

    Args:
        key: gives an integer for each element.
        size: of a group, by its key.
        reduce: from a key and a group's elements to the elements that come out.
    """

    def __init__(
        self, source: Stage, key: Callable[[Any], int], size: Callable[[int], int],
        reduce: Callable[[int, list], Iterator[Any]],
    ) -> None:  # fmt: skip
        self._source, self._key, self._size, self._reduce = source, key, size, reduce
        if source.cardinality == INFINITE:
            self.cardinality = INFINITE

    def open(self) -> Iterator[Any]:
        groups: dict[int, list] = {}
        for element in self._source.open():
            key = self._key(element)
            group = groups.setdefault(key, [])
            group.append(element)
            if len(group) == self._size(key):
                yield from self._reduce(key, groups.pop(key))
        for key, group in groups.items():
            yield from self._reduce(key, group)
