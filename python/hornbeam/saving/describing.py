"""Lines for people about what a file says of a model, and what in it is suspicious."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..utils.messages import shortened
from ..utils.registry import LAYERS
from .configs import lambda_layers
from .keras3 import as_tf_keras, is_keras_3
from .migrate import users_class
from .text import parse_json


def parsed(text: str | None, what: str, suspicions: list[str]) -> Any:
    if text is None:
        return None
    try:
        return parse_json(text)
    except ValueError as error:
        suspicions.append(f"{what} is not valid JSON: {error}")
        return None


def written_by(version: str | None, backend: str | None, lines: list[str]) -> None:
    version = str(version) if version else "not stated (Keras 1, if Keras at all)"
    lines.append(f"Keras version     {version}" + (f", backend {backend}" if backend else ""))


def describe_model(config: Any, lines: list[str], suspicions: list[str]) -> None:
    suspicions += sorted(set(_foreign_modules(config)))
    if is_keras_3(config):
        try:
            config = as_tf_keras(config)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            suspicions.append(f"the model's description cannot be read as one of Keras 3: {error}")
    layers = list(_layers(config, ""))
    if not layers:
        suspicions.append("the model's description has no layers")
    inner = config.get("config") if isinstance(config, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else None
    lines += [f"model             {_field(config, 'class_name')}" + (f' "{name}"' if name else ""),
              f"layers            {len(layers)}"]  # fmt: skip
    for path, item, config_of_layer in layers:
        kind = _field(item, "class_name")
        shape = config_of_layer.get("batch_input_shape")
        lines.append(f"  {path:<36} {kind}" + (f"  input {shape}" if shape else ""))
        needs = _lacking_op(kind, config_of_layer)
        if needs:
            suspicions.append(f"layer {path}: needs TensorFlow's {needs}, which Hornbeam does not have")
        if (users_class(item) or kind) not in LAYERS:
            suspicions.append(f"layer {path}: class {kind} is not Keras's; it needs custom_objects={{'{kind}': ...}}")
    for lambda_layer in lambda_layers(config):
        if "lambda" in (lambda_layer.get("function_type"), lambda_layer.get("output_shape_type")):
            suspicions.append(
                f"layer {lambda_layer.get('name')}: a Lambda with Python bytecode, which is not run; give the function as "
                f"lambdas={{'{lambda_layer.get('name')}': ...}}"
            )


def _layers(config: Any, prefix: str) -> Any:
    """(path, description, config) of all layers, through nested models."""
    inner = config.get("config") if isinstance(config, dict) else None
    items = inner.get("layers") if isinstance(inner, dict) else inner
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and isinstance(item.get("config"), (dict, list)):
            own = item["config"] if isinstance(item["config"], dict) else {}
            path = f"{prefix}{shortened(item.get('name') or own.get('name'))}"
            yield path, item, own
            if item.get("class_name") in ("Model", "Functional", "Sequential"):
                yield from _layers(item, f"{path}/")


def _field(item: Any, name: str) -> str:
    return shortened(item.get(name) if isinstance(item, dict) else None, 60)


def _lacking_op(kind: str, config: dict) -> str | None:
    """The name of the function that an op layer needs, if there is none of that name."""
    from ..legacy.tf_ops import NODES
    from ..tf import find

    if kind in ("TFOpLambda", "SlicingOpLambda") and find(config.get("function")) is None:
        return _field(config, "function")
    if kind == "TensorFlowOpLayer" and _field(config.get("node_def"), "op") not in NODES:
        return _field(config.get("node_def"), "op")
    return None


def _foreign_modules(config: Any) -> Any:
    """Objects that say they come from a module that is not Keras's. Hornbeam never imports by such a name."""
    if isinstance(config, list):
        for part in config:
            yield from _foreign_modules(part)
    if isinstance(config, dict):
        module = config.get("module")
        if (
            "class_name" in config
            and isinstance(module, str)
            and module.split(".")[0] not in ("keras", "tf_keras", "builtins")
        ):
            yield f"{_field(config, 'class_name')} claims to come from the module {module[:60]!r}, which is not imported"
        for part in config.values():
            yield from _foreign_modules(part)


def describe_training(training: Any, lines: list[str]) -> None:
    if not isinstance(training, dict):
        lines.append("training          not compiled")
        return
    optimizer = training.get("optimizer_config", training.get("optimizer"))
    of = optimizer.get("config", {}) if isinstance(optimizer, dict) else {}
    rate = of.get("learning_rate", of.get("lr")) if isinstance(of, dict) else None
    name = optimizer.get("class_name") if isinstance(optimizer, dict) else optimizer
    if isinstance(rate, float):
        rate = f"{rate:.6g}"  # it was float32
    lines.append(f"training          optimizer {name}" + ("" if rate is None else f", learning rate {rate}"))
    for key in ("loss", "metrics", "weighted_metrics", "loss_weights"):
        if training.get(key):
            lines.append(f"                  {key} {str(training[key])[:200]}")


def describe_arrays(weights: list[tuple[str, Any, Any]], extra: Iterable[str], lines: list[str]) -> None:
    """Lines about arrays, each given by name, shape and dtype, and about what there is beside."""
    total = sum(0 if shape is None else math.prod(shape) for _, shape, _ in weights)
    beside = f"; {', '.join(sorted(extra))}" if extra else ""
    lines.append(f"weights           {len(weights)} arrays, {total:,} numbers{beside}")
    lines += [f"  {name:<60} {shape} {dtype}" for name, shape, dtype in weights]
