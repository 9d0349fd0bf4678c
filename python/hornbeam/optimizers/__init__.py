"""Optimizers: from a loss and parameters to updates.

They are written on the backend alone, so that users can write their own the same way. In one step everything reads the
values from before it: ``iterations`` counts from 0, and the step's number is ``iterations + 1``.
"""

from __future__ import annotations

from typing import Any

from ..utils.generic_utils import get_custom_objects, serialize_keras_object
from ..utils.registry import OPTIMIZERS, public_objects
from . import legacy, schedules
from .base import Optimizer, clip_norm
from .classic import SGD, Adadelta, Adagrad, Adam, Adamax, Nadam, RMSprop, TFOptimizer
from .later import AdamW, Ftrl, Lion

sgd = SGD
rmsprop = RMSprop
adagrad = Adagrad
adadelta = Adadelta
adam = Adam
adamax = Adamax
nadam = Nadam


def serialize(optimizer: Any) -> Any:
    """The config of an optimizer."""
    return serialize_keras_object(optimizer)


def deserialize(config: dict, custom_objects: dict | None = None) -> Any:
    """The optimizer of a config.

    Raises:
        ValueError: an unknown class.
    """
    name, custom = config.get("class_name"), {**get_custom_objects(), **(custom_objects or {})}
    if isinstance(name, str) and name.lower() in OPTIMIZERS and name not in custom:
        config["class_name"] = config["class_name"].lower()  # in place, which comparisons of configs count on
    return OPTIMIZERS.deserialize(config, custom_objects)


def get(identifier: Any) -> Any:
    """An optimizer from its name (in any case), config, or itself; one of TensorFlow 1's form is adapted.

    Raises:
        ValueError: anything else.
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return deserialize({"class_name": identifier, "config": {}})
    if isinstance(identifier, Optimizer):
        return identifier
    if hasattr(identifier, "compute_gradients") and hasattr(identifier, "apply_gradients"):
        return TFOptimizer(identifier)
    raise ValueError(f"Could not interpret optimizer identifier: {identifier}")


OPTIMIZERS.register({**public_objects(globals()), "adamw": AdamW, "ftrl": Ftrl, "lion": Lion})
