"""Writing objects as a checkpoint that TensorFlow's objects of the same structure restore."""

from __future__ import annotations

import os
from typing import Any

from ...graph import Variable
from ..remote import is_remote
from ..snapshot import Snapshot
from ..tensor_bundle import write_bundle
from .graph import GRAPH_KEY, Node, key_of, serialized
from .objects import parts_of


def write_objects(root: Any, prefix: Any, overwrite: bool = True) -> None:
    """Write the variables of ``root`` and its parts, as they are at one moment, and the graph that says which is which.

    A folder that does not exist is made, as TensorFlow does.

    Raises:
        OSError: the files cannot be written.
    """
    prefix = os.fspath(prefix)
    nodes, variables = _graph(root)
    snapshot = Snapshot(variables.values())
    tensors: dict[str, Any] = {key: snapshot[variable] for key, variable in variables.items()}
    tensors[GRAPH_KEY] = serialized(nodes)
    if not is_remote(prefix):
        os.makedirs(os.path.dirname(prefix) or ".", exist_ok=True)
    write_bundle(prefix, tensors, overwrite)


def _graph(root: Any) -> tuple[list[Node], dict[str, Variable]]:
    """The objects from ``root`` on, and the variables by the names of their tensors: the shortest paths to them."""
    numbers, items = {id(root): 0}, [root]
    paths: list[tuple[str, ...]] = [()]
    nodes, variables = [], {}
    for item, path in zip(items, paths):  # both grow
        node = Node({}, None, "", [])
        nodes.append(node)
        if isinstance(item, Variable):
            node.key, node.full_name = key_of(path), item._shared_name
            variables[node.key] = item
            continue
        for name, part in parts_of(item):
            if id(part) not in numbers:
                numbers[id(part)] = len(items)
                items.append(part)
                paths.append((*path, name))
            node.children.setdefault(name, numbers[id(part)])
    return nodes, variables
