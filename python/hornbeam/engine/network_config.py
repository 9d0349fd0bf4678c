"""Networks as plain data: ``get_config`` and ``from_config``."""

from __future__ import annotations

import copy
import heapq
import json
from collections.abc import Hashable
from typing import Any

from ..utils.generic_utils import get_registered_name, unpack_singleton
from ..utils.messages import shortened, warn_user
from ..utils.overriding import defines
from ..utils.registry import LAYERS
from .tracing import is_network, node_key


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
                if node.nest is not None:
                    calls.append(_nested_call(layer, node, references))
                elif hasattr(layer, "describe_call"):
                    calls.append(layer.describe_call(references, **kwargs))
                else:
                    calls.append([[*reference, kwargs] for reference in references])
        layers.append({"name": layer.name, **layer_to_config(layer), "inbound_nodes": calls})
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
    numbers: dict[Hashable, int] = {}
    for layer in network.layers:
        kept = 1 if is_network(layer) else 0
        for index in range(len(layer._inbound_nodes)):
            key = node_key(layer, index)
            if key in network._network_nodes:
                numbers[key] = kept
                kept += 1
    return numbers


def _plain_arguments(layer: Any, node: Any) -> dict:
    return {} if node.nest is not None else _as_json(layer, node.arguments or {})


def _as_json(layer: Any, arguments: dict) -> dict:
    try:
        json.dumps(arguments)
    except TypeError:
        warn_user(
            f"Layer {layer.name} was passed non-serializable keyword arguments: {arguments}. They will not be "
            "included in the serialized model (and thus will be missing at deserialization time)."
        )
        return {}
    return arguments


class _Reference(tuple):
    """A reference as one leaf of a structure."""


def _nested_call(layer: Any, node: Any, references: list) -> Any:
    """As tf.keras writes it: references in the structure of the inputs, and among the arguments that each of these holds."""
    leaves = [[_Reference(reference)] for reference in references]
    inputs, arguments = node.nest.filled(leaves)
    kwargs = _as_json(layer, _plain(arguments, {}))
    call = _plain(inputs, kwargs, is_first=True)
    return [call] if isinstance(call, list) and call and isinstance(call[0], str) else call


def _plain(x: Any, kwargs: dict, is_first: bool = False) -> Any:
    """Dicts and lists, with references as lists: those of the first argument hold the others as well."""
    if isinstance(x, list) and len(x) == 1 and isinstance(x[0], _Reference):
        return [*x[0], kwargs] if is_first else list(x[0])
    if isinstance(x, dict):
        return {key: _plain(part, kwargs, is_first) for key, part in x.items()}
    return [_plain(part, kwargs, is_first) for part in x] if isinstance(x, (list, tuple)) else x


def layer_to_config(layer: Any) -> dict:
    """The reverse of :func:`layer_from_config`."""
    config = {"class_name": get_registered_name(type(layer)), "config": layer.get_config()}
    if defines(layer, "get_build_config"):
        config["build_config"] = layer.get_build_config()
    return config


def layer_from_config(data: dict, custom_objects: dict | None) -> Any:
    """Make the layer that ``{class_name, config}`` describes; errors say which one it is."""
    try:
        layer = LAYERS.deserialize(data, custom_objects)
        layer._autocast = data.get("autocast")  # what migrate.py says of layers in tf.keras's files
        layer._ends_masks = True  # Keras 2.3.1 cannot have made a model where it is an error, and tf.keras has none
        if data.get("build_config") is not None and defines(layer, "build_from_config"):
            layer.build_from_config(data["build_config"])
            layer.built = True
        return layer
    except (ValueError, TypeError) as error:
        if not getattr(error, "_names_layer", False) and error.args and isinstance(error.args[0], str):
            config = data.get("config") if isinstance(data, dict) else None
            name = config.get("name") if isinstance(config, dict) else None
            name = (data.get("name") if isinstance(data, dict) else None) or name
            kind = shortened(data.get("class_name") if isinstance(data, dict) else data)
            error.args = (f'layer "{shortened(name)}" (class {kind}): {error.args[0]}', *error.args[1:])
            error._names_layer = True  # type: ignore[union-attr]
        raise


class _Pending(LookupError):
    """A call's input does not exist yet. Its argument is where it will be: the name of a layer, and the number of a call."""


def network_from_config(cls: type, config: dict, custom_objects: dict | None) -> Any:
    """Make the layers, then repeat their calls in an order in which each call's inputs exist.

    Raises:
        ValueError: the config is not one of a network.
    """
    _check_config(config)
    layers: dict[str, Any] = {}
    calls: dict[str, list] = {}
    for data in config["layers"]:
        own = data["config"]
        name = data.get("name") or (own.get("name") if isinstance(own, dict) else None)
        if not isinstance(name, str):
            raise ValueError(f"Invalid model config: a layer without a name: {shortened(data)}")
        layer = layers[name] = layer_from_config(data, custom_objects)
        layer.name = name  # TF's op layers are referred to by a name that differs from their config's
        calls[name] = _list(data.get("inbound_nodes") or [], "the calls of a layer")
    _repeat_calls(layers, calls)

    try:
        inputs = [_tensor_at(layers, where) for where in _references(config["input_layers"])]
        outputs = [_tensor_at(layers, where) for where in _references(config["output_layers"])]
    except _Pending as error:
        raise ValueError(
            f"Invalid model config: an end of the model is a call of {shortened(repr(error.args[0][0]))} that it does not have."
        ) from None
    return cls(inputs=inputs, outputs=outputs, name=config.get("name"))


