"""What ``config.json`` in a ``.keras`` file says: a model's config with the origin of each class, and how it was compiled."""

from __future__ import annotations

from typing import Any

from .. import layers
from ..utils.generic_utils import get_registered_name

#: What Hornbeam's optimizers do in the words of the optimizers of Keras 2.11 and later.
_OPTIMIZER_FIXED = {
    "weight_decay": None, "clipnorm": None, "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None,
    "jit_compile": False, "is_legacy_optimizer": False,
}  # fmt: skip
_OPTIMIZER_MORE: dict[str, dict] = {
    "RMSprop": {"momentum": 0.0, "centered": False}, "Adagrad": {"initial_accumulator_value": 0.0}
}  # fmt: skip
_OPTIMIZER_UNKNOWN = ("epsilon_under_root", "schedule_decay", "decay", "lr", "clip_each")


def model_config(description: dict, compile_config: dict | None, model: Any) -> dict:
    """The contents of ``config.json`` for a model's class and config."""
    return {**_with_origins(description, _users_classes(model)), "compile_config": compile_config}


def _users_classes(model: Any) -> set[str]:
    """The names of classes in a model that are not the library's, though a layer of the library may have such a name."""
    found, waiting = set(), [model]
    while waiting:
        layer = waiting.pop()
        waiting += getattr(layer, "layers", layer._sublayers)
        if not type(layer).__module__.startswith("hornbeam."):
            found.add(get_registered_name(type(layer)))
    return found


def _with_origins(item: Any, users: set[str]) -> Any:
    """A copy in which layers and models say where their class is to be found, which is all that readers go by."""
    if isinstance(item, (list, tuple)):
        return [_with_origins(part, users) for part in item]
    if not isinstance(item, dict):
        return item
    item = {key: _with_origins(value, users) for key, value in item.items()}
    name = item.get("class_name")
    if "config" in item and isinstance(name, str):
        if name in users:
            return {"module": None, "registered_name": name, **item, "class_name": name.rpartition(">")[2]}
        if name in ("Model", "Sequential"):
            return {"module": "keras", "registered_name": None, **item}
        of_a_layer = isinstance(item["config"], dict) and "name" in item["config"]
        if of_a_layer and name in layers.__all__:  # an initializer may be called Identity, too
            return {"module": "keras.layers", "registered_name": None, **item}
    return item


def compile_config(training: dict) -> dict:
    """The training config of an HDF5 file (as plain data), as later Keras passes it to ``compile``."""
    return {
        "optimizer": _optimizer(training["optimizer_config"]),
        "loss": _with_module(training["loss"], "keras.losses"),
        "metrics": _with_module(training["metrics"], "keras.metrics"),
        "weighted_metrics": _with_module(training["weighted_metrics"], "keras.metrics"),
        "loss_weights": training["loss_weights"],
        "run_eagerly": None,
        "steps_per_execution": None,
        "jit_compile": None,
    }


def _with_module(item: Any, module: str) -> Any:
    if isinstance(item, list):
        return [_with_module(part, module) for part in item]
    if not isinstance(item, dict):
        return item
    if "class_name" in item and "config" in item:
        return {"module": module, "registered_name": None, **item}
    return {key: _with_module(part, module) for key, part in item.items()}


def _optimizer(item: dict) -> dict:
    name, config = item["class_name"], dict(item["config"])
    rate: Any = config.pop("learning_rate", config.get("lr"))
    if config.get("decay"):  # the rate in step t is rate / (1 + decay * t)
        schedule = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": config["decay"], "staircase": False}
        rate = {"module": "keras.optimizers.schedules", "class_name": "InverseTimeDecay", "registered_name": None,
                "config": {**schedule, "name": None}}  # fmt: skip
    elif isinstance(rate, dict):
        rate = {"module": "keras.optimizers.schedules", "registered_name": None, **rate}
    # Keras 2.3.1 limits the norm of all gradients together.
    limit = {} if config.get("clip_each") else {"global_clipnorm": config.pop("clipnorm", None)}
    config = {key: value for key, value in config.items() if key not in _OPTIMIZER_UNKNOWN}
    config = {"name": name, "learning_rate": rate, **_OPTIMIZER_FIXED, "global_clipnorm": None, "clipvalue": None,
              **_OPTIMIZER_MORE.get(name, {}), **limit, **config}  # fmt: skip
    return {"module": "keras.optimizers", "class_name": name, "config": config, "registered_name": None}
