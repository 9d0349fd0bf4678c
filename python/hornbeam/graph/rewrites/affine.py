"""Scale and shift after a convolution or product fold into its weights, when all of them are steady.

This is what batch normalization is at inference: ``(conv(x, w) + b) * scale + shift`` becomes
``conv(x, w * scale) + (b * scale + shift)``, and the folded weights are computed once, in the program's prologue.
"""

from collections.abc import Iterable

import numpy as np

from ... import _core
from ..flat import FlatGraph, FlatOp
from .epilogue import activation


def fold_affine(graph: FlatGraph) -> None:
    """Fold steady per-channel factors into weights, and steady summands into the bias that is there already.

    Steady is a constant, a variable that this program does not write, or what is made of such.
    """
    steady = _steady_values(graph)
    kept = graph.kept()
    readers = graph.users()
    maker: dict[int, FlatOp] = {}
    result: list[FlatOp] = []
    for op in graph.ops:
        folded = None
        if op.name in ("mul", "add"):
            for v, vector in (op.inputs, op.inputs[::-1]):
                made = maker.get(v)
                same_rank = len(graph.values[v].dims) == len(graph.values[op.outputs[0]].dims)
                private = made is not None and same_rank and len(readers[v]) == 1 and v not in kept
                if made is not None and private and vector in steady and _foldable(graph, made, v, vector, steady):
                    folded = _Folder(graph, made, v, vector).fold(op)
                    break
        if folded is None:
            result.append(op)
        else:
            result.remove(made)  # type: ignore[arg-type]
            result.extend(folded)
        for new in folded or [op]:
            for v in new.outputs:
                maker[v] = new
                if new is not op and _core.op_info(new.name).columns != 1:
                    steady.add(v)
    graph.ops = result


def _foldable(graph: FlatGraph, made: FlatOp, v: int, vector: int, steady: set[int]) -> bool:
    return (
        _core.op_info(made.name).columns == 1
        and activation(made) == "linear"
        and not made.attrs.get("transpose_b")
        and all(w in steady for w in made.inputs[1:] if w >= 0)
        and _per_channel(graph.values[vector].dims, graph.values[v].dims[-1])
    )


class _Folder:
    """Builds the ops that replace one product and the scale or shift after it."""

    def __init__(self, graph: FlatGraph, made: FlatOp, v: int, vector: int) -> None:
        self.graph = graph
        self.made = made
        self.ops: list[FlatOp] = []
        self.vector = self.reshape(vector, graph.values[v].dims[-1:])

    def emit(self, name: str, *inputs: int) -> int:
        self.ops.append(self.graph.make_op(name, list(inputs), self.made.label))
        return self.ops[-1].outputs[0]

    def reshape(self, v: int, dims: Iterable[int]) -> int:
        dims = tuple(dims)
        if self.graph.values[v].dims == dims:
            return v
        return self.emit("reshape", v, self.graph.add_constant(np.asarray(dims, "int64")))

    def fold(self, op: FlatOp) -> list[FlatOp]:
        x, weights, *rest = self.made.inputs
        bias = rest[0] if rest and rest[0] >= 0 else None
        if op.name == "mul":
            factor = self.vector
            if self.graph.values[weights].dims[-1:] != self.graph.values[factor].dims:
                factor = self.reshape(factor, self.graph.values[weights].dims[-2:])  # (input channel, multiplier)
            weights = self.emit("mul", weights, factor)
            bias = None if bias is None else self.emit("mul", bias, self.vector)
        else:
            bias = self.vector if bias is None else self.emit("add", bias, self.vector)
        inputs = [x, weights] if bias is None else [x, weights, bias]
        self.ops.append(FlatOp(self.made.name, self.made.attrs, inputs, op.outputs, self.made.label))
        return self.ops


def _per_channel(dims: tuple[int, ...], channels: int) -> bool:
    """True for (C,) and (1, ..., 1, C)."""
    return channels > 0 and len(dims) >= 1 and dims[-1] == channels and all(d == 1 for d in dims[:-1])


def _steady_values(graph: FlatGraph) -> set[int]:
    written = {id(variable) for variable, _ in graph.updates}
    steady = {
        v
        for v, value in enumerate(graph.values)
        if value.kind == "constant" or (value.kind == "variable" and id(value.payload) not in written)
    }
    for op in graph.ops:
        if not op.is_random and not op.bodies and all(v < 0 or v in steady for v in op.inputs):
            steady.update(op.outputs)
    return steady
