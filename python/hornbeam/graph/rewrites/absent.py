"""Gradients that are not there: the branch that a program did not choose has none, yet its formula would carry zeros."""

from ..flat import FlatGraph

#: op -> positions of inputs of which zeros give zeros, whatever the other inputs are
_LINEAR = {
    **{"mul": (0, 1), "div": (0,), "neg": (0,), "cast": (0,), "identity": (0,), "relu_grad": (0,)},
    **{"reduce_sum": (0,), "reduce_mean": (0,), "sum_to": (0,), "broadcast_to": (0,), "tile": (0,), "reshape": (0,)},
    **{"expand_dims": (0,), "squeeze": (0,), "transpose": (0,), "reverse": (0,), "slice": (0,), "slice_grad": (0,)},
    **{"scatter_add": (1,), "conv2d_input_grad": (0,), "conv2d_filter_grad": (1,), "softmax_grad": (1,)},
    **{"depthwise_conv2d_input_grad": (0,), "depthwise_conv2d_filter_grad": (1,), "batch_norm_grad": (0,)},
}
#: the two that leave the other operand: op -> positions of inputs that may be absent
_SUMS = {"add": (0, 1), "sub": (1,)}


def drop_absent(graph: FlatGraph) -> None:
    """Mark what is computed of absent gradients alone as absent, and drop sums with it.

    This selects and does not multiply: an infinity in the other branch cannot make nan of a gradient. What is then
    read by nobody is dead code; an absent value that is still read is computed as before, and is zero.
    """
    values = graph.values
    same: dict[int, int] = {}
    ops = []
    for op in graph.ops:
        op.inputs = [same.get(v, v) for v in op.inputs]
        absent = [i for i, v in enumerate(op.inputs) if v >= 0 and values[v].is_absent]
        if any(i in _LINEAR.get(op.name, ()) for i in absent) or (op.name in _SUMS and len(absent) == 2):
            for v in op.outputs:
                values[v].is_absent = True
        elif len(absent) == 1 and absent[0] in _SUMS.get(op.name, ()):
            other = op.inputs[1 - absent[0]]
            if values[other].dims == values[op.outputs[0]].dims:
                same[op.outputs[0]] = other
                continue
        ops.append(op)
    graph.ops = ops
    graph.replace(same)
