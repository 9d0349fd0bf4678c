"""Adding zero and multiplying by one: what gradients of branches and masks leave behind."""

from ... import _core
from ..flat import FlatGraph, FlatOp


def drop_neutral(graph: FlatGraph) -> None:
    """Drop sums with zeros and products with ones that leave the other operand's shape and dtype as they are.

    The sign of zero is not looked at: -0 + 0 is left as -0.
    """
    makers = graph.makers()
    same: dict[int, int] = {}
    ops = []
    for op in graph.ops:
        op.inputs = [same.get(v, v) for v in op.inputs]
        for position in range(len(op.inputs)):
            number = _core.op_info(op.name).neutral(position)
            if number is None:
                continue
            other = op.inputs[1 - position]
            before, after = graph.values[other], graph.values[op.outputs[0]]
            if (before.dims, before.dtype) == (after.dims, after.dtype) and _is_full_of(
                graph, op.inputs[position], number, makers
            ):
                same[op.outputs[0]] = other
                break
        else:
            ops.append(op)
    graph.ops = ops
    graph.replace(same)


def _is_full_of(graph: FlatGraph, v: int, number: float, makers: dict[int, FlatOp]) -> bool:
    value = graph.values[v]
    if value.kind == "constant":
        return value.payload.size == 1 and value.payload.item() == number
    maker = makers.get(v)
    return maker is not None and maker.name == "fill" and maker.attrs["value"] == number
