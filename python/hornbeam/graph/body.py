"""Bodies: parts of a graph that run as Programs of their own, for each step of a scan or in one branch of a cond."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from .. import _core
from .context import context, inside
from .tensor import Operation, Tensor, next_serial

#: constants up to this many elements are copied into a body; larger ones are handed in
_MAX_COPIED = 64


@contextmanager
def building(kind: str) -> Iterator[int]:
    """While a body of this kind is being built; gives the serial number of its first node."""
    with inside(body=kind):
        yield next_serial()


def refuse_updates(name: str) -> None:
    """Raise if a body is being built: what runs many times, or not at all, has no say about variables.

    Raises:
        RuntimeError: naming the variable.
    """
    if context.body is not None:
        raise RuntimeError(
            f"variable {name!r} cannot be updated inside the body of a {context.body} (the step function of K.rnn, K.map_fn or a "
            "fold, or a branch of K.switch): return the value as a state or output, and update the variable with that."
        )


@cache
def is_random_op(name: str) -> bool:
    return name in _core.op_names() and _core.op_info(name).random


def is_random(node: Operation) -> bool:
    """Whether the node draws random numbers, itself or in a body."""
    return any(body.random for body in node.attrs.get("bodies", ())) or is_random_op(node.op)


class Body:
    """Results that are computed from a body's own placeholders and from tensors outside.

    Attributes:
        own: the placeholders that the op around it fills.
        results: what it computes.
        captured: tensors from outside that it reads, in the order met. They become inputs of the op around it.
        random: whether it draws random numbers.
        silent: whether it leaves out what ``K.print_tensor`` prints, as it only computes again what another computed.
    """

    silent = False

    def __init__(
        self, own: Sequence[Tensor], results: Sequence[Tensor], inside: Callable[[Operation, bool], bool]
    ) -> None:
        self.own = tuple(own)
        self.results = tuple(results)
        self.captured: list[Tensor] = []
        self.random = False
        self._inside: dict[int, bool] = {id(t.op): True for t in own}
        self._walk(inside)

    def contains(self, node: Operation) -> bool:
        return self._inside.get(id(node), False)

    @property
    def uses_learning_phase(self) -> bool:
        return any(t._uses_learning_phase for t in self.results)

    def _walk(self, inside: Callable[[Operation, bool], bool]) -> None:
        """Decide for each node that results need whether it is inside; inputs come before what reads them."""
        order: list[Operation] = []
        stack = [(t.op, 0) for t in reversed(self.results)]
        while stack:
            node, i = stack.pop()
            if i == 0 and id(node) in self._inside:
                continue
            if i < len(node.inputs):
                stack.append((node, i + 1))
                child = node.inputs[i]
                if child is not None and id(child.op) not in self._inside:
                    stack.append((child.op, 0))
                continue
            if id(node) in self._inside:
                continue
            reads_inside = any(t is not None and self._inside[id(t.op)] for t in node.inputs)
            self._inside[id(node)] = found = inside(node, reads_inside)
            if found:
                order.append(node)
                self.random = self.random or is_random(node)
        seen: set[int] = set()
        for tensor in [t for node in order for t in node.inputs] + list(self.results):
            if (
                tensor is not None
                and not self._inside[id(tensor.op)]
                and id(tensor) not in seen
                and not _copied(tensor)
            ):
                seen.add(id(tensor))
                self.captured.append(tensor)


def _copied(tensor: Tensor) -> bool:
    node = tensor.op
    return node.op == "learning_phase" or (node.op == "constant" and node.attrs["value"].size <= _MAX_COPIED)
