"""Gradients that are not there: the branch that a program did not choose has none, yet its formula would carry zeros."""

import numpy as np

from ... import _core
from ..flat import FlatGraph, FlatOp
from .epilogue import activation, has_bias


def drop_absent(graph: FlatGraph) -> None:
    """Mark what is computed of absent gradients alone as absent, and drop sums with it.

    This selects and does not multiply: an infinity in the other branch cannot make nan of a gradient. What is then
    read by nobody is dead code; an absent value that is still read has its shape from what computes it, and is zero.
    """
    values = graph.values
    same: dict[int, int] = {}
    ops: list[FlatOp] = []
    computed: set[int] = set()  # absent values that would be nan beside an infinity
    for op in graph.ops:
        op.inputs = [same.get(v, v) for v in op.inputs]
        absent = [i for i, v in enumerate(op.inputs) if v >= 0 and values[v].is_absent]
        if absent and _is_zero(op, absent):
            for v in op.outputs:
                values[v].is_absent = True
            computed.update(op.outputs)
        elif len(absent) == 1 and _core.op_info(op.name).neutral(absent[0]) == 0:
            other = op.inputs[1 - absent[0]]
            if values[other].dims == values[op.outputs[0]].dims:
                same[op.outputs[0]] = other
                continue
        ops.append(op)
    graph.ops = ops
    graph.replace(same)
    _select_zeros(graph, computed)


def _select_zeros(graph: FlatGraph, computed: set[int]) -> None:
    """Let those that read absent values, and are not absent themselves, read zeros in their place."""
    values = graph.values
    zeros: dict[int, int] = {}
    ops: list[FlatOp] = []

    def zero(v: int) -> int:
        if v in computed and v not in zeros:
            false, number = (graph.add_constant(np.asarray(0, dtype)) for dtype in ("bool", values[v].dtype))
            ops.append(graph.make_op("select", [false, v, number]))
            zeros[v] = ops[-1].outputs[0]
        return zeros.get(v, v)

    for op in graph.ops:
        if not any(v in computed for v in op.outputs) and not _core.op_info(op.name).of_shapes:
            op.inputs = [zero(v) for v in op.inputs]
        ops.append(op)
    graph.outputs = [zero(v) for v in graph.outputs]
    graph.updates = [(variable, zero(v)) for variable, v in graph.updates]
    graph.ops = ops


def _is_zero(op: FlatOp, absent: list[int]) -> bool:
    """Whether zeros in these positions make zeros of the op's results."""
    info = _core.op_info(op.name)
    if info.epilogue and (has_bias(op) or activation(op) != "linear"):
        return False
    if any(info.is_linear(i) for i in absent):
        return True
    together = [i for i in range(len(op.inputs)) if info.is_jointly_linear(i)]
    return bool(together) and all(i in absent or op.inputs[i] < 0 for i in together)
