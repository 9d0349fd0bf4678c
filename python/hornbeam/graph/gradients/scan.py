"""The gradient of a scan is a scan the other way. Its body computes the step again from the state before it, so that
nothing but the states is kept from the forward run; random ops draw what they drew, because their counter knows the row.
"""

from __future__ import annotations

from ..ops import apply
from ..scan import Rows, build
from ..tensor import Operation, Tensor, marker
from . import gradients, register, zeros_like


def _like(x: Tensor) -> Tensor:
    return marker("placeholder", (), x.dtype, x.dims)


def _or_zeros(grad: Tensor | None, like: Tensor) -> Tensor:
    return zeros_like(like) if grad is None else grad


@register("scan")
def _scan(node: Operation, grads: list) -> list:
    attrs, body = node.attrs, node.attrs["bodies"][0]
    n, x = attrs["states"], attrs["sequences"]
    initial, sequences = node.inputs[:n], _rows_of(node)
    own_states, own_rows = body.own[:n], body.own[n:]
    stacks, captured = node.outputs[n : 2 * n], body.captured

    # Cotangents: what each step hands to the one before it, and what arrives at its results from outside.
    carried = [_like(s) for s in own_states]
    arriving = {i: _like(r) for i, r in enumerate(body.results) if grads[n + i] is not None}
    active = {i for i in range(n) if grads[i] is not None or i in arriving}
    while True:
        seeds = {i: carried[i] for i in active}
        for i, row in arriving.items():
            seeds[i] = seeds[i] + row if i in seeds else row
        wanted = [*own_states, *own_rows, *captured]
        found = gradients([body.results[i] for i in seeds], wanted, list(seeds.values()), inside=body.contains)
        more = {i for i in range(n) if found[i] is not None} - active
        if not more:
            break
        active |= more
    if not seeds:
        return [None] * len(node.inputs)

    states = sorted(active)
    rows = [j for j in range(x) if found[n + j] is not None]
    shared = [c for c in range(len(captured)) if found[n + x + c] is not None]
    sums = [_like(captured[c]) for c in shared]
    before = 1 if attrs["reverse"] else -1
    back = build(
        [*(carried[i] for i in states), *sums],
        [*own_rows, *own_states, *arriving.values()],
        [found[n + j] for j in rows],
        [
            *(_or_zeros(found[i], own_states[i]) for i in states),
            *(total + found[n + x + c] for total, c in zip(sums, shared)),
        ],
        [
            *(_or_zeros(grads[i], initial[i]) for i in states),
            *(zeros_like(captured[c]) for c in shared),
        ],
        [
            *sequences,
            *(Rows(stack, before, first) for stack, first in zip(stacks, initial)),
            *(Rows(grads[n + i]) for i in arriving),
        ],
        not attrs["reverse"],
        body.contains,
        silent=True,
    )
    result: list[Tensor | None] = [None] * len(node.inputs)
    for i, grad in zip([*states, *(len(node.inputs) - len(captured) + c for c in shared)], back.finals):
        result[i] = grad
    for j, grad in zip(rows, back.outputs):
        result[n + j], first = _unshifted(grad, attrs["shifts"][j])
        if first is not None:
            result[n + x + sum(s != 0 for s in attrs["shifts"][:j])] = first
    return result


def _rows_of(node: Operation) -> list[Rows]:
    n, x = node.attrs["states"], node.attrs["sequences"]
    firsts = iter(node.inputs[n + x :])
    return [
        Rows(t, shift, next(firsts) if shift else None)
        for t, shift in zip(node.inputs[n : n + x], node.attrs["shifts"])
    ]


def _unshifted(grad: Tensor, shift: int) -> tuple[Tensor, Tensor | None]:
    """Gradients of a sequence and of its first row, from the gradients of the rows that the steps read."""
    if not shift:
        return grad, None
    edge, rest = (grad[:1], grad[1:]) if shift < 0 else (grad[-1:], grad[:-1])
    parts = [rest, zeros_like(edge)] if shift < 0 else [zeros_like(edge), rest]
    return apply("concat", parts, axis=0), apply("reduce_sum", [edge], axes=[0], keepdims=False)
