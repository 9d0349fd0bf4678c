"""Nodes: one call of a layer, and what a layer can say about its calls."""

from __future__ import annotations

from typing import Any

from ..settings import settings
from ..utils.generic_utils import unpack_singleton


class Node:
    """Links the tensors that a layer was called on to the tensors it returned.

    Calling a layer appends a node to ``layer._inbound_nodes``, and to ``_outbound_nodes`` of the layers that
    made its inputs. A layer that is called several times (a shared layer) has several nodes.

    Attributes:
        outbound_layer: the layer that was called.
        inbound_layers: for each input tensor the layer that made it, or None.
        node_indices, tensor_indices: which node of that layer, and which of the node's outputs.
        input_tensors, output_tensors, input_masks, output_masks, input_shapes, output_shapes: lists.
        arguments: keyword arguments of the call, or None.
        nest: where the inputs lie in a structure, or among the arguments (``engine/call_nest.py``); None of ordinary calls.
    """

    nest: Any = None

    def __init__(
        self,
        outbound_layer,
        inbound_layers,
        node_indices,
        tensor_indices,
        input_tensors,
        output_tensors,
        input_masks,
        output_masks,
        input_shapes,
        output_shapes,
        arguments=None,
    ):
        self.outbound_layer = outbound_layer
        self.inbound_layers = inbound_layers
        self.node_indices = node_indices
        self.tensor_indices = tensor_indices
        self.input_tensors = input_tensors
        self.output_tensors = output_tensors
        self.input_masks = input_masks
        self.output_masks = output_masks
        self.input_shapes = input_shapes
        self.output_shapes = output_shapes
        self.arguments = arguments

        for layer in inbound_layers:
            if layer is not None:
                layer._outbound_nodes.append(self)
        outbound_layer._inbound_nodes.append(self)

    def get_config(self):
        return {
            "outbound_layer": self.outbound_layer.name if self.outbound_layer else None,
            "inbound_layers": [layer.name for layer in self.inbound_layers if layer is not None],
            "node_indices": self.node_indices,
            "tensor_indices": self.tensor_indices,
        }


class NodeAccess:
    """What :class:`Layer` answers about its inputs and outputs; mixed into it."""

    name: str
    _inbound_nodes: list[Node]
    _outbound_nodes: list[Node]

    @property
    def inbound_nodes(self) -> list[Node]:
        """``_inbound_nodes`` under the name of Keras up to 2.1.2, by which scripts cut models."""
        return self._inbound_nodes

    @inbound_nodes.setter
    def inbound_nodes(self, nodes: list[Node]) -> None:
        self._inbound_nodes = nodes

    @property
    def outbound_nodes(self) -> list[Node]:
        """``_outbound_nodes``, as :attr:`inbound_nodes`."""
        return self._outbound_nodes

    @outbound_nodes.setter
    def outbound_nodes(self, nodes: list[Node]) -> None:
        self._outbound_nodes = nodes

    def _get_node_attribute_at_index(self, node_index: int, attr: str, attr_name: str) -> Any:
        if not self._inbound_nodes:
            raise RuntimeError(f"The layer {self.name} has never been called and thus has no defined {attr_name}.")
        if not len(self._inbound_nodes) > node_index:
            raise ValueError(
                f"Asked to get {attr_name} at node {node_index}, but the layer {self.name} has only "
                f"{len(self._inbound_nodes)} inbound nodes."
            )
        return unpack_singleton(getattr(self._inbound_nodes[node_index], attr))

    def get_input_shape_at(self, node_index):
        """The input shape (or list of shapes) of call number ``node_index``."""
        return self._get_node_attribute_at_index(node_index, "input_shapes", "input shape")

    def get_output_shape_at(self, node_index):
        return self._get_node_attribute_at_index(node_index, "output_shapes", "output shape")

    def get_input_at(self, node_index):
        """The input tensor (or list of tensors) of call number ``node_index``."""
        return self._get_node_attribute_at_index(node_index, "input_tensors", "input")

    def get_output_at(self, node_index):
        return self._get_node_attribute_at_index(node_index, "output_tensors", "output")

    def get_input_mask_at(self, node_index):
        return self._get_node_attribute_at_index(node_index, "input_masks", "input mask")

    def get_output_mask_at(self, node_index):
        return self._get_node_attribute_at_index(node_index, "output_masks", "output mask")

    def _of_only_node(self, attr: str, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(f"Layer {self.name} is not connected, no {what} to return.")
        if len(self._inbound_nodes) > 1 and not settings.dialect.output_of_first_call:
            raise AttributeError(
                f'Layer {self.name} has multiple inbound nodes, hence the notion of "layer {what}" is '
                f"ill-defined. Use `get_{what.replace(' ', '_')}_at(node_index)` instead."
            )
        return unpack_singleton(getattr(self._inbound_nodes[0], attr))

    def _of_all_nodes(self, attr: str, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(f"The layer {self.name} has never been called and thus has no defined {what} shape.")
        shapes = [getattr(node, attr) for node in self._inbound_nodes]
        if any(str(shape) != str(shapes[0]) for shape in shapes):
            raise AttributeError(
                f'The layer "{self.name}" has multiple inbound nodes with different {what} shapes. Hence the '
                f'notion of "{what} shape" is ill-defined for the layer. Use `get_{what}_shape_at(node_index)` '
                "instead."
            )
        return unpack_singleton(shapes[0])

    @property
    def input(self):
        """The input tensor (or list) of a layer that was called once."""
        return self._of_only_node("input_tensors", "input")

    @property
    def output(self):
        return self._of_only_node("output_tensors", "output")

    @property
    def input_mask(self):
        return self._of_only_node("input_masks", "input mask")

    @property
    def output_mask(self):
        return self._of_only_node("output_masks", "output mask")

    @property
    def input_shape(self):
        """The input shape (or list of shapes), where all calls agree about it."""
        return self._of_all_nodes("input_shapes", "input")

    @property
    def output_shape(self):
        return self._of_all_nodes("output_shapes", "output")
