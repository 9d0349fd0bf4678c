"""Ragged tensors: rows of different lengths, as text has them. They live on the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .dtypes import DTYPES, DType
from .ops import constant
from .static_shape import StaticShape
from .strings import as_strings
from .tensor import Tensor


class RaggedTensor:
    """Rows of different lengths.

    Args:
        values: the items of all rows behind each other: an array or, where items are rows themselves, a RaggedTensor.
        row_splits: where each row begins, and where the last one ends.
    """

    def __init__(self, values: Any, row_splits: Any) -> None:
        self._values: Any = values if isinstance(values, RaggedTensor) else _array(values)
        self._splits = np.asarray(row_splits, dtype="int64")
        if self._splits.ndim != 1 or len(self._splits) == 0 or self._splits[0] != 0:
            raise ValueError(f"row_splits is a vector that begins with 0, got {row_splits!r:.80}")
        if (np.diff(self._splits) < 0).any() or self._splits[-1] != len(self._values):
            raise ValueError(
                f"row_splits rises up to the number of values, {len(self._values)}; got {row_splits!r:.80}"
            )

    # -- making one -------------------------------------------------------------------------------
    @classmethod
    def from_row_splits(cls, values: Any, row_splits: Any, name: Any = None, validate: bool = True) -> RaggedTensor:
        return cls(values, row_splits)

    @classmethod
    def from_row_lengths(cls, values: Any, row_lengths: Any, name: Any = None, validate: bool = True) -> RaggedTensor:
        return cls(values, np.concatenate([[0], np.cumsum(np.asarray(row_lengths, dtype="int64"))]))

    @classmethod
    def from_value_rowids(
        cls, values: Any, value_rowids: Any, nrows: int | None = None, name: Any = None, validate: bool = True
    ) -> RaggedTensor:
        ids = np.asarray(value_rowids, dtype="int64")
        rows = int(ids[-1]) + 1 if nrows is None and len(ids) else int(nrows or 0)
        return cls.from_row_lengths(values, np.bincount(ids, minlength=rows))

    @classmethod
    def from_rows(cls, rows: Sequence[Any], dtype: Any = None) -> RaggedTensor:
        """Of arrays, or of ragged tensors, one for each row."""
        if rows and isinstance(rows[0], RaggedTensor):
            inner = [item for row in rows for item in row._rows()]
            return cls.from_row_lengths(cls.from_rows(inner, rows[0].dtype), [len(row) for row in rows])
        arrays = [_array(row) for row in rows]
        full = [a for a in arrays if a.size] or arrays[:1]
        if not full:
            return cls(np.empty(0, dtype=_numpy_dtype(dtype or "float32")), [0])
        kind = _numpy_dtype(dtype) if dtype else full[0].dtype
        flat = np.concatenate([a.astype(kind, copy=False) for a in full]) if any(a.size for a in full) else full[0]
        return cls.from_row_lengths(flat.astype(kind, copy=False), [len(a) for a in arrays])

    @classmethod
    def from_nested(cls, pylist: Sequence, dtype: Any = None) -> RaggedTensor:
        """Of lists in lists, which differ in length at one depth or more."""
        rows = [_of_list(row, dtype) for row in pylist]
        if any(isinstance(row, RaggedTensor) for row in rows):
            rows = [row if isinstance(row, RaggedTensor) else cls(np.empty(0), [0]) for row in rows]
        return cls.from_rows(rows, dtype)

    @classmethod
    def from_tensor(cls, tensor: Any, lengths: Any = None, padding: Any = None, **other: Any) -> RaggedTensor:
        """The rows of a dense tensor, without what lies behind their lengths, or without the padding at their ends."""
        array = _array(tensor)
        if lengths is None and padding is not None:
            pad = padding.encode() if isinstance(padding, str) else padding
            lengths = [max((i + 1 for i, x in enumerate(row) if x != pad), default=0) for row in array]
        elif lengths is None:
            lengths = [array.shape[1]] * len(array)
        return cls.from_rows([row[:n] for row, n in zip(array, np.asarray(lengths))], _name(array))

    # -- looking at it ----------------------------------------------------------------------------
    @property
    def values(self) -> Any:
        """The items of all rows: a tensor, or a ragged one."""
        return self._values if isinstance(self._values, RaggedTensor) else constant(self._values)

    @property
    def flat_values(self) -> Tensor:
        return self._values.flat_values if isinstance(self._values, RaggedTensor) else constant(self._values)

    @property
    def row_splits(self) -> Tensor:
        return constant(self._splits)

    @property
    def ragged_rank(self) -> int:
        return 1 + (self._values.ragged_rank if isinstance(self._values, RaggedTensor) else 0)

    @property
    def dtype(self) -> DType:
        return self._values.dtype if isinstance(self._values, RaggedTensor) else DTYPES[_name(self._values)]

    @property
    def shape(self) -> StaticShape:
        return StaticShape([len(self), None, *self._values.shape[1:]])

    def get_shape(self) -> StaticShape:
        return self.shape

    def row_lengths(self, axis: int = 1, name: Any = None) -> Any:
        if axis > 1:
            return RaggedTensor(np.asarray(self._values.row_lengths(axis - 1)), self._splits)
        return constant(np.diff(self._splits))

    def nrows(self, out_type: Any = None, name: Any = None) -> Tensor:
        return constant(np.asarray(len(self), dtype="int64"))

    def value_rowids(self, name: Any = None) -> Tensor:
        return constant(np.repeat(np.arange(len(self)), np.diff(self._splits)))

    def bounding_shape(self, axis: Any = None, name: Any = None, out_type: Any = None) -> Tensor:
        longest = int(np.diff(self._splits).max(initial=0))
        inner = np.asarray(self._values.bounding_shape())[1:] if self.ragged_rank > 1 else self._values.shape[1:]
        return constant(np.array([len(self), longest, *inner], dtype="int64"))

    def __len__(self) -> int:
        return len(self._splits) - 1

    def _rows(self) -> Iterator[Any]:
        for begin, end in zip(self._splits[:-1], self._splits[1:]):
            yield self._values._part(begin, end) if isinstance(self._values, RaggedTensor) else self._values[begin:end]

    def _part(self, begin: int, end: int) -> RaggedTensor:
        splits = self._splits[begin : end + 1]
        inner = self._values
        part = inner._part(splits[0], splits[-1]) if isinstance(inner, RaggedTensor) else inner[splits[0] : splits[-1]]
        return RaggedTensor(part, splits - splits[0])

    def __iter__(self) -> Iterator[Any]:
        return (row if isinstance(row, RaggedTensor) else constant(row) for row in self._rows())

    def __getitem__(self, key: Any) -> Any:
        """A row, or some rows; behind that, what each row gives for a slice.

        Raises:
            IndexError: there is no such row.
        """
        first, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(first, slice):
            begin, end, step = first.indices(len(self))
            rows = list(self._rows())
            found: Any = (
                self._part(begin, max(begin, end)) if step == 1 else RaggedTensor.from_rows(rows[first], self.dtype)
            )
            if rest and rest[0] != slice(None):
                if not isinstance(rest[0], slice):
                    return constant(np.array([np.asarray(row)[rest[0]] for row in found._rows()]))
                found = RaggedTensor.from_rows([row[rest[0]] for row in found._rows()], self.dtype)
            return found
        index = int(first)
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} of a ragged tensor with {len(self)} rows")
        row = self._part(index % len(self), index % len(self) + 1)._values
        row = row if isinstance(row, RaggedTensor) else constant(row)
        return row[tuple(rest)] if rest else row

    # -- turning it into something else -------------------------------------------------------------
    def to_list(self) -> list:
        return [row.to_list() if isinstance(row, RaggedTensor) else row.tolist() for row in self._rows()]

    def to_tensor(self, default_value: Any = None, name: Any = None, shape: Any = None) -> Tensor:
        """Dense, with the rows filled up to the longest (or to ``shape``) with 0 or ``b''``."""
        lengths = np.diff(self._splits)
        inner = self._values
        if isinstance(inner, RaggedTensor):
            inner_shape = None if shape is None else [None, *list(shape)[2:]]
            inner = np.asarray(inner.to_tensor(default_value, shape=inner_shape).numpy())
        wanted = [None] * 2 if shape is None else list(shape)
        rows = len(self) if wanted[0] in (None, -1) else int(wanted[0])
        width = int(lengths.max(initial=0)) if len(wanted) < 2 or wanted[1] in (None, -1) else int(wanted[1])
        fill = (b"" if inner.dtype == object else 0) if default_value is None else default_value
        fill = fill.encode() if isinstance(fill, str) else fill
        dense = np.full((rows, width, *inner.shape[1:]), fill, dtype=inner.dtype)
        columns = np.arange(width)
        row_of = np.repeat(np.arange(len(self)), lengths)
        column_of = np.arange(len(inner)) - np.repeat(self._splits[:-1], lengths)
        fits = (column_of < width) & (row_of < rows)
        if len(columns):
            dense[row_of[fits], column_of[fits]] = inner[fits]
        return constant(dense)

    def numpy(self) -> np.ndarray:
        """An array of the rows' arrays; a dense one where all rows have one length."""
        rows = [row.numpy() if isinstance(row, RaggedTensor) else row for row in self._rows()]
        if len({len(row) for row in rows}) <= 1:
            return np.array(rows, dtype=rows[0].dtype if rows else None)
        array = np.empty(len(rows), dtype=object)
        array[:] = rows
        return array

    def with_values(self, values: Any) -> RaggedTensor:
        """The same rows of other items."""
        return RaggedTensor(values, self._splits)

    def map_flat_values(self, function: Any) -> RaggedTensor:
        """The same rows, with a function applied to all items at once."""
        inner = self._values
        return self.with_values(
            inner.map_flat_values(function) if isinstance(inner, RaggedTensor) else function(constant(inner))
        )

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """Axes ``outer_axis`` to ``inner_axis`` as one.

        Raises:
            ValueError: the first of them is not 0 or 1, or they do not follow each other.
        """
        if outer_axis > 0:
            return self.with_values(_plain(self.values.merge_dims(outer_axis - 1, inner_axis - 1)))
        found: Any = self
        for _ in range(inner_axis):
            if not isinstance(found, RaggedTensor):
                raise ValueError(f"merge_dims({outer_axis}, {inner_axis}) of a tensor of shape {tuple(self.shape)}")
            found = found.values
        return found

    def __repr__(self) -> str:
        return f"<tf.RaggedTensor {str(self.to_list())[:200]}>"


def _plain(x: Any) -> Any:
    return x if isinstance(x, RaggedTensor) else _array(x)


def _of_list(row: Any, dtype: Any) -> Any:
    items = list(row) if isinstance(row, (list, tuple, np.ndarray)) else row
    if isinstance(items, list) and any(isinstance(x, (list, tuple)) for x in items):
        return RaggedTensor.from_nested(items, dtype)
    return _array(items) if dtype is None or items else np.empty(0, dtype=_numpy_dtype(dtype))


def _array(x: Any) -> np.ndarray:
    if isinstance(x, Tensor):
        return np.asarray(x.numpy())
    strings = as_strings(x)
    return constant(x).op.attrs["value"] if strings is None else strings


def _name(array: np.ndarray) -> str:
    return "string" if array.dtype == object else array.dtype.name


def _numpy_dtype(dtype: Any) -> Any:
    return object if str(dtype) == "string" else np.dtype(str(dtype) if isinstance(dtype, str) else dtype)
