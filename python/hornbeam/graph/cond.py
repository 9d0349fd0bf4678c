"""``cond``: one of two branches, chosen by a truth value while running; only that one is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .body import Body, building
from .control import current_value
from .ops import Kind, convert, make_node
from .tensor import Operation, Tensor

#: nodes that have their values from elsewhere
_LEAVES = ("placeholder", "variable")


def cond(condition: Tensor, then: Callable[[], Any], other: Callable[[], Any], dtype: str | None = None) -> Tensor:
    """What ``then()`` computes where ``condition`` is true, else what ``other()`` computes.

    What a function makes while it is called is computed only if its branch is taken; tensors that were there before are
    computed in any case.

    Args:
        condition: bool, of one element.
        then, other: without arguments; each returns a tensor or number, both of one shape and dtype.
        dtype: for numbers; that of the other branch by default.

    Raises:
        ValueError: the shapes differ. TypeError: the dtypes differ.
        RuntimeError: a branch updates a variable.
    """
    branches = []
    for function in (then, other):
        with building("cond") as serial:
            branches.append((function(), serial))
    like = next((r.dtype for r, _ in branches if isinstance(r, Tensor)), dtype)
    bodies = []
    for result, serial in branches:
        bodies.append(Body([], [current_value(convert(result, like))], _made_after(serial)))
    return build(condition, [], bodies)[0]


def _made_after(serial: int) -> Callable[[Operation, bool], bool]:
    return lambda node, reads_inside: node.serial > serial and node.op not in _LEAVES


def build(condition: Tensor, given: Sequence[Tensor], bodies: Sequence[Body]) -> tuple[Tensor, ...]:
    """A cond out of two bodies with the same placeholders, for which the tensors ``given`` come in."""
    for a, b in zip(bodies[0].results, bodies[1].results):
        if a.dtype != b.dtype:
            raise TypeError(f"the branches of a cond give different dtypes: {a.dtype} and {b.dtype}")
        if a.ndim != b.ndim or any(m >= 0 and n >= 0 and m != n for m, n in zip(a.dims, b.dims)):
            raise ValueError(f"the branches of a cond give different shapes: {a.shape} and {b.shape}")
    captured = list({id(t): t for body in bodies for t in body.captured}.values())
    for body in bodies:
        body.captured = captured
    kinds: list[Kind] = [
        (a.dtype, [m if m == n else None for m, n in zip(a.dims, b.dims)], None)
        for a, b in zip(bodies[0].results, bodies[1].results)
    ]
    uses_phase = any(body.uses_learning_phase for body in bodies)
    return make_node("cond", (condition, *given, *captured), {"bodies": tuple(bodies)}, kinds, uses_phase)
