"""The walk from a model's outputs back to its inputs: which nodes belong to it, and in which order they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from .. import backend as K
from .endpoints import FedInput
from .formula import adopt
from .node import Node


@dataclass
class Topology:
    """The nodes and layers between some inputs and outputs.

    Depth 0 is the end; a node is deeper than all nodes that use its outputs. Files and ``model.layers`` keep the
    order of ``layers``, so it has to stay as Keras defined it: by decreasing depth, then by first visit.
    """

    #: for each input and output its layer, which call of the layer made it, and which output of that call it is
    input_coordinates: list[tuple[Any, int, int]]
    output_coordinates: list[tuple[Any, int, int]]
    fed_inputs: list[FedInput]
    nodes: set[Hashable] = field(default_factory=set)
    nodes_by_depth: dict[int, list[Node]] = field(default_factory=dict)
    layers: list[Any] = field(default_factory=list)
    layers_by_depth: dict[int, list[Any]] = field(default_factory=dict)

    @property
    def input_layers(self) -> list[Any]:
        return [layer for layer, _, _ in self.input_coordinates]

    @property
    def output_layers(self) -> list[Any]:
        return [layer for layer, _, _ in self.output_coordinates]


def node_key(layer: Any, node_index: int) -> Hashable:
    """Which call of which layer; not by its name, which scripts change after the model is made."""
    return layer, node_index


def is_network(layer: Any) -> bool:
    """Whether a layer is a network, for files that ``network.py`` imports: they cannot ask for its class."""
    return hasattr(layer, "_is_graph_network")


def trace(inputs: list, outputs: list) -> Topology:
    """Collect what lies between ``inputs`` and ``outputs``.

    Raises:
        ValueError: an output depends on a tensor that no input leads to, the graph has a cycle, or two layers have
            one name.
    """
    order, visited_layers = _visit(outputs)
    node_depths, layer_depths = _depths(order)
    for x in inputs:  # an input that no output uses is still part of the model
        layer = x._keras_history[0]
        if layer not in layer_depths:
            layer_depths[layer] = 0
            visited_layers[layer] = -1
            node_depths[layer._inbound_nodes[0]] = 0

    topology = Topology(
        [x._keras_history for x in inputs],
        [x._keras_history for x in outputs],
        [FedInput(x._keras_history[0].name, x, K.int_shape(x)) for x in inputs if x._keras_history[0].is_placeholder],
    )
    for node, depth in node_depths.items():
        topology.nodes_by_depth.setdefault(depth, []).append(node)
    for layer in layer_depths:
        for index, node in enumerate(layer._inbound_nodes):
            if node in node_depths:
                topology.nodes.add(node_key(layer, index))
    for layer, depth in layer_depths.items():
        topology.layers_by_depth.setdefault(depth, []).append(layer)
    for depth in sorted(topology.layers_by_depth, reverse=True):
        topology.layers_by_depth[depth].sort(key=visited_layers.__getitem__)
        topology.layers += topology.layers_by_depth[depth]
    _check_connected(inputs, topology)
    _check_names(topology)
    return topology


def _visit(outputs: list) -> tuple[list[Node], dict[Any, int]]:
    """Nodes in depth-first postorder, and layers by first visit; with a stack of its own, since models may be deep."""
    finished: set[Node] = set()
    open_nodes: set[Node] = set()
    order: list[Node] = []
    layers: dict[Any, int] = {}

    for tensor in outputs:
        layer, index, _ = tensor._keras_history
        stack = [(layer._inbound_nodes[index], 0)]
        while stack:
            node, position = stack.pop()
            if position == 0:
                if node in finished:
                    continue
                if node in open_nodes:
                    raise ValueError(f'The tensor at layer "{node.outbound_layer.name}" is part of a cycle.')
                open_nodes.add(node)
                layers.setdefault(node.outbound_layer, len(layers))
            if position < len(node.inbound_layers):
                stack.append((node, position + 1))
                source = node.inbound_layers[position] or _formula_before(node, position)
                if source is not None:
                    stack.append((source._inbound_nodes[node.node_indices[position]], 0))
                continue
            open_nodes.discard(node)
            finished.add(node)
            order.append(node)
    return order, layers


def _formula_before(node: Node, position: int) -> Any:
    """The layer that a formula becomes on which the node's layer was called; None if it is called on something else."""
    x = node.input_tensors[position]
    if not adopt(x):
        return None
    layer, node.node_indices[position], node.tensor_indices[position] = x._keras_history
    node.inbound_layers[position] = layer
    layer._outbound_nodes.append(node)
    return layer


def _depths(order: list[Node]) -> tuple[dict[Node, int], dict[Any, int]]:
    node_depths: dict[Node, int] = {}
    layer_depths: dict[Any, int] = {}
    for node in reversed(order):
        depth = max(node_depths.setdefault(node, 0), layer_depths.get(node.outbound_layer, 0))
        node_depths[node] = layer_depths[node.outbound_layer] = depth
        for layer, index in zip(node.inbound_layers, node.node_indices):
            if layer is not None:
                source = layer._inbound_nodes[index]
                node_depths[source] = max(depth + 1, node_depths.get(source, 0))
    return node_depths, layer_depths


def _check_connected(inputs: list, topology: Topology) -> None:
    known = set(inputs)
    complete: list[str] = []
    for depth in sorted(topology.nodes_by_depth, reverse=True):
        for node in topology.nodes_by_depth[depth]:
            layer = node.outbound_layer
            for x in node.input_tensors:
                if x not in known:
                    raise ValueError(
                        f'Graph disconnected: cannot obtain value for tensor {x} at layer "{layer.name}". The '
                        f"following previous layers were accessed without issue: {complete}"
                    )
            known.update(node.output_tensors)
            complete.append(layer.name)


def _check_names(topology: Topology) -> None:
    for name, count in Counter(layer.name for layer in topology.layers).items():
        if count != 1:
            raise ValueError(f'The name "{name}" is used {count} times in the model. All layer names should be unique.')


def get_source_inputs(tensor, layer=None, node_index=None):
    """The Input tensors that ``tensor`` was made from, in the order in which they are met."""
    if not hasattr(tensor, "_keras_history"):
        return tensor
    if layer is None or node_index is None:
        layer, node_index, _ = tensor._keras_history
    if not layer._inbound_nodes:
        return [tensor]
    start = layer._inbound_nodes[node_index]
    sources: dict[int, Any] = {}
    seen: set[Node] = set()
    stack = [start]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if not node.inbound_layers:
            sources.update((id(x), x) for x in node.input_tensors)
        for source, index in reversed(list(zip(node.inbound_layers, node.node_indices))):
            if source is not None:
                stack.append(source._inbound_nodes[index])
    return list(sources.values())
