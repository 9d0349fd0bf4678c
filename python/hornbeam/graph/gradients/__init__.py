"""Reverse-mode differentiation of the graph.

Each op family registers rules in its own module here: ``rule(node, grads)`` returns one gradient per input
(None where there is none), given one gradient per output (None where nobody needs that output). Rules
build ordinary graph ops, so gradients can be differentiated again.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from functools import cache, partial
from operator import attrgetter
from typing import Any

from ... import _core
from ..control import decided_later, phase_switch
from ..naming import within
from ..ops import apply, constant, convert
from ..tensor import Operation, Tensor

Rule = Callable[[Operation, list], Sequence[Any]]
_rules: dict[str, Rule] = {}
_ACTIVATION_OPS = {name: op for name, op, _ in _core.activations()}
#: ops through which no gradient flows
_none: set[str] = set()


def register(*ops: str) -> Callable[[Rule], Rule]:
    """Decorate the gradient rule of one or more ops."""

    def add(rule: Rule) -> Rule:
        for op in ops:
            _rules[op] = rule
        return rule

    return add


def not_differentiable(*ops: str) -> None:
    """Declare ops whose output does not vary smoothly with their inputs: their gradients are None."""
    _none.update(ops)


def has_rule(op: str) -> bool:
    _load()
    return op in _rules or op in _none


def rule_of(op: str) -> Rule | None:
    """The op's own rule; None where it has none."""
    _load()
    return _rules.get(op)


def is_differentiable(op: str) -> bool:
    """False for an op through which no gradient flows."""
    _load()
    return op not in _none


@cache  # a thread that comes here before the first has finished waits at the imports
def _load() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    inside: Callable[[Operation], bool] | None = None,
    node_of: Callable[[Tensor], Operation] = attrgetter("op"),
) -> list[Tensor | None]:
    """Gradients of the sum of ``ys`` with respect to each of ``xs``; None where unconnected, or only by integers.

    Args:
        ys: a tensor or a list of tensors.
        xs: any tensors of the graph, not only variables and inputs.
        grad_ys: cotangents, one per y; ones by default.
        inside: go back through these nodes only.
        node_of: the node that made a tensor, where that is not its ``op`` any more.

    Raises:
        NotImplementedError: an op between has no gradient rule.
    """
    _load()
    ys = list(ys) if isinstance(ys, (list, tuple)) else [ys]
    xs = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    seeds = list(grad_ys) if grad_ys is not None else [None] * len(ys)
    order = _between(ys, {id(x) for x in xs}, inside, node_of)
    sums: dict[int, Tensor] = {}
    for y, seed in zip(ys, seeds):
        _accumulate(sums, y, ones_like(y) if seed is None else convert(seed, y.dtype))
    wanted = {id(x) for x in xs}
    found: dict[int, Tensor] = {i: g for i, g in sums.items() if i in wanted}
    for node in reversed(order):
        grads = [sums.get(id(t)) for t in node.outputs]
        for t in node.outputs:
            if id(t) in wanted and id(t) in sums:
                found[id(t)] = sums[id(t)]
        if all(g is None for g in grads) or not node.inputs or (node.op in _none and node.gradient is None):
            continue
        for tensor, grad in zip(node.inputs, _apply_rule(node, grads)):
            if tensor is not None and grad is not None:
                _accumulate(sums, tensor, grad)
    for x in xs:
        if id(x) in sums:
            found[id(x)] = sums[id(x)]
    return [found.get(id(x)) for x in xs]


def _apply_rule(node: Operation, grads: list) -> Sequence[Any]:
    if node.gradient is not None:
        return node.gradient(node, grads)
    if node.op == "phase_switch":
        return _phase_switch(node, grads)
    if node.op == "print":
        return [grads[0], None]
    if node.op == "with_gradient":
        return [*node.attrs["rule"](*grads), *[None for _ in node.outputs]]
    if node.op == "assign":
        return [None, grads[0] if node.attrs["how"] == "set" else None]
    rule = _rules.get(node.op)
    if rule is None:
        raise NotImplementedError(f"op '{node.op}' has no gradient rule")
    with within(node.label):
        return rule(node, grads)


