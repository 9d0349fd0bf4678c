"""From a file's description of the training and the state of its optimizer to a model that goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import losses, metrics, optimizers
from ..utils.generic_utils import get_custom_objects
from ..utils.messages import warn_user
from .migrate import migrate_training


def compile_model(model: Any, description: dict | None, custom_objects: dict | None, version: str | None) -> bool:
    """Compile as the file says; False, with a warning, where it says nothing."""
    if not description:
        warn_user("No training configuration found in save file: the model was *not* compiled. Compile it manually.")
        return False
    custom = {**get_custom_objects(), **(custom_objects or {})}
    training = migrate_training(description, version, custom)
    model.compile(
        optimizer=optimizers.deserialize(training["optimizer_config"], custom_objects=custom_objects),
        loss=_objects(training["loss"], custom, losses.deserialize),
        metrics=_objects(training["metrics"], custom, _metric),
        weighted_metrics=_objects(training["weighted_metrics"], custom, _metric),
        sample_weight_mode=training["sample_weight_mode"],
        loss_weights=training["loss_weights"],
    )
    return True


def _metric(config: dict, custom_objects: dict) -> Any:
    if config["class_name"] == "MeanMetricWrapper":  # a function, stored by its name
        inner = config["config"]
        return metrics.MeanMetricWrapper(
            metrics.deserialize(inner["fn"], custom_objects=custom_objects), name=inner.get("name")
        )
    return metrics.deserialize(config, custom_objects=custom_objects)


def _objects(item: Any, custom: dict, deserialize: Callable) -> Any:
    """Make objects of the configs in a training config, and put the caller's own functions where it names them."""
    if isinstance(item, list):
        return [_objects(part, custom, deserialize) for part in item]
    if isinstance(item, dict):
        if "class_name" in item and "config" in item:
            return deserialize(item, custom_objects=custom)
        return {key: _objects(part, custom, deserialize) for key, part in item.items()}
    return custom.get(item, item) if isinstance(item, str) else item


def set_optimizer(model: Any, read: Callable[[], list]) -> None:
    """Give the optimizer its state; what does not fit it is left out with a warning, as Keras did."""
    model._make_train_function()  # the optimizer makes its slots
    arrays = read()
    try:
        model.optimizer.set_weights(arrays)
    except ValueError:
        warn_user(
            "Error in loading the saved optimizer state. As a result, your model is starting with a freshly "
            "initialized optimizer."
        )
