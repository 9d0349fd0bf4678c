"""Bodies of control ops: what nobody reads goes away, inside and outside, and the rest is rewritten like any graph."""

from __future__ import annotations

from collections.abc import Callable

from ..flat import FlatGraph, FlatOp
from .dead import remove_dead


def rewrite_bodies(graph: FlatGraph, rewrite: Callable[[FlatGraph], None]) -> None:
    """Drop states, outputs and inputs of control ops that do not matter, and rewrite their bodies with ``rewrite``."""
    for op in [op for op in reversed(graph.ops) if op.bodies]:  # readers first
        prune = _prune if op.name == "scan" else _prune_branches
        prune(op, graph.read())
        for body in op.bodies:
            rewrite(body)
        prune(op, graph.read())
        if op.name == "scan":
            _share_stacks(graph, op)


def _prune(op: FlatOp, read: set[int]) -> None:
    body, n = op.bodies[0], op.attrs["states"]
    results, feeds = body.outputs, body.feeds()
    stacked = op.outputs[2 * n :]
    outputs = [k for k, v in enumerate(stacked) if v in read]
    states = {i for i in range(n) if op.outputs[i] in read or op.outputs[n + i] in read}
    while True:
        needed = body.needed([results[n + k] for k in outputs] + [results[i] for i in states])
        more = {i for i in range(n) if feeds[i] in needed} - states
        if not more:
            break
        states |= more
    _keep(op, sorted(states), outputs, needed)


def _keep(op: FlatOp, states: list[int], outputs: list[int], needed: set[int]) -> None:
    """Leave only these states and outputs, and the inputs that they need."""
    body, attrs, feeds = op.bodies[0], op.attrs, op.bodies[0].feeds()
    n, x = attrs["states"], attrs["sequences"]
    shifted = [j for j in range(x) if attrs["shifts"][j]]
    sequences = [j for j in range(x) if feeds[n + j] in needed] or [0]  # one tells the number of steps
    constants = [c for c in range(n + x, len(feeds)) if feeds[c] in needed]
    kept = {*states, *(n + j for j in sequences), *constants}
    for f, v in enumerate(feeds):
        if f not in kept:
            body.values[v].kind = "computed"
    firsts = [n + x + i for i, j in enumerate(shifted) if j in sequences]
    inputs = [*states, *(n + j for j in sequences), *firsts, *(c + len(shifted) for c in constants)]
    op.inputs = [op.inputs[i] for i in inputs]
    op.outputs = [op.outputs[i] for i in [*states, *(n + i for i in states), *(2 * n + k for k in outputs)]]
    body.outputs = [body.outputs[i] for i in [*states, *(n + k for k in outputs)]]
    remove_dead(body)  # what reads the feeds that are gone
    op.attrs = {
        **attrs,
        "states": len(states),
        "sequences": len(sequences),
        "shifts": [attrs["shifts"][j] for j in sequences],
    }


def _prune_branches(op: FlatOp, read: set[int]) -> None:
    outputs = [k for k, v in enumerate(op.outputs) if v in read]
    feeds = [body.feeds() for body in op.bodies]
    needed = [body.needed([body.outputs[k] for k in outputs]) for body in op.bodies]
    kept = [f for f in range(len(feeds[0])) if any(ids[f] in n for ids, n in zip(feeds, needed))]
    for body, ids in zip(op.bodies, feeds):
        body.outputs = [body.outputs[k] for k in outputs]
        for f, v in enumerate(ids):
            if f not in kept:
                body.values[v].kind = "computed"
        remove_dead(body)
    op.inputs = [op.inputs[0], *(op.inputs[1 + f] for f in kept)]
    op.outputs = [op.outputs[k] for k in outputs]


def _share_stacks(graph: FlatGraph, op: FlatOp) -> None:
    """An output that is a state after the step (as in most recurrent cells) lies where the states do."""
    body, n = op.bodies[0], op.attrs["states"]
    same: dict[int, int] = {}
    first: dict[int, int] = {v: op.outputs[n + i] for i, v in reversed(list(enumerate(body.outputs[:n])))}
    for k in range(n, len(body.outputs)):
        stack = first.setdefault(body.outputs[k], op.outputs[n + k])
        if stack != op.outputs[n + k]:
            same[op.outputs[n + k]] = stack
    graph.replace(same)
    _prune(op, graph.read())
