"""The graph of objects in a checkpoint: which variable is which part of which layer, and where its value is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...utils.messages import shortened
from ...utils.protobuf import Message, field
from ..tensor_bundle import limits

#: The tensor that holds the graph.
GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = "VARIABLE_VALUE"


@dataclass
class Slot:
    """A variable that an optimizer keeps for another one."""

    of: int
    name: str
    node: int


@dataclass
class Node:
    """An object.

    Attributes:
        children: the objects that are parts of it, by what it calls them.
        key: name of the tensor that is its value, if it is a variable.
        full_name: what the variable was called.
        slots: of an optimizer of before TensorFlow 2.11.
    """

    children: dict[str, int]
    key: str | None
    full_name: str
    slots: list[Slot]


class ObjectGraph:
    """The objects by number, 0 being the root.

    Args:
        data: the message TrackableObjectGraph.
        prefix: the checkpoint's, for errors.

    Raises:
        ValueError: it is damaged.
    """

    def __init__(self, data: bytes, prefix: str) -> None:
        try:
            stored = Message(data, (1,)).parts(1)
            if not 0 < len(stored) <= limits.MAX_NODES:
                raise ValueError(f"its object graph has {len(stored)} objects")
            self._nodes = [_parse(node, len(stored)) for node in stored]
        except ValueError as error:
            raise ValueError(f"Unable to read the checkpoint {prefix!r}: {error}") from error

    def __len__(self) -> int:
        return len(self._nodes)

    def node(self, number: int) -> Node:
        return self._nodes[number]

    def child(self, number: int, *names: str) -> int | None:
        """The first of these parts that an object has."""
        children = self.node(number).children
        return next((children[name] for name in names if name in children), None)

    def key(self, number: int | None) -> str | None:
        return None if number is None else self.node(number).key

    def keys_below(self, numbers: Iterable[int]) -> set[str]:
        """The tensors of some objects and of all that they lead to."""
        waiting = list(numbers)
        met = set(waiting)
        for number in waiting:
            node = self.node(number)
            new = {*node.children.values(), *(slot.node for slot in node.slots)} - met
            met |= new
            waiting += new
        return {key for key in map(self.key, waiting) if key is not None}


def _parse(data: bytes, count: int) -> Node:
    """An object of a graph of ``count`` objects."""
    message = Message(data)
    children: dict[str, int] = {}
    for part in message.parts(1):
        child = Message(part)
        name = child.text(2)
        if children.setdefault(name, _number(child, 1, count)) != child.integer(1):
            raise ValueError(f"its object graph has an object with two parts {shortened(name, 80)!r}")
    key, full_name = None, ""
    for part in message.parts(2):
        attribute = Message(part)
        if attribute.text(1) == _VALUE:
            key, full_name = attribute.text(3), attribute.text(2)
    slots = [
        Slot(_number(slot, 1, count), slot.text(2), _number(slot, 3, count)) for slot in map(Message, message.parts(3))
    ]
    return Node(children, key, full_name, slots)


def _number(message: Message, field: int, count: int) -> int:
    number = message.integer(field)
    if number >= count:
        raise ValueError(f"its object graph refers to an object {number} of {count}")
    return number


# -- writing ------------------------------------------------------------------------------------------------
def serialized(nodes: list[Node]) -> bytes:
    """The bytes of a graph."""
    parents: list[list[int]] = [[] for _ in nodes]
    for number, node in enumerate(nodes):
        for child in node.children.values():
            parents[child].append(number)
    waiting = [number for number, node in enumerate(nodes) if node.key is not None]
    leads_to_value = set(waiting)
    for number in waiting:
        new = [parent for parent in parents[number] if parent not in leads_to_value]
        leads_to_value.update(new)
        waiting += new
    return b"".join(field(1, _node(node, number in leads_to_value)) for number, node in enumerate(nodes))


def _node(node: Node, leads_to_value: bool) -> bytes:
    data = b""
    for name, number in node.children.items():
        data += field(1, (field(1, number) if number else b"") + field(2, name))
    if node.key is not None:
        data += field(2, field(1, _VALUE) + field(2, node.full_name) + field(3, node.key))
    return data + field(5, field(1, 1) if leads_to_value else b"")


def key_of(path: tuple[str, ...]) -> str:
    """The name of the tensor of the variable that a path of parts leads to."""
    escaped = (name.replace(".", "..").replace("/", ".S") for name in path)
    return "/".join([*escaped, ".ATTRIBUTES", _VALUE])
