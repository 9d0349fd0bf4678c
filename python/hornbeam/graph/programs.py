"""Programs for formulas that are computed on demand, kept by the structure of the formula.

Two formulas have one structure if they apply the same ops to the same variables; what arrays they begin with is fed. Numbers
in them are compiled in, where the rewrites can use them, until one is seen to change: from then on it is fed, too.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _core
from .body import Body
from .control import branch_taken
from .flat import flatten
from .function import expose_prints, print_last
from .ops import attrs_key
from .recent import Recent
from .rewrites import rewrite
from .tensor import NeedsValue, Tensor
from .unrolling import unroll
from .variable import Variable


@dataclass
class Structure:
    """What a formula is made of.

    Attributes:
        key: equal for formulas of one structure.
        arrays: its constants that are fed.
        numbers: its floating-point constants without dims.
        variables: those that it reads or writes.
    """

    key: tuple = ()
    arrays: list[Tensor] = field(default_factory=list)
    numbers: list[Tensor] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)


@dataclass(frozen=True)
class _Compiled:
    """A program, what it has compiled in of the formula's numbers, and which of them are fed."""

    program: _core.Program
    messages: list[str]
    numbers: tuple[bytes, ...]
    fed: frozenset[int]


class Programs:
    """The programs of formulas that were computed last.

    Args:
        size: how many structures are remembered.
    """

    def __init__(self, size: int) -> None:
        self._known: Recent[_Compiled] = Recent(size)

    def clear(self) -> None:
        self._known.clear()

    def run(self, outputs: Sequence[Tensor], updates: Sequence[Tensor], counter: _core.RunCounter) -> list[np.ndarray]:
        """The values of ``outputs``; the updates of variables are made in the same run.

        Raises:
            TypeError: something depends on a placeholder.
        """
        found = structure_of(outputs, updates)
        numbers = tuple([_value(t).tobytes() for t in found.numbers])
        compiled = self._known.get(found.key, lambda: _compile(found, outputs, updates, numbers, frozenset()))
        changed = {i for i, number in enumerate(numbers) if number != compiled.numbers[i]} - compiled.fed
        if changed:
            compiled = _compile(found, outputs, updates, numbers, compiled.fed | changed)
            self._known.put(found.key, compiled)
        for variable in found.variables:
            variable.materialize()
        feeds = [_value(t) for t in _fed(found, compiled.fed)]
        results = compiled.program.run(feeds, counter if compiled.program.has_random else None)
        return print_last(compiled.messages, results)


def _value(tensor: Tensor) -> np.ndarray:
    return tensor.op.attrs["value"]


def _fed(found: Structure, numbers: frozenset[int]) -> list[Tensor]:
    return [*found.arrays, *[found.numbers[i] for i in sorted(numbers)]]


def _compile(
    found: Structure,
    outputs: Sequence[Tensor],
    updates: Sequence[Tensor],
    numbers: tuple[bytes, ...],
    fed: frozenset[int],
) -> _Compiled:
    graph = flatten(_fed(found, fed), outputs, updates)
    if graph.loops and all(rows.dims[0] >= 0 for _, rows in graph.loops):
        unroll(graph, [rows.dims[0] for _, rows in graph.loops])
    messages = expose_prints(graph)
    rewrite(graph)
    program, _ = graph.lower()
    return _Compiled(program, messages, numbers, fed)


def structure_of(outputs: Sequence[Tensor], updates: Sequence[Tensor] = ()) -> Structure:
    """The structure of a formula.

    Raises:
        NeedsValue: it depends on a placeholder.
    """
    found = Structure()
    places: dict[int, int] = {}
    key: list[Any] = []
    for root in (*outputs, *updates):
        for node in _numbered(root, places):
            key.append(_leaf(node, root, found) or _link(node, places))
    key += [(places[id(t.op)], t.index) for t in outputs]
    key.append(tuple(places[id(t.op)] for t in updates))
    found.key = tuple(key)
    return found


def _numbered(root: Tensor, places: dict[int, int], given: Container[int] = ()) -> Iterator[Any]:
    """The nodes that ``root`` needs and that have no place yet, each after its inputs; they get the next places.

    Args:
        places: of nodes, by their id.
        given: the ids of tensors at which the walk ends.
    """
    stack: list[tuple[Any, int]] = [] if id(root) in given else [(root.op, 0)]
    while stack:
        node, i = stack.pop()
        if id(node) in places:
            continue
        inputs = node.inputs
        while i < len(inputs) and (inputs[i] is None or id(inputs[i].op) in places or id(inputs[i]) in given):
            i += 1
        if i < len(inputs):
            stack += [(node, i + 1), (inputs[i].op, 0)]
            continue
        places[id(node)] = len(places)
        yield node


def _leaf(node: Any, root: Tensor, found: Structure) -> tuple | None:
    """The part of the key for a node without inputs, which is noted in the structure."""
    if node.op == "constant":
        out, value = node.outputs[0], node.attrs["value"]
        if out.ints is not None or (value.ndim == 0 and value.dtype.kind != "f"):
            return ("constant", out.dtype, out.dims, value.tobytes())
        if value.ndim == 0:
            found.numbers.append(out)
            return ("number", out.dtype)
        found.arrays.append(out)
        return ("feed", out.dtype, out.dims)
    if node.op == "variable":
        variable = node.outputs[0]
        found.variables.append(variable)
        return ("variable", id(variable.core))
    if node.op == "placeholder":
        raise NeedsValue(
            f"{root!r} has no value yet: it depends on the placeholder {node.outputs[0].name!r}. "
            "Use K.function([inputs], [outputs]) or model.predict to compute it."
        )
    return None


def _link(node: Any, places: dict[int, int]) -> tuple:
    links = tuple([None if t is None else (places[id(t.op)], t.index) for t in node.inputs])
    if node.op == "assign":
        return (node.op, links, node.attrs["how"])
    if node.op == "phase_switch":
        return (node.op, links, branch_taken(node, 0) is node.inputs[0])
    if node.op == "with_gradient":
        return (node.op, links, node.attrs["count"])
    if "bodies" in node.attrs:
        others = {name: value for name, value in node.attrs.items() if name != "bodies"}
        return (node.op, links, attrs_key(others), tuple([_body_key(body) for body in node.attrs["bodies"]]))
    return (node.op, links, attrs_key(node.attrs))


def _body_key(body: Body) -> tuple:
    """Equal for bodies that compute the same from what is theirs and what they take from outside."""
    places = {id(t): ("own", i) for i, t in enumerate(body.own)}
    places |= {id(t): ("captured", i) for i, t in enumerate(body.captured)}
    nodes: dict[int, int] = {}
    key: list[Any] = []

    def place(t: Tensor | None) -> Any:
        return None if t is None else places.get(id(t)) or (nodes[id(t.op)], t.index)

    for result in body.results:
        for node in _numbered(result, nodes, places):
            attrs = dict(node.attrs)
            inner = tuple([_body_key(b) for b in attrs.pop("bodies", ())])
            if node.op == "constant":
                value = attrs.pop("value")
                inner = (value.dtype.name, value.shape, value.tobytes())
            key.append((node.op, tuple([place(t) for t in node.inputs]), attrs_key(attrs), inner))
    return (len(body.own), tuple(key), tuple([place(t) for t in body.results]), body.silent)
