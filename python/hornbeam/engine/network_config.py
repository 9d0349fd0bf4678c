"""Networks as plain data: ``get_config`` and ``from_config``."""

from __future__ import annotations

import copy
import json
from collections.abc import Hashable
from typing import Any

from ..utils.generic_utils import unpack_singleton
from ..utils.messages import warn_user
from .tracing import node_key


def network_to_config(network: Any) -> dict:
    """Describe layers, and for each call of a layer where its inputs come from."""
    numbers = _saved_node_numbers(network)

    def reference(layer: Any, node_index: int, tensor_index: int) -> list:
        return [layer.name, numbers.get(node_key(layer, node_index), 0), tensor_index]

    layers = []
    for layer in network.layers:
        calls = []
        for index, node in enumerate(layer._inbound_nodes):
            if node_key(layer, index) in network._network_nodes and node.inbound_layers:
                kwargs = _plain_arguments(layer, node)
                sources = zip(node.inbound_layers, node.node_indices, node.tensor_indices)
                references = [reference(*source) for source in sources]
                if hasattr(layer, "describe_call"):
                    calls.append(layer.describe_call(references, **kwargs))
                else:
                    calls.append([[*reference, kwargs] for reference in references])
        layers.append(
            {
                "name": layer.name,
                "class_name": type(layer).__name__,
                "config": layer.get_config(),
                "inbound_nodes": calls,
            }
        )
    return copy.deepcopy(
        {
            "name": network.name,
            "layers": layers,
            "input_layers": [reference(*where) for where in network._input_coordinates],
            "output_layers": [reference(*where) for where in network._output_coordinates],
        }
    )


def _saved_node_numbers(network: Any) -> dict[Hashable, int]:
    """Nodes count anew in a file: those outside the network are left out, a nested network's own construction is 0."""
    from .network import Network

    numbers: dict[Hashable, int] = {}
    for layer in network.layers:
        kept = 1 if isinstance(layer, Network) else 0
        for index in range(len(layer._inbound_nodes)):
            key = node_key(layer, index)
            if key in network._network_nodes:
                numbers[key] = kept
                kept += 1
    return numbers


def _plain_arguments(layer: Any, node: Any) -> dict:
    if not node.arguments:
        return {}
    try:
        json.dumps(node.arguments)
    except TypeError:
        warn_user(
            f"Layer {layer.name} was passed non-serializable keyword arguments: {node.arguments}. They will not be "
            "included in the serialized model (and thus will be missing at deserialization time)."
        )
        return {}
    return node.arguments


def layer_from_config(data: dict, custom_objects: dict | None) -> Any:
    """Make the layer that ``{class_name, config}`` describes; errors say which one it is."""
    from ..layers import deserialize

    try:
        layer = deserialize(data, custom_objects=custom_objects)
        layer._ends_masks = True  # Keras 2.3.1 cannot have made a model where it is an error, and tf.keras has none
        return layer
    except (ValueError, TypeError) as error:
        if not getattr(error, "_names_layer", False) and error.args and isinstance(error.args[0], str):
            config = data.get("config") if isinstance(data, dict) else None
            name = data.get("name") or (config.get("name") if isinstance(config, dict) else None)
            error.args = (f'layer "{name}" (class {data.get("class_name")}): {error.args[0]}', *error.args[1:])
            error._names_layer = True  # type: ignore[union-attr]
        raise


class _Pending(LookupError):
    """A call's input does not exist yet."""


def network_from_config(cls: type, config: dict, custom_objects: dict | None) -> Any:
    """Make the layers, then repeat their calls in an order in which each call's inputs exist.

    Raises:
        ValueError: the config is not one of a network.
    """
    _check_config(config)
    layers: dict[str, Any] = {}
    waiting: dict[str, list] = {}
    for data in config["layers"]:
        name = data.get("name") or data["config"].get("name")  # a Sequential's config may be a list without a name
        layer = layers[name] = layer_from_config(data, custom_objects)
        layer.name = name  # TF's op layers are referred to by a name that differs from their config's
        waiting[name] = list(data.get("inbound_nodes") or [])

    while any(waiting.values()):
        progress = False
        for name, calls in waiting.items():
            while calls:
                try:
                    _repeat_call(layers, layers[name], calls[0])
                except _Pending:
                    break
                calls.pop(0)
                progress = True
        if not progress:
            stuck = [name for name, calls in waiting.items() if calls]
            raise ValueError(f"Invalid model config: the inputs of layers {stuck} cannot be found in the model.")

    try:
        inputs = [_tensor_at(layers, where) for where in _references(config["input_layers"])]
        outputs = [_tensor_at(layers, where) for where in _references(config["output_layers"])]
    except _Pending as error:
        raise ValueError(
            f"Invalid model config: an end of the model is a call of {error} that it does not have."
        ) from None
    return cls(inputs=inputs, outputs=outputs, name=config.get("name"))


def _check_config(config: Any) -> None:
    for key in ("layers", "input_layers", "output_layers"):
        if not isinstance(config, dict) or not isinstance(config.get(key), (list, tuple)):
            raise ValueError(f"Invalid model config: expected a dict with a list `{key}`, got {str(config)[:200]}")
    for data in config["layers"]:
        if not isinstance(data, dict) or not isinstance(data.get("config"), (dict, list)) or "class_name" not in data:
            raise ValueError(f"Invalid model config: not a layer: {str(data)[:200]}")


def _references(items: Any) -> list:
    """``[[layer, node, tensor], ...]``; newer writers give a single reference without the outer list."""
    return [items] if items and isinstance(items[0], str) else list(items)


def _tensor_at(layers: dict, where: Any) -> Any:
    """The tensor that a file's ``[layer, node, tensor]`` refers to.

    Raises:
        _Pending: the layer was not called that often yet.
        ValueError: it is no reference, or to a layer that the model does not have.
    """
    try:
        name, node_index, tensor_index = where[0], int(where[1]), int(where[2])
    except (TypeError, ValueError, IndexError, KeyError):
        raise ValueError(f"Invalid model config: not a reference to a layer: {str(where)[:200]}") from None
    if name not in layers:
        raise ValueError(f"Invalid model config: unknown layer {name!r}.")
    nodes = layers[name]._inbound_nodes
    if not 0 <= node_index < len(nodes):
        raise _Pending(name)
    if not 0 <= tensor_index < len(nodes[node_index].output_tensors):
        raise ValueError(f"Invalid model config: layer {name!r} has no output {tensor_index}.")
    return nodes[node_index].output_tensors[tensor_index]


def _repeat_call(layers: dict, layer: Any, call: Any) -> None:
    """Call a layer as a file says: on one tensor, or a list of them, or (op layers) on a number."""
    flat = bool(call) and isinstance(call[0], str)
    sources = [call] if flat else call
    values = [source[2] if source[0] == "_CONSTANT_VALUE" else _tensor_at(layers, source) for source in sources]
    kwargs: dict = {}
    for source in sources:
        if len(source) > 3 and source[3]:
            kwargs.update(source[3])
    if hasattr(layer, "describe_call"):  # whose other arguments may be tensors
        kwargs = {key: _with_tensors(layers, value) for key, value in kwargs.items()}
    if values:
        layer(unpack_singleton(values), **kwargs)


def _with_tensors(layers: dict, value: Any) -> Any:
    """A copy of an argument with tensors in place of the references to them."""
    if not isinstance(value, (list, tuple)):
        return value
    if len(value) == 3 and isinstance(value[0], str) and value[0] in layers:
        return _tensor_at(layers, value)
    return [_with_tensors(layers, part) for part in value]
