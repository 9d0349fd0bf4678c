"""Which tensor of a checkpoint is the value of which variable."""

from __future__ import annotations

from collections import deque
from typing import Any

from ...engine.base_layer import Layer
from ...engine.tracing import is_network
from ...graph import Variable
from ...optimizers import Optimizer
from ..optimizer_state import innermost
from ..tensor_bundle import TensorBundle
from .graph import GRAPH_KEY, ObjectGraph
from .objects import is_found_by, parts_of, variables_of


class Match:
    """Objects and their parts, found in a checkpoint.

    Attributes:
        graph: the objects in the checkpoint; None in one of TensorFlow 1, where variables go by their names.
        keys: the variables that were found, and the names of their tensors.
        optimizers, unbuilt: the optimizers, and the layers that will have further parts, with their numbers in the graph.
        numbers: from ``id(object)`` to its number in the graph.
    """

    def __init__(self, bundle: TensorBundle) -> None:
        self._bundle = bundle
        self.graph = object_graph(bundle) if GRAPH_KEY in bundle else None
        self.keys: list[tuple[Variable, str]] = []
        self.optimizers: list[tuple[Optimizer, int]] = []
        self.unbuilt: list[tuple[Layer, int]] = []
        self.numbers: dict[int, int] = {}
        self._variables: dict[str, Variable] = {}
        self._found: set[int] = set()

    def find(self, root: Any, start: int = 0) -> None:
        """Find the parts of ``root``, which is the object of number ``start``.

        Raises:
            ValueError: the checkpoint is damaged, or has one tensor for two variables.
        """
        if self.graph is None:
            for variable in variables_of(root):
                name = variable._shared_name
                if name in self._bundle:
                    self._take(variable, name)
            return
        self._walk(self.graph, root, start)

    def _walk(self, graph: ObjectGraph, root: Any, start: int) -> None:
        met: set[int] = set()
        waiting = deque([(root, start)])
        while waiting:
            item, number = waiting.popleft()
            if id(item) in met:
                continue
            met.add(id(item))
            self.numbers[id(item)] = number
            key = graph.key(number)
            if isinstance(item, Variable):
                self._take(item, key)
                continue
            if isinstance(item, Optimizer):
                self.optimizers.append((innermost(item), number))
                continue
            if isinstance(item, Layer) and not item.built:
                self.unbuilt.append((item, number))
                if is_network(item) and item._is_graph_network:
                    continue  # which of its layers have weights is not known yet
            for name, part in parts_of(item):
                child = graph.child(number, name) if is_found_by(name, part) else None
                if child is not None and (graph.key(child) is not None or not isinstance(part, Variable)):
                    waiting.append((part, child))

    def _take(self, variable: Variable, key: str | None) -> None:
        if key is None:
            raise ValueError(f"The checkpoint {self._bundle.prefix!r} has no value for the variable {variable.name}.")
        known = self._variables.setdefault(key, variable)
        if known is not variable:
            raise ValueError(
                f"The checkpoint {self._bundle.prefix!r} has one tensor, {key!r:.120}, for the variables {known.name} and "
                f"{variable.name}."
            )
        if id(variable) not in self._found:
            self._found.add(id(variable))
            self.keys.append((variable, key))

    def lacks(self, wanted: list[Variable]) -> list[str]:
        """The names of those variables that were not found."""
        return [variable.name for variable in wanted if id(variable) not in self._found]


def object_graph(bundle: TensorBundle) -> ObjectGraph:
    """The graph of a checkpoint that has one.

    Raises:
        ValueError: it is damaged.
    """
    stored = bundle.read(GRAPH_KEY)
    if stored.shape != () or bundle.dtype(GRAPH_KEY) != "string":
        raise ValueError(f"Unable to read the checkpoint {bundle.prefix!r}: its object graph is not a string")
    return ObjectGraph(stored.item(), bundle.prefix)
