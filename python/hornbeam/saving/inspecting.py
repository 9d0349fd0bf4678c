"""What a model file holds, read without making a model of it, and what in it would keep it from loading, or is odd."""

from __future__ import annotations

import math
import os
from typing import Any

from ..utils.messages import shortened
from ..utils.registry import LAYERS
from . import hdf5, keras_zip
from .configs import lambda_layers
from .keras3 import as_tf_keras, is_keras_3
from .migrate import users_class
from .text import parse_json


def inspect_file(path: str) -> tuple[list[str], list[str]]:
    """Describe a model or weights file.

    Returns:
        Lines for people, and what is suspicious: an empty list means that nothing is.

    Raises:
        OSError, ValueError: there is no such file, or it is neither HDF5 nor a zip, or so damaged that it cannot be read.
    """
    lines = [f"file              {path} ({os.path.getsize(path):,} bytes)"]
    suspicions: list[str] = []
    with hdf5.as_damage(path):
        if keras_zip.is_zip(path):
            _inspect_zip(path, lines, suspicions)
        else:
            _inspect_hdf5(path, lines, suspicions)
    return [shortened(line, _WIDTH) for line in lines], [shortened(suspicion, _WIDTH) for suspicion in suspicions]


_WIDTH = 400  # of a line, whatever names a file has


_MEMBERS = 100  # that are listed one by one


def _inspect_hdf5(path: str, lines: list[str], suspicions: list[str]) -> None:
    with hdf5.opened(path) as file:
        found = hdf5.problems(file)
        suspicions += found
        root = file["model_weights"] if not found and "model_weights" in file else file
        description, training = (_text(file, name, suspicions) for name in ("model_config", "training_config"))
        kind = "whole model, HDF5" if description is not None else "weights alone, HDF5"
        lines.append(f"kind              {kind}")
        _written_by(_text(file, "keras_version", suspicions) or _text(root, "keras_version", suspicions),
                    _text(root, "backend", suspicions), lines)  # fmt: skip
        config = _parsed(description, "model_config", suspicions)
        if config is not None:
            _describe_model(config, lines, suspicions)
        _describe_training(_parsed(training, "training_config", suspicions), lines)
        if not found:  # only then names in the file are followed
            _describe_weights(file, lines)


def _inspect_zip(path: str, lines: list[str], suspicions: list[str]) -> None:
    with keras_zip.opened(path) as archive:
        names = archive.namelist()
    lines.append("kind              whole model, .keras (zip)")
    known = {"metadata.json", "config.json", "model.weights.h5"}
    unknown = [name for name in names if name not in known]
    suspicions += [f"the zip has a member {shortened(name)!r}, which is never read" for name in unknown[:_MEMBERS]]
    if len(unknown) > _MEMBERS:
        suspicions.append(f"the zip has {len(unknown) - _MEMBERS} further members, which are never read")
    try:
        description, weights, version = keras_zip.read(path)
    except ValueError as error:
        suspicions.append(str(error))
        return
    _written_by(version, None, lines)
    config = _parsed(description, "config.json", suspicions)
    if isinstance(config, dict):
        _describe_model(config, lines, suspicions)
        _describe_training(config.get("compile_config"), lines)
    with hdf5.opened(weights) as file:
        found = hdf5.problems(file)
        suspicions += found
        if not found:
            _describe_weights(file, lines)


def _text(group: Any, name: str, suspicions: list[str]) -> str | None:
    try:
        return hdf5.attribute(group, name)
    except (ValueError, OSError, TypeError) as error:
        suspicions.append(f"the attribute {name!r} cannot be read: {error}")
        return None


def _parsed(text: str | None, what: str, suspicions: list[str]) -> Any:
    if text is None:
        return None
    try:
        return parse_json(text)
    except ValueError as error:
        suspicions.append(f"{what} is not valid JSON: {error}")
        return None


def _written_by(version: str | None, backend: str | None, lines: list[str]) -> None:
    version = str(version) if version else "not stated (Keras 1, if Keras at all)"
    lines.append(f"Keras version     {version}" + (f", backend {backend}" if backend else ""))


def _describe_model(config: Any, lines: list[str], suspicions: list[str]) -> None:
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


def _describe_training(training: Any, lines: list[str]) -> None:
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


def _describe_weights(file: Any, lines: list[str]) -> None:
    weights: list[tuple[str, Any]] = []
    extra: set[str] = set()

    def note(name: str, item: Any) -> None:
        top = name.split("/")[0]
        if hdf5.is_dataset(item):
            if top in ("optimizer_weights", "optimizer", "metrics") or top.startswith("hornbeam_"):
                extra.add({"hornbeam_sample": "a sample for verify=True"}.get(top, "the optimizer's state"))
            else:
                weights.append((name.removeprefix("model_weights/"), item))

    file.visititems(note)
    total = sum(math.prod(item.shape or (0,)) for _, item in weights)
    lines.append(
        f"weights           {len(weights)} arrays, {total:,} numbers"
        + (f"; {', '.join(sorted(extra))}" if extra else "")
    )
    lines += [f"  {name:<60} {item.shape} {item.dtype}" for name, item in weights]
