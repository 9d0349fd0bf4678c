"""The nodes that tensors are made from, each after its inputs."""

from __future__ import annotations

from collections.abc import Iterable

from .tensor import Operation, Tensor


def nodes_of(outputs: Iterable[Tensor]) -> list[Operation]:
    """All nodes that ``outputs`` need, in the order in which they were made."""
    found: set[Operation] = set()
    stack = [x.op for x in outputs]
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack += [x.op for x in node.inputs if x is not None]
    return sorted(found, key=lambda node: node.serial)
