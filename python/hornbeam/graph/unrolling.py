"""Loops whose body makes tensors of sizes that depend on data: they are written out, step by step.

A body is bound once for all its steps, so no size in it may change from step to step. Detectors mask and suppress boxes in
``map_fn`` and ``while_loop`` over a batch: once the number of steps is known, each step is a part of the graph of its own,
and the Program is cut where a size has to be known (csrc/program/cut.cpp).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from .flat import FlatGraph, FlatOp, has_sizes_from_data
from .tensor import known_dims


def unroll(graph: FlatGraph, lengths: Sequence[int]) -> None:
    """Write out ``graph.loops``, which have as many steps as ``lengths`` says."""
    steps = {id(op): n for (op, _), n in zip(graph.loops, lengths)}
    ops, graph.ops = graph.ops, []
    replaced: dict[int, int] = {}
    for op in ops:
        if id(op) in steps:
            replaced |= _written_out(graph, op, steps[id(op)])
        else:
            graph.ops.append(op)
    graph.replace(replaced)
    graph.prints = [(message, replaced.get(v, v)) for message, v in graph.prints]
    graph.loops = []


def _written_out(graph: FlatGraph, op: FlatOp, steps: int) -> dict[int, int]:
    """Append the steps of one loop; returns what stands for each of its outputs."""
    states, sequences, shifts = op.attrs["states"], op.attrs["sequences"], op.attrs["shifts"]
    firsts = iter(op.inputs[states + sequences :])
    first = [next(firsts) if shift else -1 for shift in shifts]
    captured = list(firsts)
    current = op.inputs[:states]
    kept: list[list[int]] = [[] for _ in op.outputs[states:]]
    for t in range(steps - 1, -1, -1) if op.attrs["reverse"] else range(steps):
        rows = []
        for sequence, shift, outside in zip(op.inputs[states : states + sequences], shifts, first):
            inside = 0 <= t + shift < steps
            rows.append(_added(graph, "gather", [sequence, _number(graph, t + shift)], axis=0) if inside else outside)
        results = _copied(graph, op.bodies[0], [*current, *rows, *captured])
        current = results[:states]
        for stack, value in zip(kept, results):
            stack.append(value)
    made = dict(zip(op.outputs, current))
    for output, stack in zip(op.outputs[states:], kept):
        if op.attrs["reverse"]:
            stack.reverse()
        made[output] = (
            _added(graph, "concat", [_added(graph, "expand_dims", [v], axis=0) for v in stack], axis=0)
            if stack
            else _no_rows(graph, output)
        )
    return made


def _no_rows(graph: FlatGraph, v: int) -> int:
    """What a loop of no steps stacks: nothing, of the shape that is known."""
    value = graph.values[v]
    return graph.add_constant(np.zeros([0, *(max(d, 0) for d in value.dims[1:])], value.dtype))


def _number(graph: FlatGraph, n: int) -> int:
    return graph.add_constant(np.asarray(n, "int32"))


def _added(graph: FlatGraph, name: str, inputs: list[int], axis: int) -> int:
    op = graph.make_op(name, inputs, axis=axis)
    graph.ops.append(op)
    return op.outputs[0]


def _copied(graph: FlatGraph, body: FlatGraph, given: list[int]) -> list[int]:
    """Append the body's ops, reading ``given`` in place of what it is fed; returns its results."""
    numbers = {-1: -1, **dict(zip(body.feeds(), given))}
    for v, value in enumerate(body.values):
        if value.kind in ("constant", "variable"):
            numbers[v] = graph.add_value(value.kind, value.dtype, value.dims, value.payload, value.ints)
    for op in body.ops:
        inputs = [numbers[v] for v in op.inputs]
        if op.name == "scan" and has_sizes_from_data(op):
            steps = graph.values[inputs[op.attrs["states"]]].dims[0]
            if steps >= 0:
                numbers |= _written_out(
                    graph, FlatOp(op.name, op.attrs, inputs, op.outputs, op.label, op.bodies), steps
                )
                continue
        if op.bodies:  # no shape rule: its unknown dims get numbers of their own, as they differ from step to step
            values = [body.values[v] for v in op.outputs]
            outputs = [
                graph.add_value("computed", x.dtype, known_dims([d if d >= 0 else None for d in x.dims]))
                for x in values
            ]
            made = FlatOp(op.name, op.attrs, inputs, outputs, op.label, copy.deepcopy(op.bodies))
        else:
            made = graph.make_op(op.name, inputs, op.label, **op.attrs)
        graph.ops.append(made)
        numbers |= zip(op.outputs, made.outputs)
    return [numbers[v] for v in body.outputs]
