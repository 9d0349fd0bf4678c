"""The layout of ``model.weights.h5`` in ``.keras`` files, which is also that of later Keras's ``.weights.h5`` files.

A layer's weights are at the path of attributes and containers that leads to it, under the names ``0``, ``1`` …
In a container a layer goes by its class's name in snake case, with a number from the second on. A class that defines
``save_own_variables`` or ``load_own_variables`` has its own names in its group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend as K
from ..engine.calling import weights_were_set
from ..engine.tracing import is_network
from ..utils.messages import shortened
from ..utils.overriding import defines
from . import hdf5
from .snapshot import Snapshot

#: Container of a network's layers, and how far apart the numbers of two layers of a class are: up to 2.13 each layer
#: was counted twice.
_CONTAINERS = (("layers", 1), ("preprocessors", 1), ("_layer_checkpoint_dependencies", 2))
_INNER = ("forward_layer", "backward_layer", "layer", "cell")


def is_weights(file: Any) -> bool:
    """Whether an HDF5 file has this layout."""
    return any(container in file for container, _ in _CONTAINERS)


def all_weights(model: Any) -> list:
    """The weights that are written for a model; those that layers share occur several times."""
    return [weight for _, owner in owners(model) for weight in owner._own_variables()]


def owners(model: Any) -> Iterator[tuple[str, Any]]:
    """The layers of a model, those inside of layers too, with the paths at which a file has their own weights."""
    return _network(model, _container(model), 1)


def _container(model: Any) -> str:
    """What files call the layers of a model; a FeatureSpace has another name for them."""
    return getattr(model, "layers_in_files", "layers")


def save_weights(file: Any, model: Any, snapshot: Snapshot) -> None:
    """Write the weights of a model as they are in ``snapshot``. What is shared is written where it is met first."""
    file.create_group("vars")
    written: set[int] = set()
    for path, owner in owners(model):
        group, weights = file.require_group(path), owner._own_variables()
        if not any(id(item) in written for item in (owner, *weights)):
            if defines(owner, "save_own_variables"):
                owner.save_own_variables(group)
            else:
                for i, value in enumerate(snapshot.of(weights)):
                    group[str(i)] = value
        written.update(map(id, (owner, *weights)))


def load_weights(file: Any, model: Any) -> None:
    """Give a model the weights in a file. Everything is checked before anything is set, but by layers with a way of their own.

    Raises:
        ValueError: the file has other weights than the model.
    """
    pairs: list[tuple[Any, Any]] = []
    by_themselves: dict[Any, dict] = {}
    for container, step in _CONTAINERS:
        if container in file:
            for path, owner in _network(model, container, step):
                path = path if path in file else path.replace("/_", "/")  # parts whose names Keras 3 made public
                weights = owner._own_variables()
                if defines(owner, "load_own_variables"):
                    store = hdf5.arrays(hdf5.subgroup(file, path)) if path in file else {}
                    if store or owner not in by_themselves:
                        by_themselves[owner] = store
                elif weights and path in file and len(file[path]):
                    pairs += _pairs(hdf5.subgroup(file, path), path, weights)
            break
    given = {id(weight) for weight, _ in pairs} | {id(w) for owner in by_themselves for w in owner._own_variables()}
    lacking = [weight.name for weight in model.weights if id(weight) not in given]
    if lacking:
        raise ValueError(f"The file has no values for the weights {lacking}.")
    if not given and container in file and _has_arrays(file[container]):
        raise ValueError("The file has weights, but the model has none: it does not know the shape of its inputs.")
    K.batch_set_value([(weight, np.asarray(item[()])) for weight, item in pairs])
    for owner, store in by_themselves.items():
        try:
            owner.load_own_variables(store)
        except LookupError as error:
            raise ValueError(
                f"The file does not have what the layer {owner.name} loads by itself: {shortened(error)}; it has {shortened(list(store))}."
            ) from error
    weights_were_set([model])


def set_vocabularies(network: Any, vocabularies: dict[str, list[str]], prefix: str = "") -> None:
    """Give layers without a vocabulary the one that the file has for them.

    Args:
        vocabularies: by the path of the layer, with special tokens.

    Raises:
        ValueError: a vocabulary is one that the layer cannot take.
    """
    for name, layer in _numbered(network.layers, 1):
        path = f"{prefix}{_container(network)}/{name}"
        if is_network(layer):
            set_vocabularies(layer, vocabularies, f"{path}/")
        elif hasattr(layer, "set_vocabulary") and getattr(layer, "_lookup_layer", layer).vocabulary is None:
            found = vocabularies.get(path) or vocabularies.get(f"{path}/_lookup_layer")
            if found is not None:
                layer.set_vocabulary(found)


def _has_arrays(group: Any) -> bool:
    return group.visititems(lambda _, item: True if hasattr(item, "shape") else None) is True


def _pairs(group: Any, path: str, weights: list) -> list[tuple[Any, Any]]:
    if len(weights) != len(group):
        raise ValueError(f"The layer at {path} has {len(weights)} weights, but {len(group)} in the file.")
    pairs = [(weight, hdf5.dataset(group, str(i))) for i, weight in enumerate(weights)]
    for weight, item in pairs:
        if item.shape != tuple(weight.shape):
            raise ValueError(f"Weight {weight.name} has shape {tuple(weight.shape)}, but {item.shape} in the file.")
    return pairs


def _network(network: Any, container: str, step: int, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, layer in _numbered(network.layers, step):
        yield from _layer(layer, container, step, f"{prefix}{container}/{name}")
    yield f"{prefix}vars", network


def _layer(layer: Any, container: str, step: int, path: str) -> Iterator[tuple[str, Any]]:
    """Paths at and below a layer, each with the layer whose own weights are there."""
    if is_network(layer):
        yield from _network(layer, container, step, f"{path}/")
        return
    inner = {name: getattr(layer, name, None) for name in _INNER}
    listed = (layer._children, layer._metrics)  # which the layer itself lists beside the attributes
    inner.update((name, value) for name, value in vars(layer).items() if not any(value is part for part in listed))
    for name, value in inner.items():
        if hasattr(value, "_trainable_weights"):
            yield from _layer(value, container, step, f"{path}/{name}")
        elif isinstance(value, (list, tuple)) and any(hasattr(part, "_trainable_weights") for part in value):
            for part_name, part in _numbered(value, 1):
                yield from _layer(part, container, step, f"{path}/{name}/{part_name}")
    yield f"{path}/vars", layer


def _numbered(layers: Any, step: int) -> Iterator[tuple[str, Any]]:
    counts: dict[str, int] = {}
    for layer in layers:
        base = _snake(_class_name(layer))
        number = counts.get(base, 0)
        counts[base] = number + step
        yield (f"{base}_{number}" if number else base), layer


def _class_name(layer: Any) -> str:
    return "Functional" if type(layer).__name__ == "Model" else type(layer).__name__


def _snake(name: str) -> str:
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
