"""Layers, optimizers, losses and so on as the plain data that ``.keras`` files have, and back: ``keras.saving``'s two functions.

A config says ``module``, ``class_name``, ``config`` and ``registered_name``. That names a class among those that are registered,
or the caller's own; no module is imported because a config says so.
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from ..utils import generic_utils
from ..utils.generic_utils import CustomObjectScope, get_custom_objects, get_registered_name
from ..utils.messages import shortened
from ..utils.registry import (
    ACTIVATIONS,
    CONSTRAINTS,
    INITIALIZERS,
    LAYERS,
    LOSSES,
    METRICS,
    OPTIMIZERS,
    REGULARIZERS,
    SCHEDULES,
    Registry,
)
from .configs import build, model_from_config
from .keras3 import as_tf_keras
from .migrate import migrate_loss

_REGISTRIES: dict[str, Registry] = {
    "keras.layers": LAYERS, "keras.optimizers.schedules": SCHEDULES, "keras.optimizers": OPTIMIZERS, "keras.losses": LOSSES,
    "keras.metrics": METRICS, "keras.initializers": INITIALIZERS, "keras.regularizers": REGULARIZERS,
    "keras.constraints": CONSTRAINTS, "keras.activations": ACTIVATIONS, "keras": LAYERS, "keras.utils": LAYERS,
}  # fmt: skip


def serialize_keras_object(obj: Any) -> Any:
    """An object as plain data; lists, tuples and dicts with what is in them.

    Raises:
        ValueError: an object has neither ``get_config`` nor a name.
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(part) for part in obj]
    if isinstance(obj, dict):
        return {str(name): serialize_keras_object(part) for name, part in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, types.FunctionType):
        name = get_registered_name(obj)
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": name}
    if not hasattr(obj, "get_config"):
        raise ValueError(f"Cannot serialize {obj!r:.80}: it has neither get_config() nor a __name__.")
    kind = type(obj)
    own, name = _module(kind), get_registered_name(kind)
    config = {"module": own, "class_name": kind.__name__, "config": serialize_keras_object(obj.get_config())}
    return {**config, "registered_name": name if own is None else None}


def _module(kind: type) -> str | None:
    """Where tf.keras has a class; None for a user's."""
    if not kind.__module__.startswith("hornbeam."):
        return None
    for module, registry in _REGISTRIES.items():
        if registry.holds(kind):
            return module
    return None


def deserialize_keras_object(config: Any, custom_objects: dict | None = None, safe_mode: bool = True) -> Any:
    """The object that :func:`serialize_keras_object`, or tf.keras, made ``config`` of.

    Args:
        custom_objects: the caller's own classes and functions by name; they come first.
        safe_mode: whether Python code in a config is refused.

    Raises:
        ValueError: an unknown class or function, or code that is not to be run.
    """
    with CustomObjectScope(custom_objects or {}), generic_utils.allow_code_loading(not safe_mode):
        return _deserialized(config)


def _deserialized(config: Any) -> Any:
    if isinstance(config, (list, tuple)):
        return [_deserialized(part) for part in config]
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {name: _deserialized(part) for name, part in config.items()}
    name, inner = config["class_name"], config["config"]
    if name in ("__numpy__", "__tensor__") and isinstance(inner, dict):
        return _array(inner)
    if name == "__lambda__":
        raise ValueError(
            "The config holds Python code (a lambda), which is not run: name a function of your own instead."
        )
    if name == "function":
        return _named(inner, config)
    custom = get_custom_objects()
    for known in (config.get("registered_name"), name):
        if isinstance(known, str) and known in custom:
            return generic_utils.deserialize_keras_object({"class_name": known, "config": inner})
    registry = _registry(config)
    if registry is not LAYERS:
        plain = as_tf_keras({"class_name": name, "config": inner})
        return registry.deserialize(migrate_loss(plain) if registry is LOSSES and isinstance(inner, dict) else plain)
    made = model_from_config({key: part for key, part in config.items() if key != "build_config"})
    if isinstance(config.get("build_config"), dict) and not made.built:
        build(made, config["build_config"])
        made.built = True
    return made


def _array(config: dict) -> np.ndarray:
    """An array of numbers: of other dtypes (``V1000000000``) one element may take any memory.

    Raises:
        ValueError: it is not one.
    """
    try:
        dtype = np.dtype(config["dtype"])
        if dtype.kind in "biufc":
            return np.array(config["value"], dtype)
    except (KeyError, TypeError, OverflowError, SyntaxError) as error:
        raise ValueError(f"The config of an array is damaged: {shortened(config)}") from error
    raise ValueError(f"The config of an array states the dtype {shortened(config['dtype'])}, which is not of numbers.")


def _named(name: Any, config: dict) -> Any:
    """A function by its name."""
    if isinstance(name, str) and name in get_custom_objects():
        return get_custom_objects()[name]
    for registry in (ACTIVATIONS, LOSSES, METRICS):
        if name in registry:
            return registry.deserialize(name)
    raise ValueError(f"Unknown function: {shortened(config)}. If it is your own, pass it in custom_objects.")


def _registry(config: dict) -> Registry:
    """Where to look for a class: by its module; without one, wherever there is something of the name."""
    module = config.get("module")
    if isinstance(module, str) and module in _REGISTRIES:
        return _REGISTRIES[module]
    name = config["class_name"]
    for registry in _REGISTRIES.values():
        if isinstance(name, str) and (name in registry or name.lower() in registry):
            return registry
    return LAYERS