def _check_config(config: Any) -> None:
    for key in ("layers", "input_layers", "output_layers"):
        if not isinstance(config, dict) or not isinstance(config.get(key), (list, tuple)):
            raise ValueError(f"Invalid model config: expected a dict with a list `{key}`, got {shortened(config)}")
    for data in config["layers"]:
        if not isinstance(data, dict) or not isinstance(data.get("config"), (dict, list)) or "class_name" not in data:
            raise ValueError(f"Invalid model config: not a layer: {shortened(data)}")


def _repeat_calls(layers: dict[str, Any], calls: dict[str, list]) -> None:
    """Repeat the calls of all layers as if going through the layers again and again, each as far as its inputs exist.

    A layer that has to wait is looked at again when what it waits for is there, and not before: files list layers in any
    order, and going through all of them each time would cost the square of their number.

    Raises:
        ValueError: some calls never get their inputs.
    """
    names = list(layers)
    at = dict.fromkeys(names, 0)  # how many calls were repeated
    resolved = dict.fromkeys(names, 0)  # how many inputs of the next call exist
    waiting: dict[
        tuple[str, int], list[int]
    ] = {}  # from a layer and the number of a call to the layers that wait for it
    todo = [(0, index) for index in range(len(names))]  # a heap: round, position
    while todo:
        turn, index = heapq.heappop(todo)
        name = names[index]
        layer = layers[name]
        while at[name] < len(calls[name]):
            call = calls[name][at[name]]
            try:
                needed = _references_in(layers, layer, call)
                while resolved[name] < len(needed):
                    _tensor_at(layers, needed[resolved[name]])
                    resolved[name] += 1
            except _Pending as pending:
                waiting.setdefault(pending.args[0], []).append(index)
                break
            known = len(layer._inbound_nodes)
            _repeat_call(layers, layer, call)
            at[name], resolved[name] = at[name] + 1, 0
            for number in range(known, len(layer._inbound_nodes)):
                for other in waiting.pop((name, number), []):
                    heapq.heappush(todo, (turn if other > index else turn + 1, other))
    stuck = [name for name in names if at[name] < len(calls[name])]
    if stuck:
        raise ValueError(f"Invalid model config: the inputs of layers {shortened(stuck)} cannot be found in the model.")


def _list(items: Any, what: str) -> list:
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"Invalid model config: {what} should be a list, but is {shortened(items)}")
    return list(items)


def _references(items: Any) -> list:
    """``[[layer, node, tensor], ...]``; newer writers give a single reference without the outer list, and some structures."""
    if isinstance(items, dict):
        return [reference for key in sorted(items) for reference in _references(items[key])]
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"Invalid model config: not a reference to a layer: {shortened(items)}")
    if items and isinstance(items[0], str):
        if len(items) < 3 or (len(items) > 3 and not isinstance(items[3] or {}, dict)):
            raise ValueError(f"Invalid model config: not a reference to a layer: {shortened(items)}")
        return [items]
    return [reference for part in items for reference in _references(part)]


def _references_in(layers: dict, layer: Any, call: Any) -> list:
    """All references to tensors in a call, among its other arguments too where the layer takes tensors there."""
    sources = _references(call)
    found = [source for source in sources if source[0] != "_CONSTANT_VALUE"]
    waiting = [value for source in sources if len(source) > 3 and source[3] for value in source[3].values()]
    while waiting:
        value = waiting.pop()
        if _is_reference(layers, value):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
    return found


def _is_reference(layers: dict, value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 3 and isinstance(value[0], str) and value[0] in layers


def _tensor_at(layers: dict, where: Any) -> Any:
    """The tensor that a file's ``[layer, node, tensor]`` refers to.

    Raises:
        _Pending: the layer was not called that often yet.
        ValueError: it is not a reference, or to a layer that the model does not have.
    """
    try:
        name, node_index, tensor_index = where[0], int(where[1]), int(where[2])
    except (TypeError, ValueError, IndexError, KeyError):
        raise ValueError(f"Invalid model config: not a reference to a layer: {shortened(where)}") from None
    if not isinstance(name, str) or name not in layers:
        raise ValueError(f"Invalid model config: unknown layer {shortened(repr(name))}.")
    nodes = layers[name]._inbound_nodes
    if not 0 <= node_index < len(nodes):
        raise _Pending((name, node_index))
    if not 0 <= tensor_index < len(nodes[node_index].output_tensors):
        raise ValueError(
            f"Invalid model config: layer {shortened(repr(name))} has no output {shortened(tensor_index)}."
        )
    return nodes[node_index].output_tensors[tensor_index]


def _repeat_call(layers: dict, layer: Any, call: Any) -> None:
    """Call a layer as a file says: on one tensor, a list or a structure of them, or (op layers) on a number."""
    sources = _references(call)
    kwargs: dict = {}
    for source in sources:
        if len(source) > 3 and source[3]:
            kwargs.update(source[3])
    kwargs = {key: _with_tensors(layers, value) for key, value in kwargs.items()}
    if sources:
        layer(unpack_singleton(_first_argument(layers, call)), **kwargs)


def _first_argument(layers: dict, call: Any) -> Any:
    """Tensors and numbers in place of the references to them; one alone is in a list."""
    if isinstance(call, dict):
        return {key: unpack_singleton(_first_argument(layers, part)) for key, part in call.items()}
    if call and isinstance(call[0], str):
        return [call[2] if call[0] == "_CONSTANT_VALUE" else _tensor_at(layers, call)]
    return [unpack_singleton(_first_argument(layers, part)) for part in call]


def _with_tensors(layers: dict, value: Any) -> Any:
    """A copy of an argument with tensors in place of the references to them."""
    if isinstance(value, dict):
        return {key: _with_tensors(layers, part) for key, part in value.items()}
    if not isinstance(value, (list, tuple)):
        return value
    if _is_reference(layers, value):
        return _tensor_at(layers, value)
    return [_with_tensors(layers, part) for part in value]
