"""What the names in configs stand for: a registry for each kind of object that a model's description holds.

The modules that define such objects register them, and whoever reads a config asks here. So a layer that holds layers need not
import the package of all layers, which imports it.
"""

from __future__ import annotations

import importlib
import types
from collections.abc import Mapping
from typing import Any

from .generic_utils import deserialize_keras_object


class Registry:
    """The objects of one kind, by name. A config may name these and the caller's custom objects, and nothing else.

    Args:
        kind: what they are, for error messages.
        modules: those that register objects when they are imported, which they are, in this order, once a name is unknown.
        makes: whether a name stands for what its class or function makes (``'l2'``), not for the function itself (``'mse'``).
        optional: whether ``get(None)`` is None.
    """

    def __init__(self, kind: str, *modules: str, makes: bool = False, optional: bool = False) -> None:
        self.kind = kind
        self._modules = modules
        self._makes = makes
        self._optional = optional
        self._objects: dict[str, Any] = {}

    def register(self, objects: Mapping[str, Any]) -> None:
        """Let each name stand for a class or function."""
        self._objects.update(objects)

    def holds(self, kind: type) -> bool:
        """Whether a class is registered, under whatever name."""
        return any(known is kind for known in self._objects.values())

    def __contains__(self, name: object) -> bool:
        """Whether a config may have this name without custom objects."""
        if not isinstance(name, str):
            return False
        self._import_for(name)
        return name in self._objects

    def _import_for(self, name: object) -> None:
        """Import what registers objects, until there is one of this name."""
        for module in self._modules:
            if name in self._objects:
                break
            importlib.import_module(module)

    def deserialize(
        self, config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False
    ) -> Any:
        """The object that a config ``{class_name, config}`` or a name stands for.

        Args:
            custom_objects: the caller's own classes and functions by name. They come first, then those of the
                ``CustomObjectScope`` around, then what is registered.
            use_legacy_format: accepted; a config may say more than that, as later ones do.

        Raises:
            ValueError: an unknown name, or a malformed config.
        """
        name = config.get("class_name") if isinstance(config, dict) else config
        if isinstance(name, str):
            self._import_for(name)
        # A copy: another thread may import what registers further names.
        return deserialize_keras_object(config, dict(self._objects), custom_objects, self.kind)

    def get(self, identifier: Any) -> Any:
        """The object that a name or a config stands for, an instance of a class, or anything callable as it is.

        A registered function that makes an object, as ``he_normal``, is called: tf.keras has a class of that name.

        Raises:
            ValueError: an unknown name, or something else.
        """
        if identifier is None and self._optional:
            return None
        if isinstance(identifier, str) and self._makes:
            return self.deserialize({"class_name": identifier, "config": {}})
        if isinstance(identifier, (str, dict)):
            return self.deserialize(identifier)
        if callable(identifier):
            makes = isinstance(identifier, type) or (self._makes and self._has_function(identifier))
            return identifier() if makes else identifier
        raise ValueError(f"Could not interpret {self.kind} identifier: {identifier}")

    def _has_function(self, identifier: Any) -> bool:
        return isinstance(identifier, types.FunctionType) and identifier in self._objects.values()


LAYERS = Registry(
    "layer",
    "hornbeam.layers",
    "hornbeam.engine.sequential",
    "hornbeam.engine.formula",
    "hornbeam.layers.feature_space",
    "hornbeam.layers.kernelized",
    "hornbeam.premade",
    "hornbeam.sharpness_aware",
    "hornbeam.legacy.layers",
    "hornbeam.legacy.convnext",
    "hornbeam.legacy.tf_op_layers",
)
ACTIVATIONS = Registry("activation function", "hornbeam.activations")
INITIALIZERS = Registry("initializer", "hornbeam.initializers", makes=True)
REGULARIZERS = Registry("regularizer", "hornbeam.regularizers", makes=True, optional=True)
CONSTRAINTS = Registry("constraint", "hornbeam.constraints", makes=True, optional=True)
LOSSES = Registry("loss function", "hornbeam.losses", optional=True)
METRICS = Registry("metric function", "hornbeam.metrics")
OPTIMIZERS = Registry("optimizer", "hornbeam.optimizers", makes=True)
SCHEDULES = Registry("learning rate schedule", "hornbeam.optimizers.schedules", makes=True)


def public_objects(namespace: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """The classes and functions that a module or package defines under public names, to be registered.

    Imported modules and helpers are left out, so that a file cannot reach them. ``more`` adds names.
    """
    module = namespace["__name__"]
    return {
        name: value
        for name, value in namespace.items()
        if name in more
        or (
            not name.startswith("_")
            and isinstance(value, (type, types.FunctionType))
            and f"{value.__module__}.".startswith(f"{module}.")
            and name not in ("serialize", "deserialize", "get")
        )
    }
