"""Sparse tensors: some entries of a tensor with their places. Ops take dense ones; see ``K.to_dense``."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import graph
from ..graph import Tensor


class SparseParts(NamedTuple):
    """What a sparse tensor is made of, for functions that take tensors alone."""

    indices: Any
    values: Any
    dense_shape: Any

    def whole(self) -> SparseTensor:
        return SparseTensor(*self)


class SparseTensor:
    """Entries of a tensor of which all others are zero.

    Attributes:
        indices: the entries' places, int64 (entries, axes), in the order of memory.
        values: the entries, (entries,).
        dense_shape: the shape of the whole, int64 (axes,).
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        self.indices = graph.convert(indices, "int64")
        self.values = graph.convert(values)
        self.dense_shape = graph.convert(dense_shape, "int64")

    @classmethod
    def of(cls, dense: Tensor, chosen: Tensor) -> SparseTensor:
        """The entries at which ``chosen``, a bool tensor of the same shape, is true: as many as it says when run."""
        flags = graph.cast(graph.reshape(chosen, (-1,)), "int64")
        count = graph.apply("reduce_sum", [flags], axes=[0], keepdims=True)
        # The n-th true flag gives its place to row n; the others go to row -1, which does not exist.
        rows = graph.apply("cumsum", [flags], axis=0) * flags - 1
        total = graph.apply("reduce_prod", [graph.shape_of(flags)], axes=[0], keepdims=False)
        zero, one = (graph.constant(n, "int32") for n in (0, 1))
        places = graph.apply("arange", [zero, total, one], dtype="int64")
        places = graph.apply("scatter_add", [rows, places, count])
        shape = graph.cast(graph.shape_of(dense), "int64")
        values = graph.apply("gather", [graph.reshape(dense, (-1,)), places], axis=0)
        return cls(_unraveled(places, shape, dense.ndim), values, shape)

    def tensor_parts(self) -> SparseParts:
        return SparseParts(self.indices, self.values, self.dense_shape)

    @property
    def dtype(self) -> str:
        return self.values.dtype

    @property
    def shape(self) -> graph.StaticShape:
        """As far as it is known."""
        sizes = self.dense_shape.ints or [None] * int(self.dense_shape.shape[0])
        return graph.StaticShape([size if isinstance(size, int) else None for size in sizes])

    def get_shape(self) -> graph.StaticShape:
        return self.shape

    def toarray(self) -> Any:
        """The whole tensor's value, where it has one."""
        return self.dense().numpy()

    def dense(self) -> Tensor:
        """The whole tensor."""
        place: Any = 0
        for axis in range(self.dense_shape.shape[0] or 0):
            place = place * self.dense_shape[axis] + self.indices[:, axis]
        total = graph.apply("reduce_prod", [self.dense_shape], axes=[0], keepdims=True)
        return graph.reshape(graph.apply("scatter_add", [place, self.values, total]), self.dense_shape)


def _unraveled(places: Tensor, shape: Tensor, rank: int) -> Tensor:
    """Places in memory as one index for each axis."""
    columns: list[Tensor] = []
    for axis in reversed(range(rank)):
        columns.insert(0, graph.apply("expand_dims", [places % shape[axis]], axis=1))
        places = places // shape[axis]
    return graph.apply("concat", columns, axis=1)
