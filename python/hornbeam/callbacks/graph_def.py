"""A model's graph in the form in which TensorBoard shows graphs: TensorFlow's ``GraphDef``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..graph import Tensor
from ..graph.order import nodes_of
from ..utils.protobuf import bytes_field, int_field, text_field

_TYPES = {
    "float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "int64": 9, "bool": 10, "float16": 19,
}  # fmt: skip


def graph_def(outputs: Iterable[Tensor]) -> bytes:
    """All ops that ``outputs`` need, named by the layers in which they were made."""
    names: dict[Any, str] = {}
    taken: set[str] = set()
    content = b""
    for node in nodes_of(outputs):
        names[node] = _unique(_name(node), taken)
        inputs = [f"{names[x.op]}:{x.index}" if x.index else names[x.op] for x in node.inputs if x is not None]
        content += bytes_field(1, _node_def(node, names[node], inputs))
    return content + bytes_field(4, int_field(1, 22))  # a GraphDef version that all readers know


def _name(node: Any) -> str:
    if node.op in ("variable", "placeholder"):
        return node.outputs[0].name.split(":")[0]
    return f"{node.label}/{node.op}" if node.label else node.op


def _unique(name: str, taken: set[str]) -> str:
    base, count = name, 0
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name


def _node_def(node: Any, name: str, inputs: list[str]) -> bytes:
    content = text_field(1, name) + text_field(2, node.op) + b"".join(text_field(3, x) for x in inputs)
    shapes = b"".join(bytes_field(7, _shape(x.shape)) for x in node.outputs)
    attributes = {"_output_shapes": bytes_field(1, shapes)}
    if node.outputs and node.outputs[0].dtype in _TYPES:
        attributes["dtype"] = int_field(6, _TYPES[node.outputs[0].dtype])
    return content + b"".join(bytes_field(5, text_field(1, k) + bytes_field(2, v)) for k, v in attributes.items())


def _shape(shape: tuple) -> bytes:
    return b"".join(bytes_field(2, int_field(1, -1 if d is None else d)) for d in shape)
