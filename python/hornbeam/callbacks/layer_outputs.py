"""The outputs of a model's layers, for callbacks that look inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..engine.tracing import node_key


def layer_outputs(model: Any) -> Iterator[tuple[Any, list]]:
    """Yield each layer that the model calls once, with the list of its output tensors there: a nested model has others inside."""
    nodes = model._network_nodes if model._is_graph_network else None
    for layer in model.layers:
        calls = [x for i, x in enumerate(layer._inbound_nodes) if nodes is None or node_key(layer, i) in nodes]
        if len(calls) == 1:
            yield layer, calls[0].output_tensors
