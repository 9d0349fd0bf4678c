"""Bias and activation move in front of a squeeze: a 1-D convolution is a 2-D one whose extra axis is dropped."""

from ... import _core
from ..flat import FlatGraph, FlatOp
from .epilogue import ACTIVATIONS, is_bias


def sink_squeezes(graph: FlatGraph) -> None:
    """Turn ``activation(squeeze(op(...)) + bias)`` into ``squeeze(activation(op(...) + bias))``.

    So that the epilogue can be fused into the op; a squeeze costs nothing wherever it stands. Only values that nobody
    else reads are moved.
    """
    values, kept, users = graph.values, graph.kept(), graph.users()
    maker: dict[int, FlatOp] = {}
    ops: list[FlatOp] = []
    moved: set[int] = set()

    def squeeze_before(v: int) -> FlatOp | None:
        """The squeeze of an op's result that makes ``v``, if it keeps the last axis and only one op reads it."""
        made = maker.get(v)
        if made is None or made.name != "squeeze" or v in kept or len(users[v]) > 1:
            return None
        source = made.inputs[0]
        chain = maker.get(source)
        while chain is not None and chain.name in ("add", *ACTIVATIONS):
            chain = maker.get(chain.inputs[0])
        rank = len(values[source].dims)
        keeps_last = rank - 1 not in [axis % rank for axis in made.attrs["axes"]]
        return made if chain is not None and _core.op_info(chain.name).epilogue and keeps_last else None

    for op in graph.ops:
        squeeze, rest = None, op.inputs[1:]
        if op.name in ACTIVATIONS:
            squeeze = squeeze_before(op.inputs[0])
        elif op.name == "add":
            for v, bias in (op.inputs, op.inputs[::-1]):
                if squeeze is None and is_bias(values[bias], values[v]):
                    squeeze, rest = squeeze_before(v), [bias]
        if squeeze is not None and len(users[squeeze.inputs[0]]) == 1:
            moved.add(id(squeeze))
            first = graph.make_op(op.name, [squeeze.inputs[0], *rest], op.label, **op.attrs)
            op = FlatOp("squeeze", squeeze.attrs, first.outputs, op.outputs, op.label)
            ops.append(first)
            users[first.outputs[0]] = [op]
            maker[first.outputs[0]] = first
        ops.append(op)
        for v in op.outputs:
            maker[v] = op
    graph.ops = [op for op in ops if id(op) not in moved]
