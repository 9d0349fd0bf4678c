"""Optimizers: from a loss and parameters to updates.

They are written on the backend alone, so that users can write their own the same way. In one step everything reads the
values from before it: ``iterations`` counts from 0, and the step's number is ``iterations + 1``.
"""

from __future__ import annotations

from typing import Any

from ..utils.generic_utils import get_custom_objects, serialize_keras_object
from ..utils.registry import OPTIMIZERS, public_objects
from . import experimental, legacy, schedules
from .base import Optimizer, clip_norm
from .classic import SGD, Adadelta, Adagrad, Adam, Adamax, Nadam, RMSprop, TFOptimizer
from .later import Adafactor, AdamW, Ftrl, Lion
from .loss_scale import LossScaleOptimizer

sgd = SGD
rmsprop = RMSprop
adagrad = Adagrad
adadelta = Adadelta
adam = Adam
adamax = Adamax
nadam = Nadam


def serialize(optimizer: Any, use_legacy_format: bool = False) -> Any:
    """The config of an optimizer."""
    return serialize_keras_object(optimizer)


def deserialize(
    config: dict,
    custom_objects: dict | None = None,
    use_legacy_format: bool = False,
    use_legacy_optimizer: bool = False,
) -> Any:
    """The optimizer of a config.

    Args:
        use_legacy_optimizer: whether a name means that of ``optimizers.legacy``.

    Raises:
        ValueError: an unknown class.
    """
    if use_legacy_optimizer:
        old = {kind.lower(): vars(legacy)[kind] for kind in legacy.__all__}
        custom_objects = {**old, **(custom_objects or {})}
    name, custom = config.get("class_name"), {**get_custom_objects(), **(custom_objects or {})}
    if isinstance(name, str) and name.lower() in OPTIMIZERS and name not in custom:
        config["class_name"] = config["class_name"].lower()  # in place, which comparisons of configs count on
    return OPTIMIZERS.deserialize(config, custom_objects)


def get(identifier: Any, use_legacy_optimizer: bool = False) -> Any:
    """An optimizer from its name (in any case), config, or itself; one of TensorFlow 1's form is adapted.

    Args:
        use_legacy_optimizer: whether a name means that of ``optimizers.legacy``.

    Raises:
        ValueError: anything else.
    """
    if isinstance(identifier, dict):
        return deserialize(identifier, use_legacy_optimizer=use_legacy_optimizer)
    if isinstance(identifier, str):
        return deserialize({"class_name": identifier, "config": {}}, use_legacy_optimizer=use_legacy_optimizer)
    if isinstance(identifier, Optimizer):
        return identifier
    if hasattr(identifier, "compute_gradients") and hasattr(identifier, "apply_gradients"):
        return TFOptimizer(identifier)
    raise ValueError(f"Could not interpret optimizer identifier: {identifier}")


OPTIMIZERS.register(
    {
        **public_objects(globals()),
        "adafactor": Adafactor,
        "adamw": AdamW,
        "ftrl": Ftrl,
        "lion": Lion,
        "lossscaleoptimizer": LossScaleOptimizer,
    }
)
