"""An optimizer's formula over many parameters becomes one op over all of them."""

from __future__ import annotations

from ..flat import FlatGraph, FlatOp
from ..ops import attrs_key
from .fusion import ARITY


def merge_updates(graph: FlatGraph) -> None:
    """Merge ``fused`` ops with equal programs that only make new values of variables.

    An optimizer step is the same formula for each parameter; one ``fused_multi`` op runs it over all of them. Scalars
    that every group reads (the learning rate) are shared. Groups must not read what another group writes.
    """
    readers = graph.users()
    updated = {v: id(variable) for variable, v in graph.updates}
    outputs = set(graph.outputs)
    families: dict[tuple, list[FlatOp]] = {}
    for op in graph.ops:
        if op.name == "fused" and all(v in updated and v not in readers and v not in outputs for v in op.outputs):
            if _one_shape(graph, op):
                families.setdefault(_key(graph, op), []).append(op)
    replaced: set[int] = set()
    for ops in families.values():
        if len(ops) > 1 and _independent(graph, ops, updated):
            graph.ops[graph.ops.index(ops[-1])] = _merge(graph, ops)
            replaced.update(id(op) for op in ops)
    graph.ops = [op for op in graph.ops if id(op) not in replaced]


def _is_scalar(graph: FlatGraph, v: int) -> bool:
    return graph.values[v].dims == ()


def _one_shape(graph: FlatGraph, op: FlatOp) -> bool:
    dims = graph.values[op.outputs[0]].dims
    return min(dims, default=0) >= 0 and all(_is_scalar(graph, v) or graph.values[v].dims == dims for v in op.inputs)


def _key(graph: FlatGraph, op: FlatOp) -> tuple:
    """Equal for ops that can be groups of one op: same program, same dtypes, same scalars."""
    inputs = tuple((graph.values[v].dtype, v if _is_scalar(graph, v) else None) for v in op.inputs)
    return attrs_key(op.attrs), inputs


def _independent(graph: FlatGraph, ops: list[FlatOp], updated: dict[int, int]) -> bool:
    writes = {updated[v]: op for op in ops for v in op.outputs}
    for op in ops:
        for v in op.inputs:
            value = graph.values[v]
            if value.kind == "variable" and writes.get(id(value.payload), op) is not op:
                return False
    return True


def _merge(graph: FlatGraph, ops: list[FlatOp]) -> FlatOp:
    """Renumber the program so that shared scalars come first, as ``fused_multi`` wants them."""
    first = ops[0]
    shared = [i for i, v in enumerate(first.inputs) if _is_scalar(graph, v)]
    own = [i for i, v in enumerate(first.inputs) if not _is_scalar(graph, v)]
    new_number = {old: new for new, old in enumerate([*shared, *own])}
    attrs = {
        **first.attrs,
        "code": renumber(first.attrs["code"], new_number),
        "outputs": [new_number.get(n, n) for n in first.attrs["outputs"]],
        "n_shared": len(shared),
        "n_groups": len(ops),
    }
    inputs = [first.inputs[i] for i in shared] + [op.inputs[i] for op in ops for i in own]
    return FlatOp("fused_multi", attrs, inputs, [v for op in ops for v in op.outputs], first.label)


def renumber(code: list[int], new_number: dict[int, int]) -> list[int]:
    """A program's instructions (csrc/ops/elementwise.h) with values that have other numbers."""
    result, i = [], 0
    while i < len(code):
        arity = ARITY[code[i]]
        result += [code[i], *(new_number.get(n, n) for n in code[i + 1 : i + 1 + arity])]
        i += 1 + arity
    return result
