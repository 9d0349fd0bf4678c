"""What TensorFlow calls the parts of models, layers and containers. Checkpoints are read and written by these names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...engine.base_layer import Layer, _is_metric
from ...engine.tracing import is_network
from ...graph import Variable
from ...optimizers import Optimizer
from .optimizers import parts_of_optimizer

Part = tuple[str, Any]

#: Attributes in which layers and models list what is a part of them under another name already, or is not a part of files: the
#: states of recurrent layers.
_LISTS = frozenset((
    "_by_name", "_children", "_collected_trainable_weights", "_fed_inputs", "_inbound_nodes", "_initial_weights",
    "_layers", "_losses", "_metrics", "_non_trainable_weights", "_outbound_nodes", "_per_input_losses",
    "_per_input_updates", "_state_variables", "_trainable_weights", "_updates", "inputs", "outputs",
))  # fmt: skip


def parts_of(item: Any) -> list[Part]:
    """The parts of an object by name. A part may have several names; objects of other libraries have no parts.

    Layers of a model that is a graph are numbered: those with weights, and all of them. Other parts go by the attribute
    that holds them, a layer's weights by the name that ``add_weight`` was given, too.
    """
    if isinstance(item, Optimizer):
        return parts_of_optimizer(item)
    if hasattr(item, "_trackable_parts"):
        return item._trackable_parts()
    if isinstance(item, (list, tuple)):
        return [(str(i), part) for i, part in enumerate(item) if is_part(part)]
    if isinstance(item, dict):
        return [(name, part) for name, part in item.items() if isinstance(name, str) and is_part(part)]
    if not isinstance(item, Layer):
        return []
    numbered = list(_numbered(item)) if is_network(item) and item._is_graph_network else []
    attributes = [(name, value) for name, value in vars(item).items() if name not in _LISTS and is_part(value)]
    own = [(_own_name(w), w) for w in item._trainable_weights + item._non_trainable_weights]
    optimizer = getattr(item, "optimizer", None)  # of a compiled model, which keeps it with the other arguments
    of_model = [("optimizer", optimizer)] if is_network(item) and isinstance(optimizer, Optimizer) else []
    return [*numbered, *attributes, *own, *of_model]


def weight_paths(model: Any) -> dict[str, Variable]:
    """The weights of a model by the names of parts that lead to them; a layer of the model itself goes by its name."""
    found: dict[str, Variable] = {}
    layers = model.layers if model._is_graph_network else []
    waiting: list[Part] = [*((layer.name, layer) for layer in layers), *parts_of(model)]
    seen = {id(model)}
    for path, item in waiting:
        if id(item) in seen or isinstance(item, Optimizer):
            continue
        seen.add(id(item))
        if isinstance(item, Variable):
            found[path] = item
        waiting += [(f"{path}.{name}", part) for name, part in parts_of(item)]
    return found


def is_found_by(name: str, part: Any) -> bool:
    """Whether a part is looked for under a name. Layers with weights are counted by themselves: where there is none of that
    number, one at the same position is another layer.
    """
    return not (name.startswith("layer-") and isinstance(part, Layer) and part.weights)


def is_part(value: Any) -> bool:
    """Whether a value is, or a container holds, what checkpoints hold. Metrics are left out, as their state is."""
    if isinstance(value, (list, tuple)):
        return any(is_part(part) for part in value)
    if isinstance(value, dict):
        return any(is_part(part) for part in value.values())
    if isinstance(value, Layer):
        return not _is_metric(value)
    return isinstance(value, (Variable, Optimizer)) or hasattr(value, "_trackable_parts")


def _numbered(network: Any) -> Iterator[Part]:
    count = 0
    for i, layer in enumerate(network.layers):
        if layer.weights:
            yield f"layer_with_weights-{count}", layer
            count += 1
        yield f"layer-{i}", layer


def _own_name(variable: Variable) -> str:
    """What the weight was called when it was made, without the scopes around and the number of the output."""
    return variable.name.rpartition("/")[2].split(":")[0]


def variables_of(root: Any) -> list[Variable]:
    """The variables that are parts of an object or of its parts, each once; those of optimizers are left out."""
    found: dict[int, Variable] = {}
    seen, waiting = {id(root)}, [root]
    for item in waiting:
        if isinstance(item, Variable):
            found[id(item)] = item
        for _, part in parts_of(item):
            if id(part) not in seen and not isinstance(part, Optimizer):
                seen.add(id(part))
                waiting.append(part)
    return list(found.values())
