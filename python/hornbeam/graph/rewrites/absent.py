"""Gradients that are not there: the branch that a program did not choose has none, yet its formula would carry zeros."""

import numpy as np

from ..flat import FlatGraph, FlatOp
from .epilogue import BIASED

#: op -> positions of inputs of which zeros give zeros, whatever the other inputs are
_LINEAR = {
    **{"mul": (0, 1), "div": (0,), "neg": (0,), "cast": (0,), "identity": (0,), "relu_grad": (0,)},
    **{"reduce_sum": (0,), "reduce_mean": (0,), "sum_to": (0,), "broadcast_to": (0,), "tile": (0,), "reshape": (0,)},
    **{"expand_dims": (0,), "squeeze": (0,), "transpose": (0,), "reverse": (0,), "slice": (0,), "slice_grad": (0,)},
    **{"scatter_add": (1,), "conv2d_input_grad": (0,), "conv2d_filter_grad": (1,), "softmax_grad": (1,)},
    **{"depthwise_conv2d_input_grad": (0,), "depthwise_conv2d_filter_grad": (1,), "batch_norm_grad": (0,)},
    **{"conv3d_input_grad": (0,), "conv3d_filter_grad": (1,), "matmul": (0, 1)},
}
#: op -> its cotangents, of which some may not be given: zeros for all of them give zeros
_COTANGENTS = {"lstm_grad": (0, 1, 2), "gru_grad": (0, 1), "simple_rnn_grad": (0, 1)}
#: the two that leave the other operand: op -> positions of inputs that may be absent
_SUMS = {"add": (0, 1), "sub": (1,)}


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
        elif len(absent) == 1 and absent[0] in _SUMS.get(op.name, ()):
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
        if not any(v in computed for v in op.outputs) and op.name != "shape":
            op.inputs = [zero(v) for v in op.inputs]
        ops.append(op)
    graph.outputs = [zero(v) for v in graph.outputs]
    graph.updates = [(variable, zero(v)) for variable, v in graph.updates]
    graph.ops = ops


def _is_zero(op: FlatOp, absent: list[int]) -> bool:
    """Whether zeros in these positions make zeros of the op's results."""
    if op.name in _COTANGENTS:
        return all(i in absent or op.inputs[i] < 0 for i in _COTANGENTS[op.name])
    if op.name in (*_SUMS, "concat"):
        return len(absent) == len(op.inputs)
    if op.name in BIASED:
        no_bias = all(v < 0 for v in op.inputs[BIASED[op.name] :])
        if not no_bias or op.attrs.get("activation", "linear") != "linear":
            return False
    return any(i in _LINEAR.get(op.name, ()) for i in absent)
