"""Bias and activation move into the op that makes the values: matmul, convolution, batch normalization."""

from ... import _core
from ..flat import FlatGraph, FlatOp, FlatValue

#: elementwise op -> name of the activation it is; elu for alpha = 1 only
ACTIVATIONS = {op: name for name, op, _ in _core.activations()}


def fuse_epilogues(graph: FlatGraph) -> None:
    """Fold ``op(...) + bias`` and ``activation(op(...))`` into the op, where nobody else reads what is in between.

    The fused op runs where the last of its parts ran, so that a bias computed late is there.
    """
    values, kept = graph.values, graph.kept()
    readers: dict[int, int] = {}
    for op in graph.ops:
        for v in op.inputs:
            readers[v] = readers.get(v, 0) + 1
    maker: dict[int, FlatOp] = {}
    absorbed: set[int] = set()

    def private(v: int) -> FlatOp | None:
        """The op whose first output is ``v``, if only one op reads that: bias and activation are about the first output."""
        made = maker.get(v)
        first = made is not None and made.outputs[0] == v
        return made if first and readers[v] == 1 and v not in kept else None

    for i, op in enumerate(graph.ops):
        fused = None
        if op.name == "add":
            for v, bias in (op.inputs, op.inputs[::-1]):
                made = private(v)
                if made is not None and _takes_bias(made) and is_bias(values[bias], values[v]):
                    inputs = [*made.inputs[: _core.op_info(made.name).bias], bias]
                    fused = FlatOp(made.name, made.attrs, inputs, op.outputs, made.label)
                    break
        elif op.name in ACTIVATIONS and op.attrs.get("alpha", 1.0) == 1.0:
            made = private(op.inputs[0])
            if made is not None and _core.op_info(made.name).epilogue and activation(made) == "linear":
                attrs = {**made.attrs, "activation": ACTIVATIONS[op.name]}
                fused = FlatOp(made.name, attrs, made.inputs, [op.outputs[0], *made.outputs[1:]], made.label)
        if fused is not None and made is not None:
            if any(readers.get(v, 0) or v in kept for v in made.outputs[1:]) and not _at_end(made, graph.ops, i):
                fused = None  # its other results are read before this point
        if fused is not None:
            absorbed.add(id(made))
            graph.ops[i] = op = fused
        for v in op.outputs:
            maker[v] = op
    graph.ops = [op for op in graph.ops if id(op) not in absorbed]


def _at_end(made: FlatOp, ops: list[FlatOp], end: int) -> bool:
    """True when nothing between ``made`` and position ``end`` reads a result of it."""
    results = set(made.outputs[1:])
    for op in reversed(ops[:end]):
        if op is made:
            return True
        if results.intersection(op.inputs):
            return False
    return True


def _takes_bias(op: FlatOp) -> bool:
    return _core.op_info(op.name).bias is not None and not has_bias(op) and activation(op) == "linear"


def has_bias(op: FlatOp) -> bool:
    at = _core.op_info(op.name).bias
    return at is not None and any(v >= 0 for v in op.inputs[at:])


def activation(op: FlatOp) -> str:
    """The name of what an op with an epilogue applies to its result."""
    return op.attrs.get("activation", "linear")


def is_bias(bias: FlatValue, out: FlatValue) -> bool:
    """One number per column: a vector of the last dim's length, which must be known."""
    return len(bias.dims) == 1 and len(out.dims) >= 2 and bias.dims[0] == out.dims[-1] > 0 and bias.dtype == out.dtype
