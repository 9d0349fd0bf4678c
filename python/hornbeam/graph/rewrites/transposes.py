"""Transposes move down the graph until they meet their inverse, so that ``channels_first`` costs one at each end."""

from __future__ import annotations

import numpy as np

from ... import _core
from ..flat import FlatGraph, FlatOp

#: a value that is another value transposed: from its number to (the other's number, permutation)
Moved = dict[int, tuple[int, list[int]]]


def sink_transposes(graph: FlatGraph) -> None:
    """Let ops that do not care about the order of axes read what was transposed, and transpose their result.

    Two transposes in a row become one, or none if they cancel. Transposes that nobody reads any more are left to
    :func:`remove_dead`.
    """
    moved: Moved = {}
    same: dict[int, int] = {}  # values that turned out to be another value
    ops: list[FlatOp] = []

    def put(op: FlatOp) -> int:
        ops.append(op)
        return op.outputs[0]

    def result(source: int, perm: list[int], number: int) -> None:
        """Let ``number`` be ``source`` transposed."""
        if perm == sorted(perm):
            same[number] = source
        else:
            moved[number] = (source, perm)
            put(FlatOp("transpose", {"perm": perm}, [source], [number]))

    for op in graph.ops:
        op.inputs = [same.get(v, v) for v in op.inputs]
        if op.name == "transpose":
            source, perm = op.inputs[0], list(op.attrs["perm"])
            if source in moved:
                source, first = moved[source]
                perm = [first[p] for p in perm]
            result(source, perm, op.outputs[0])
            continue
        common = _common_permutation(graph, op, moved)
        inner = None if common is None else _inside(graph, op, common)
        if common is None or inner is None:
            ops.append(op)
            continue
        attrs, after = inner
        sources = [moved[v][0] if v in moved else v for v in op.inputs]
        value = put(graph.make_op(op.name, sources, op.label, **attrs))
        if op.name == "shape":
            order = graph.add_constant(np.asarray(common, "int64"))
            value = put(graph.make_op("gather", [value, order], op.label, axis=0))
            after = [0]
        result(value, after, op.outputs[0])
    graph.ops = ops
    graph.replace(same)


def _common_permutation(graph: FlatGraph, op: FlatOp, moved: Moved) -> list[int] | None:
    """The permutation that all inputs have gone through, but for those that look the same from every side."""
    perms = [moved[v][1] for v in op.inputs if v in moved]
    others = [v for v in op.inputs if v not in moved]
    if not perms or any(p != perms[0] for p in perms):
        return None
    plain = all(v >= 0 and all(d == 1 for d in graph.values[v].dims) for v in others)
    return perms[0] if plain else None


def _inside(graph: FlatGraph, op: FlatOp, perm: list[int]) -> tuple[dict, list[int]] | None:
    """Attributes of the op before the transpose, and the permutation of its result; None if it cannot go there."""
    if len(op.outputs) != 1:
        return None
    info = _core.op_info(op.name)
    if info.elementwise and not info.internal:
        rank = len(graph.values[op.outputs[0]].dims)
        return (op.attrs, perm) if rank == len(perm) else None
    if op.name == "shape":
        return op.attrs, perm
    if op.name == "concat":
        return {"axis": perm[op.attrs["axis"]]}, perm
    if op.name == "pad":
        before, after = [0] * len(perm), [0] * len(perm)
        for axis, source in enumerate(perm):
            before[source], after[source] = op.attrs["before"][axis], op.attrs["after"][axis]
        return {**op.attrs, "before": before, "after": after}, perm
    if info.family == "reduce" and "axes" in op.attrs:
        axes = [a % len(perm) for a in op.attrs["axes"]]
        attrs = {**op.attrs, "axes": sorted(perm[a] for a in axes)}
        if op.attrs.get("keepdims"):
            return attrs, perm
        left = [source for axis, source in enumerate(perm) if axis not in axes]
        return attrs, [sorted(left).index(source) for source in left]
    return None
