"""From configs to models, without trusting them."""

from __future__ import annotations

import copy
from typing import Any

from ..graph import building
from ..utils.generic_utils import allow_code_loading
from ..utils.messages import short_errors, shortened
from ..utils.registry import LAYERS
from .keras3 import as_tf_keras, is_keras_3
from .migrate import migrate
from .text import count_parts, parse_model, parse_yaml


def model_from_config(config, custom_objects=None, lambdas=None, keras_version=None):
    """Make a model (with new weights) from ``{class_name, config}``.

    Args:
        config: dict with class name and config, as in a file.
        custom_objects: dict from name to class or function.
        lambdas: dict from the name of a Lambda layer to the function to use for it.
        keras_version: who wrote the config, if it does not say so itself.

    Raises:
        TypeError: a list instead of a dict.
        ValueError: no valid config.
    """
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(f"Not a model's config: {shortened(config)}")
    custom_objects = dict(custom_objects or {})
    with short_errors(), building.at_most(FREE_STEPS + STEPS_PER_PART * count_parts(config)):
        return _make(config, custom_objects, lambdas, keras_version)


#: How much a description may build: an op is one step, a call of a layer inside of a model that is called again is five.
#: Calling a ResNet-50 again takes 3,300.
FREE_STEPS = 200_000
STEPS_PER_PART = 4


def _make(config: dict, custom_objects: dict, lambdas: dict | None, keras_version: str | None) -> Any:
    try:
        if lambdas:
            config = _with_functions(config, lambdas)
            custom_objects.update({_placeholder(name): function for name, function in lambdas.items()})
        version = keras_version or config.get("keras_version")
        if is_keras_3(config, version):
            config, version = as_tf_keras(config), version or "3"
        config = migrate(config, version)
        return LAYERS.deserialize(config, custom_objects)
    except (LookupError, AttributeError, TypeError, ArithmeticError, RuntimeError, MemoryError) as error:
        advice = ""
        if custom_objects and "required positional argument" in str(error):
            advice = ". A custom layer's `get_config` has to give its constructor's arguments; the file lacks them."
        raise ValueError(f"Invalid model config: {type(error).__name__}: {error}{advice}") from error


def build(layer: Any, config: dict) -> None:
    """Make the weights of a layer or model by the ``build_config`` that a file has for it.

    Raises:
        ValueError: the config does not fit the class.
    """
    try:
        with building.at_most(FREE_STEPS):
            layer.build_from_config(config)
    except (LookupError, AttributeError, TypeError, ArithmeticError) as error:
        raise ValueError(f"Invalid build config of {layer.name}: {type(error).__name__}: {shortened(error)}") from error


def lambda_layers(config: Any) -> list[dict]:
    """The configs of all Lambda layers in a model's config, nested ones too."""
    if isinstance(config, (list, tuple)):
        return [found for part in config for found in lambda_layers(part)]
    if not isinstance(config, dict):
        return []
    found = [found for part in config.values() for found in lambda_layers(part)]
    inner = config.get("config")
    return [inner, *found] if config.get("class_name") == "Lambda" and isinstance(inner, dict) else found


def _placeholder(name: str) -> str:
    return f"lambda of layer {name}"


def _with_functions(config: dict, lambdas: dict) -> dict:
    """A copy in which the code of Lambda layers is replaced by names, which stand for the caller's functions."""
    config = copy.deepcopy(config)
    layers = {layer.get("name"): layer for layer in lambda_layers(config)}
    unknown = sorted(set(lambdas) - set(layers))
    if unknown:
        raise ValueError(
            f"`lambdas` has functions for {unknown}; the model's Lambda layers are {sorted(map(str, layers))}."
        )
    for name in lambdas:
        layers[name].update(function=_placeholder(name), function_type="function")
        if layers[name].get("output_shape_type") != "raw":  # code too; the shape follows from the function
            layers[name].update(output_shape=None, output_shape_type="raw")
    return config


def model_from_json(json_string, custom_objects=None, safe_mode=True, lambdas=None):
    """Make a model from the text of ``model.to_json()``; see :func:`load_model` for ``safe_mode`` and ``lambdas``."""
    with short_errors(), allow_code_loading(not safe_mode):
        return model_from_config(parse_model(json_string), custom_objects, lambdas)


def model_from_yaml(yaml_string, custom_objects=None, safe_mode=True, lambdas=None):
    """Make a model from the text of ``model.to_yaml()``; see :func:`load_model` for ``safe_mode`` and ``lambdas``."""
    with short_errors(), allow_code_loading(not safe_mode):
        return model_from_config(parse_yaml(yaml_string), custom_objects, lambdas)
