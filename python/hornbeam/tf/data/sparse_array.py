"""Sparse tensors within a pipeline: entries and their places as arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ... import graph
from ...backend.sparse import SparseTensor


class SparseArray:
    """Entries of an array of which all others are zero, or ``b''``.

    Args:
        indices: the entries' places, int64 (entries, axes), in any order.
        values: the entries, (entries,).
        shape: of the whole.
    """

    def __init__(self, indices: np.ndarray, values: np.ndarray, shape: Sequence[int]) -> None:
        self.indices, self.values = indices, values
        self.shape = tuple([int(n) for n in shape])
        self.dtype = values.dtype

    @classmethod
    def of(cls, tensor: SparseTensor) -> SparseArray:
        values = np.asarray(tensor.values.numpy(), dtype=object if tensor.dtype == "string" else None)
        return cls(np.asarray(tensor.indices.numpy()), values, tensor.dense_shape.numpy().tolist())

    @classmethod
    def of_dense(cls, array: np.ndarray) -> SparseArray:
        """With an entry for each item, also for those that are zero."""
        places = np.indices(array.shape, dtype="int64").reshape(array.ndim, array.size).T
        return cls(places, array.reshape(-1), array.shape)

    @classmethod
    def stacked(cls, items: Sequence[SparseArray], row_shape: Sequence[int | None] | None = None) -> SparseArray:
        """Several as the rows of one, which has ``row_shape``, or is as large as the largest of them.

        Raises:
            ValueError: they differ in their number of axes, or one is larger than the shape.
        """
        if len({len(x.shape) for x in items}) > 1:
            raise ValueError(f"Cannot batch sparse tensors of shapes {sorted({x.shape for x in items})}.")
        largest = [max(sizes) for sizes in zip(*[x.shape for x in items])]
        wanted = [n if m in (None, -1) else int(m) for n, m in zip(largest, row_shape or largest)]  # type: ignore[arg-type]
        if any(n > m for n, m in zip(largest, wanted)):
            raise ValueError(f"A sparse tensor of shape {tuple(largest)} is no row of shape {tuple(wanted)}.")
        rows = np.repeat(np.arange(len(items)), [len(x.values) for x in items])
        places = np.column_stack([rows, np.concatenate([x.indices for x in items])])
        return cls(places, np.concatenate([x.values for x in items]), [len(items), *wanted])

    def __len__(self) -> int:
        return self.shape[0]

    def rows(self) -> Iterator[SparseArray]:
        """What is at each place of the first axis."""
        order = np.argsort(self.indices[:, 0], kind="stable")
        places, values = self.indices[order], self.values[order]
        limits = np.searchsorted(places[:, 0], np.arange(len(self) + 1))
        for begin, end in itertools.pairwise(limits):
            yield SparseArray(places[begin:end, 1:], values[begin:end], self.shape[1:])

    def dense(self) -> np.ndarray:
        """The whole."""
        whole = np.full(self.shape, b"" if self.dtype == object else 0, dtype=self.dtype)
        whole[tuple(self.indices.T)] = self.values
        return whole

    def tensor(self) -> SparseTensor:
        return SparseTensor(
            graph.constant(self.indices), graph.constant(self.values), graph.constant(np.array(self.shape, "int64"))
        )
