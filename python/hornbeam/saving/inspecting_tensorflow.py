"""What a SavedModel folder or a TensorFlow checkpoint holds, and what in it would keep it from loading, or is odd."""

from __future__ import annotations

import os
import re
from typing import Any

from .checkpoints import prefix_of
from .describing import describe_arrays, describe_model, describe_training, parsed, written_by
from .saved_model.encoding import decoded
from .saved_model.folder import METADATA, MODEL, VARIABLES, objects
from .tensor_bundle import TensorBundle
from .trackable.graph import GRAPH_KEY

#: Ops that reach out of a graph, or run Python, where TensorFlow runs it.
_REACHING = ("EagerPyFunc", "MatchingFiles", "PyFunc", "PyFuncStateless", "ReadFile", "WriteFile")


def inspect_path(path: str, suspicions: list[str]) -> list[str]:
    """Lines about a folder or a checkpoint's prefix.

    Raises:
        OSError, ValueError: it is neither, or so damaged that it cannot be read.
    """
    if os.path.isdir(path) and any(os.path.exists(os.path.join(path, name)) for name in (MODEL, METADATA)):
        return _inspect_folder(path, suspicions)
    prefix = prefix_of(path)
    if prefix is None:
        if os.path.isdir(path):
            raise FileNotFoundError(f"The folder {path!r} has neither a SavedModel nor a checkpoint.")
        raise FileNotFoundError(f"There is no file {path!r}, nor a checkpoint of that prefix.")
    folder, name = os.path.split(prefix)
    files = [file for file in os.listdir(folder or ".") if re.fullmatch(re.escape(name) + r"\.(index|data-.*)", file)]
    lines = [_size("checkpoint", prefix, [os.path.join(folder, file) for file in files])]
    bundle = TensorBundle(prefix)
    by_names = GRAPH_KEY not in bundle
    lines.append(
        f"kind              TensorFlow checkpoint, {'variables by their names' if by_names else 'with objects'}"
    )
    _describe_tensors(bundle, lines)
    return lines


def _size(what: str, path: str, files: list[str]) -> str:
    return f"{what:<17} {path} ({sum(os.path.getsize(file) for file in files):,} bytes in {len(files)} files)"


def _inspect_folder(path: str, suspicions: list[str]) -> list[str]:
    files = [os.path.join(folder, file) for folder, _, names in os.walk(path) for file in names]
    lines = [_size("folder", path, files), "kind              SavedModel folder"]
    identifier, metadata = objects(path).get(0, ("", ""))
    root = parsed(metadata or None, METADATA, suspicions)
    if not identifier.startswith("_tf_keras_") or not isinstance(root, dict):
        suspicions.append("the folder has no model of Keras, but functions of TensorFlow, which are never run")
    else:
        _describe_root(root, lines, suspicions)
    with open(os.path.join(path, MODEL), "rb") as file:
        stored = file.read()
    suspicions += [
        f"its functions, which are never run here, have the op {op}, which reaches files or Python where TensorFlow runs them"
        for op in _REACHING
        if b"\x12" + bytes([len(op)]) + op.encode() in stored
    ]
    _describe_tensors(TensorBundle(os.path.join(path, VARIABLES)), lines)
    return lines


def _describe_root(root: dict[str, Any], lines: list[str], suspicions: list[str]) -> None:
    written_by(root.get("keras_version"), root.get("backend"), lines)
    config = root.get("config")
    if not isinstance(config, dict) or "layer was saved without config" in config:
        suspicions.append(
            f"the model is of the class {root.get('class_name')!r:.80}, whose config the folder lacks: make an object of "
            "the class and use its load_weights"
        )
        return
    try:
        describe_model(decoded({"class_name": root.get("class_name"), "config": config}), lines, suspicions)
    except ValueError as error:
        suspicions.append(str(error))
    describe_training(root.get("training_config"), lines)


def _describe_tensors(bundle: TensorBundle, lines: list[str]) -> None:
    weights: list[tuple[str, Any, Any]] = []
    extra: set[str] = set()
    for name in bundle.names:
        if "/.OPTIMIZER_SLOT/" in name or name.startswith("optimizer/"):
            extra.add("the optimizer's state")
        elif name != GRAPH_KEY and not name.startswith("keras_api/"):
            short = name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
            weights.append((short, bundle.shape(name), bundle.dtype(name)))
    describe_arrays(weights, extra, lines)
