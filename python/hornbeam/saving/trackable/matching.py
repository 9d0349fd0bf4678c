"""Which tensor of a checkpoint is the value of which variable."""

from __future__ import annotations

from collections import deque
from typing import Any

from ...graph import Variable
from ...optimizers import Optimizer
from ..tensor_bundle import TensorBundle
from .graph import GRAPH_KEY, ObjectGraph
from .objects import parts_of, variables_of


class Match:
    """An object's parts, found in a checkpoint.

    Attributes:
        graph: the objects in the checkpoint; None in one of TensorFlow 1, where variables go by their names.
        keys: variables with the names of their tensors.
        numbers: from ``id(object)`` to its number in the graph.
        optimizers: with their numbers in the graph.
    """

    def __init__(self, graph: ObjectGraph | None) -> None:
        self.graph = graph
        self.keys: list[tuple[Variable, str]] = []
        self.numbers: dict[int, int] = {}
        self.optimizers: list[tuple[Optimizer, int]] = []

    def has(self, variable: Variable) -> bool:
        return any(variable is known for known, _ in self.keys)


def match(root: Any, bundle: TensorBundle, start: int = 0) -> Match:
    """Find the parts of ``root``, which is the object of number ``start`` in the checkpoint.

    Raises:
        ValueError: the checkpoint is damaged, or has one tensor for two variables.
    """
    if GRAPH_KEY not in bundle:
        return _by_name(root, bundle)
    graph = object_graph(bundle)
    with bundle.blamed("the checkpoint"):
        return _walk(root, graph, start)


def _walk(root: Any, graph: ObjectGraph, start: int) -> Match:
    found = Match(graph)
    taken: set[str] = set()
    waiting = deque([(root, start)])
    while waiting:
        item, number = waiting.popleft()
        if id(item) in found.numbers:
            continue
        found.numbers[id(item)] = number
        if isinstance(item, Variable):
            key = graph.key(number)
            assert key is not None
            if key in taken:
                raise ValueError(f"it has one tensor, {key!r:.200}, for two variables")
            taken.add(key)
            found.keys.append((item, key))
        elif isinstance(item, Optimizer):
            found.optimizers.append((item, number))
        else:
            for name, part in parts_of(item):
                child = graph.child(number, name)
                if child is not None and (graph.key(child) is not None or not isinstance(part, Variable)):
                    waiting.append((part, child))
    return found


def object_graph(bundle: TensorBundle) -> ObjectGraph:
    """The graph of a checkpoint that has one.

    Raises:
        ValueError: it is damaged.
    """
    stored = bundle.read(GRAPH_KEY)
    with bundle.blamed("the checkpoint"):
        if stored.shape != () or bundle.dtype(GRAPH_KEY) != "string":
            raise ValueError("its object graph is not a string")
        return ObjectGraph(stored.item())


def _by_name(root: Any, bundle: TensorBundle) -> Match:
    found = Match(None)
    for variable in variables_of(root):
        name = variable.name.split(":")[0]
        if name in bundle:
            found.keys.append((variable, name))
    return found
