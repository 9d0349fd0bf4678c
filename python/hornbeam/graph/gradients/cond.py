"""The gradient of a cond goes back through the branch that was taken, and through that alone."""

from __future__ import annotations

from ..body import Body
from ..cond import build
from ..tensor import Operation, marker, next_serial
from . import gradients, register, zeros_like


@register("cond")
def _cond(node: Operation, grads: list) -> list:
    bodies = node.attrs["bodies"]
    given = bodies[0].own  # the same in both
    wanted = [*given, *bodies[0].captured]
    arriving = {i: marker("placeholder", (), g.dtype, g.dims) for i, g in enumerate(grads) if g is not None}
    serial = next_serial()
    found = [
        gradients([b.results[i] for i in arriving], wanted, list(arriving.values()), inside=b.contains) for b in bodies
    ]
    connected = [k for k in range(len(wanted)) if any(f[k] is not None for f in found)]
    if not connected:
        return [None] * len(node.inputs)

    def back(body: Body, branch: list) -> Body:
        results = [zeros_like(wanted[k]) if branch[k] is None else branch[k] for k in connected]
        return Body(
            [*given, *arriving.values()],
            results,
            lambda inner, reads_inside: reads_inside or body.contains(inner) or inner.serial > serial,
        )

    made = build(
        node.inputs[0],
        [*node.inputs[1 : 1 + len(given)], *(grads[i] for i in arriving)],
        [back(body, branch) for body, branch in zip(bodies, found)],
    )
    result: list = [None] * len(node.inputs)
    for k, grad in zip(connected, made):
        result[1 + k] = grad
    return result
