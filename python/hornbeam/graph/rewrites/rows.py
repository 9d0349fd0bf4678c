"""The gradient of an embedding stays a list of rows on its way into the optimizer's step."""

from __future__ import annotations

from ..flat import FlatGraph, FlatOp
from .multi_tensor import renumber


def keep_rows(graph: FlatGraph) -> None:
    """Let ``fused`` ops read the rows that a ``scatter_add`` would spread among zeros.

    Adam changes every row of an embedding, also those whose gradient is zero; what is saved is to write the zeros and
    to read them again. Only where nobody else reads the spread values, and the op computes values of their shape.
    """
    made = {op.outputs[0]: op for op in graph.ops if op.name == "scatter_add"}
    kept, users = graph.kept(), graph.users()
    for op in graph.ops:
        if op.name != "fused" or len(op.inputs) < 2:  # rows alone are not an input of fused_rows
            continue
        dims = graph.values[op.outputs[0]].dims
        for at, v in enumerate(op.inputs):
            alone = v in made and v not in kept and users[v] == [op]
            if alone and graph.values[v].dims == dims and graph.values[v].dtype == op.attrs["dtype"]:
                _read_rows(graph, op, at, made[v])
                break


def _read_rows(graph: FlatGraph, op: FlatOp, at: int, scatter: FlatOp) -> None:
    """Make input ``at`` the program's first one, given by two inputs of the op: the sums and their places."""
    rows = graph.make_op("sum_rows", scatter.inputs, scatter.label)
    scatter.name, scatter.outputs = rows.name, rows.outputs
    number = {old: old + 1 for old in range(at)} | {at: 0}
    op.name = "fused_rows"
    op.inputs = [*rows.outputs, *op.inputs[:at], *op.inputs[at + 1 :]]
    op.attrs = {
        **op.attrs,
        "code": renumber(op.attrs["code"], number),
        "outputs": [number.get(n, n) for n in op.attrs["outputs"]],
    }
