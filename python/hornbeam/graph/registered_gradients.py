"""Gradients by name, as TensorFlow 1 has them, and ops that get one of them in place of their own.

Guided backpropagation and gradient reversal are written so: ``RegisterGradient`` enters a function, and in a block of
``gradient_override_map({"Relu": "GuidedRelu"})`` every ReLU that is made gets it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .context import context, inside
from .custom import with_gradient
from .gradients import Rule, rule_of, zeros_like
from .ops import convert
from .tensor import Operation, Tensor
from .tensorflow_names import op_of


class GradientRegistry:
    """Functions from a node and the cotangents of its outputs to the gradients of its inputs, by their names.

    TensorFlow's own gradients are there under the names of ops: ``Identity`` passes a gradient on.
    """

    def __init__(self) -> None:
        self._registry: dict[str, Callable] = {}  # libraries look into it by this name

    def register(self, candidate: Callable, name: str) -> None:
        """Raises KeyError if there is one of that name."""
        if name in self._registry:
            raise KeyError(f"Registering two gradient with name '{name}'!")
        self._registry[name] = candidate

    def list(self) -> list[str]:
        return list(self._registry)

    def lookup(self, name: str) -> Callable:
        """The gradient of a name. Raises LookupError if there is none."""
        found = self._registry.get(name)
        if found is None:
            rule = rule_of(op_of(name))
            if rule is None:
                raise LookupError(f"gradient registry has no entry for: {name}")
            return _one_each(rule)
        return found


GRADIENTS = GradientRegistry()


class RegisterGradient:
    """Decorate a function of a node (``inputs``, ``outputs``, ``type``) and the cotangents of its outputs.

    It returns a tensor or None for the input, or a list with one for each.

    Raises:
        TypeError: the name is not a str.
        KeyError: the name is taken.
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._name = op_type

    def __call__(self, f: Callable) -> Callable:
        GRADIENTS.register(f, self._name)
        return f


@contextmanager
def gradient_override_map(op_type_map: Mapping[str, str]) -> Iterator[None]:
    """In the block, ops of some types are made with other gradients.

    Args:
        op_type_map: from TensorFlow's name of an op to a registered name, or the name of an op whose gradient it is to have.

    Raises:
        TypeError: it is not a dict of strings.
    """
    if not isinstance(op_type_map, Mapping) or not all(
        isinstance(s, str) for pair in op_type_map.items() for s in pair
    ):
        raise TypeError("op_type_map must be a dictionary from strings to strings")
    rules = {op_of(name): _registered(gradient) for name, gradient in op_type_map.items()}
    with inside(overrides={**context.overrides, **rules}):
        yield


def as_one_op(op: str, x: Tensor, y: Tensor) -> Tensor:
    """``y``, which several ops compute of ``x``, as one op whose gradient may be overridden: TensorFlow has ``Relu6``."""
    rule = context.overrides.get(op)
    if rule is None:
        return y
    node = Operation(op, (x,), {})
    node.outputs = (y,)
    return with_gradient([x], [y], lambda grad: rule(node, [grad]))[0]


def _registered(name: str) -> Rule:
    """A rule that looks the name up when a gradient is asked for, as it may be registered by then."""

    def rule(node: Operation, grads: list) -> list[Any]:
        whole = [zeros_like(y) if g is None else g for y, g in zip(node.outputs, grads)]
        found = GRADIENTS.lookup(name)(node, *whole)
        given = list(found) if isinstance(found, (list, tuple)) else [found]
        there = [x for x in node.inputs if x is not None]
        if len(given) < len(there):
            raise ValueError(
                f"Num gradients {len(given)} generated for op {node.name!r} by the gradient {name!r} do not match num "
                f"inputs {len(there)}"
            )
        return [None if g is None or x is None else convert(g, x.dtype) for x, g in zip(node.inputs, given)]

    return rule


def _one_each(rule: Rule) -> Callable:
    return lambda node, *grads: list(rule(node, list(grads)))
