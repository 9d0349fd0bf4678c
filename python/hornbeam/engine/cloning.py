"""``clone_model``: the same architecture with new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph import Tensor
from ..utils.generic_utils import to_list, unpack_singleton
from .call_nest import flat_outputs
from .input_layer import Input, InputLayer
from .network import Network
from .sequential import Sequential
from .training import Model


def clone_model(model, input_tensors=None, clone_function=None):
    """Make a model with the same layers and newly initialised weights.

    Args:
        model: a Sequential or functional model.
        input_tensors: tensors to build it on; new inputs by default.
        clone_function: makes each layer of the new model from the old one; from its config by default. Inputs, and
            models inside, are not given to it.

    Raises:
        ValueError: ``model`` is a subclass whose topology is Python code.
    """
    if not isinstance(model, Model) or not model._is_graph_network:
        raise ValueError(f"Expected `model` argument to be a functional `Model` or `Sequential` instance, got: {model}")
    with model._lock:
        tensors = None if input_tensors is None else _as_inputs(model, to_list(input_tensors, allow_tuple=True))
        clone = _clone_sequential if isinstance(model, Sequential) else _clone_functional
        return clone(model, tensors, clone_function or _from_config)


def _as_inputs(model: Model, tensors: list[Tensor]) -> list[Tensor]:
    if len(tensors) != len(model.inputs):
        raise ValueError(f"`input_tensors` has {len(tensors)} tensors, but the model has {len(model.inputs)} inputs.")
    return [
        x
        if isinstance(getattr(x, "_keras_history", (None,))[0], InputLayer)
        else Input(tensor=x, name=f"input_wrapper_for_{name}")
        for x, name in zip(tensors, model.input_names)
    ]


def _clone_layer(layer: Any, make: Callable[[Any], Any]) -> Any:
    if isinstance(layer, InputLayer):
        return _from_config(layer)
    return clone_model(layer, clone_function=make) if isinstance(layer, Network) else make(layer)


def _from_config(layer: Any) -> Any:
    clone = type(layer).from_config(layer.get_config())
    clone._ends_masks, clone._autocast = layer._ends_masks, layer._autocast
    return clone


def _clone_sequential(model: Sequential, tensors: list[Tensor] | None, make: Callable[[Any], Any]) -> Sequential:
    layers = [_clone_layer(layer, make) for layer in model.layers]
    if tensors is not None:
        layers.insert(0, tensors[0]._keras_history[0])
    clone = Sequential(layers=layers, name=model.name)
    if not clone.inputs and model.inputs:
        clone.build(model._build_input_shape or model.inputs[0].shape)
    return clone


def _clone_functional(model: Model, tensors: list[Tensor] | None, make: Callable[[Any], Any]) -> Model:
    if tensors is None:
        tensors = [
            Input(batch_shape=layer.batch_input_shape, dtype=layer.dtype, sparse=layer.sparse, name=layer.name)
            for layer in model._input_layers
        ]
    new = dict(zip(model.inputs, tensors))
    layers = {old: x._keras_history[0] for old, x in zip(model._input_layers, tensors)}
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            old = node.outbound_layer
            if isinstance(old, InputLayer):
                continue
            if old not in layers:
                layers[old] = _clone_layer(old, make)
            inputs = [new[x] for x in node.input_tensors]
            x, arguments = unpack_singleton(inputs), node.arguments or {}
            if node.nest is not None:
                x, arguments = node.nest.filled(inputs)
            output = layers[old](x, **arguments)
            new.update(zip(node.output_tensors, flat_outputs(output) or to_list(output, allow_tuple=True)))
    return Model(tensors, [new[x] for x in model.outputs], name=model.name)
