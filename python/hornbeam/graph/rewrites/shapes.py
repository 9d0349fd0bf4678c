"""Shapes that are known: no op for what changes nothing, and no value kept alive only to be measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import _core
from ..flat import FlatGraph, FlatOp


def resolve_shapes(graph: FlatGraph) -> None:
    """Drop ops that change nothing, and put together each shape from those of the feeds.

    Equal dims are surely equal (unknown dims have an identity), so ``sum_to`` after a product without broadcasting goes
    away, and ``shape(conv(x))`` no longer keeps a bias from moving into the convolution. All of it is folded at bind.
    """
    values = graph.values
    shapes = _Shapes(graph)
    same: dict[int, int] = {}
    ops: list[FlatOp] = []
    for op in graph.ops:
        op.inputs = [same.get(v, v) for v in op.inputs]
        out, source = op.outputs[0], op.inputs[0] if op.inputs else -1
        info = _core.op_info(op.name)
        if (info.view or info.view_if_same) and values[source].dims == values[out].dims:
            same[out] = source
        elif info.of_shapes and (vector := shapes.vector(values[source].dims, ops)) is not None:
            same[out] = vector
        else:
            ops.append(op)
    graph.ops = ops
    graph.replace(same)


class _Shapes:
    """Makes int32 vectors for dims, from constants and from dims of feeds."""

    def __init__(self, graph: FlatGraph) -> None:
        self.graph = graph
        self.known: dict[tuple[int, ...], int] = {}
        self.where: dict[int, tuple[int, int]] = {}  # unknown dim -> feed, axis
        for v, value in enumerate(graph.values):
            if value.kind == "feed":
                for axis, dim in enumerate(value.dims):
                    if dim < 0:
                        self.where.setdefault(dim, (v, axis))

    def vector(self, dims: tuple[int, ...], ops: list[FlatOp]) -> int | None:
        """The value number of the vector; None if a dim is that of no feed."""
        if dims in self.known:
            return self.known[dims]
        if any(d < 0 and d not in self.where for d in dims):
            return None
        if min(dims, default=0) >= 0:
            vector = self.graph.add_constant(np.asarray(dims, "int32"))
        else:
            parts = [self._part(d, ops) for d in dims]
            vector = self._emit(ops, "concat", parts, axis=0) if len(parts) > 1 else parts[0]
        self.known[dims] = vector
        return vector

    def _part(self, dim: int, ops: list[FlatOp]) -> int:
        if dim >= 0:
            return self.graph.add_constant(np.asarray([dim], "int32"))
        if (dim,) not in self.known:
            feed, axis = self.where[dim]
            shape = self._emit(ops, "shape", [feed])
            self.known[(dim,)] = self._emit(ops, "gather", [shape, self.graph.add_constant(np.asarray([axis]))], axis=0)
        return self.known[(dim,)]

    def _emit(self, ops: list[FlatOp], name: str, inputs: list[int], **attrs: Any) -> int:
        op = self.graph.make_op(name, inputs, **attrs)
        ops.append(op)
        return op.outputs[0]
