"""Gradients of a tensor that was cut into pieces: the pieces' gradients side by side, not a sum of padded ones.

This is what gates are in recurrent cells: ``gates[:, :u]``, ``gates[:, u:2 * u]`` and so on.
"""

from __future__ import annotations

from itertools import pairwise

from ..flat import FlatGraph, FlatOp

#: an axis, and on it (begin, end, gradient) of disjoint pieces in order
Pieces = tuple[int, list[tuple[int, int, int]]]


def join_slices(graph: FlatGraph) -> None:
    """Replace sums of ``slice_grad`` whose slices make up the whole of an axis by one ``concat``."""
    pieces: dict[int, Pieces] = {}
    ops = []
    for op in graph.ops:
        ops.append(op)
        if op.name == "slice_grad":
            found = _piece(graph, op)
        elif op.name == "add":
            found = _joined(graph, op, pieces)
        else:
            continue
        if found is None:
            continue
        out = op.outputs[0]
        axis, parts = found
        if op.name == "add" and _whole(parts, graph.values[out].dims[axis]):
            ops[-1] = FlatOp("concat", {"axis": axis}, [v for _, _, v in parts], [out], op.label)
        else:
            pieces[out] = found
    graph.ops = ops


def _piece(graph: FlatGraph, op: FlatOp) -> Pieces | None:
    """The one piece that a ``slice_grad`` puts in place, if it is cut along one axis of known length."""
    dims, attrs = graph.values[op.outputs[0]].dims, op.attrs
    begin, end = (graph.values[v].ints for v in op.inputs[2:4])
    if begin is None or end is None or any(s != 1 for s in attrs.get("strides", ())):
        return None
    if not all(isinstance(i, int) for i in (*begin, *end)):
        return None
    cut = []
    for axis in range(len(begin)):
        open_begin, open_end = (attrs.get(mask, 0) >> axis & 1 for mask in ("begin_mask", "end_mask"))
        if open_begin and open_end:
            continue
        if dims[axis] < 0:
            return None
        start, stop, _ = slice(None if open_begin else begin[axis], None if open_end else end[axis]).indices(dims[axis])
        if (start, stop) != (0, dims[axis]):
            cut.append((axis, start, stop))
    if len(cut) != 1 or cut[0][1] >= cut[0][2]:
        return None
    axis, start, stop = cut[0]
    return axis, [(start, stop, op.inputs[0])]


def _joined(graph: FlatGraph, op: FlatOp, pieces: dict[int, Pieces]) -> Pieces | None:
    found = [pieces.get(v) for v in op.inputs]
    first, second = found
    dims = {graph.values[v].dims for v in (*op.inputs, *op.outputs)}
    if first is None or second is None or first[0] != second[0] or len(dims) > 1:
        return None
    parts = sorted(first[1] + second[1])
    disjoint = all(before[1] <= after[0] for before, after in pairwise(parts))
    return (first[0], parts) if disjoint else None


def _whole(parts: list[tuple[int, int, int]], length: int) -> bool:
    ends = [0, *(end for _, end, _ in parts)]
    return [begin for begin, _, _ in parts] == ends[:-1] and ends[-1] == length
