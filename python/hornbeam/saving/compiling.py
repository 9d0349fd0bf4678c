"""From a file's description of the training and the state of its optimizer to a model that goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import losses, metrics, optimizers
from ..utils.generic_utils import get_custom_objects
from ..utils.messages import warn_user
from ..utils.overriding import defines
from .migrate import migrate_training
from .optimizer_state import from_later, has_zip_state, innermost, read_zip_state, stored_zip_state


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
    """Give the optimizer its state; what does not fit it is left out with a warning, as Keras did.

    Args:
        read: gives the arrays in the order of the optimizer's weights, once it has them.
    """
    model._make_train_function()  # the optimizer makes its slots
    _set(model.optimizer, read())


def restore_optimizer(file: Any, model: Any) -> None:
    """Give the optimizer of a compiled model the state that a ``.keras`` file has for it, if it has any."""
    if not has_zip_state(file):
        return
    if not model._is_compiled or defines(innermost(model.optimizer), "load_own_variables"):
        _load_own_optimizer(model, stored_zip_state(file))
    else:
        set_optimizer(model, lambda: read_zip_state(file, model))


def _load_own_optimizer(model: Any, store: dict) -> None:
    """As :func:`set_optimizer`, of a class that loads its state in its own way, or of a model that trains by steps.

    The latter's optimizer makes its slots with the first step.
    """
    optimizer = innermost(model.optimizer)

    def load() -> None:
        if defines(optimizer, "load_own_variables"):
            optimizer.load_own_variables(store)
        else:
            arrays = [store[str(i)] for i in range(len(store)) if str(i) in store]
            _set(optimizer, from_later(optimizer, arrays, len(model.trainable_weights)))

    if model._is_compiled:
        model._make_train_function()
        load()
    else:
        optimizer._when_made = load


def _set(optimizer: Any, arrays: list) -> None:
    try:
        optimizer.set_weights(arrays)
    except ValueError:
        warn_user(
            "Error in loading the saved optimizer state. As a result, your model is starting with a freshly "
            "initialized optimizer."
        )