def _phase_switch(node: Operation, grads: list) -> Sequence[Any]:
    first, second = node.inputs
    condition = node.attrs.get("condition")
    choose = phase_switch if condition is None else partial(decided_later, condition)
    return [choose(grads[0], zeros_like(first)), choose(zeros_like(second), grads[0])]


def _accumulate(sums: dict[int, Tensor], tensor: Tensor, grad: Tensor) -> None:
    if not tensor.dtype.startswith("float"):
        return  # integers do not vary smoothly, whatever is computed of them
    before = sums.get(id(tensor))
    sums[id(tensor)] = grad if before is None else before + grad


def _between(
    ys: list[Tensor],
    wanted: set[int],
    inside: Callable[[Operation], bool] | None,
    node_of: Callable[[Tensor], Operation],
) -> list[Operation]:
    """Nodes on a path from a wanted tensor to a y, inputs before users."""
    order: list[Operation] = []
    connected: dict[int, bool] = {}
    for y in ys:
        stack: list[tuple[Operation, int]] = [(node_of(y), 0)]
        while stack:
            node, i = stack.pop()
            if id(node) in connected and i == 0:
                continue
            if i == 0:
                connected[id(node)] = False  # being visited; graphs have no cycles
                if inside is not None and not inside(node):
                    continue
            if i < len(node.inputs):
                stack.append((node, i + 1))
                child = node.inputs[i]
                if child is not None and id(node_of(child)) not in connected:
                    stack.append((node_of(child), 0))
                continue
            connected[id(node)] = any(id(t) in wanted for t in node.outputs) or any(
                t is not None and (id(t) in wanted or connected[id(node_of(t))]) for t in node.inputs
            )
            if connected[id(node)]:
                order.append(node)
    return order


def through(expand: Callable, node: Operation, grads: Sequence[Any]) -> list[Tensor | None]:
    """A rule for ops without one of their own: gradients of ``expand(*inputs, **attrs)``, the op in basic ops.

    They are taken with respect to the op's own inputs: what one of them has to do with another is not its business.
    """
    own = [None if t is None else apply("identity", [t]) for t in node.inputs]
    inputs = [t for t in own if t is not None]
    outputs = expand(*own, **node.attrs)
    used = [(y, g) for y, g in zip(outputs, grads) if g is not None]
    found = iter(gradients([y for y, _ in used], inputs, [g for _, g in used]))
    return [None if t is None else next(found) for t in own]


def activated(name: str, x: Tensor) -> Tensor:
    """An activation by the name that attributes have for it."""
    return x if name == "linear" else apply(_ACTIVATION_OPS[name], [x])


def before_activation(rule: Rule) -> Rule:
    """Decorate the rule of an op that may have an activation in its epilogue: that is differentiated as an op of its own."""

    def both(node: Operation, grads: list) -> Sequence[Any]:
        if node.attrs.get("activation", "linear") == "linear":
            return rule(node, grads)

        def expand(*inputs: Any, activation: str, **attrs: Any) -> list[Tensor]:
            made = apply(node.op, inputs, **attrs)
            first, *others = made if isinstance(made, tuple) else (made,)
            return [activated(activation, first), *others]

        return through(expand, node, grads)

    return both


def ones_like(x: Tensor) -> Tensor:
    return _fill_like(x, 1)


def zeros_like(x: Tensor) -> Tensor:
    """Zeros that stand for a gradient that is not there: what is computed of them need not be, see rewrites/absent.py."""
    zeros = _fill_like(x, 0)
    zeros._is_absent = True
    return zeros


def _fill_like(x: Tensor, value: float) -> Tensor:
    if not x.shape:
        return constant(value, x.dtype)
    return apply("fill", [apply("shape", [x])], value=float(value), dtype=x.dtype)
