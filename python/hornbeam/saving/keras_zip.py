"""``.keras`` files of later Keras 2: a zip with the config as JSON and the weights as HDF5, by position in the model."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Any

import numpy as np

from .. import backend as K
from . import hdf5

_MAX_EXPANSION = 100  # members are stored as they are; anything that grows more than this is no model
_MAX_CONFIG = 1 << 26


def is_zip(source: Any) -> bool:
    """Whether a path or a stream begins as a zip does (names do not tell: some ``.keras`` files are HDF5)."""
    if hasattr(source, "read"):
        start = source.read(4)
        source.seek(-len(start), 1)
        return start == b"PK\x03\x04"
    try:
        with open(source, "rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except (OSError, TypeError):
        return False


def members(path: Any) -> tuple[str, Any]:
    """The text of ``config.json`` and the bytes of ``model.weights.h5``.

    Raises:
        OSError: the file is damaged.
        ValueError: it holds no model.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("config.json", "model.weights.h5"):
                if name not in archive.namelist():
                    raise ValueError(f"{str(path)!r} holds no Keras model: it has no {name}.")
                info = archive.getinfo(name)
                limit = max(1 << 20, _MAX_EXPANSION * info.compress_size)
                if info.file_size > (min(limit, _MAX_CONFIG) if name == "config.json" else limit):
                    raise ValueError(f"{str(path)!r}: {name} would take {info.file_size} bytes; no model does that.")
            return archive.read("config.json").decode("utf-8"), io.BytesIO(archive.read("model.weights.h5"))
    except (zipfile.BadZipFile, EOFError, UnicodeDecodeError, RuntimeError, NotImplementedError, zlib.error) as error:
        raise OSError(f"Unable to read {str(path)!r}: the file is damaged: {error}") from error


def load_weights(file: Any, model: Any) -> None:
    """Give a model the weights of ``model.weights.h5``. Everything is checked before anything is set."""
    pairs: list[tuple[Any, Any]] = []
    _container(file, model.layers, pairs)
    given = {id(weight) for weight, _ in pairs}
    lacking = [weight.name for weight in model.weights if id(weight) not in given]
    if lacking:
        raise ValueError(f"The file has no values for the weights {lacking}.")
    K.batch_set_value([(weight, np.asarray(item[()])) for weight, item in pairs])


def _container(group: Any, layers: list, pairs: list) -> None:
    """Layers go by the snake-case names of their classes, numbered; up to 2.13 each was counted twice."""
    for key, step in (("layers", 1), ("_layer_checkpoint_dependencies", 2)):
        if key in group:
            counts: dict[str, int] = {}
            for layer in layers:
                base = _snake(_class_name(layer))
                number = counts.get(base, 0)
                counts[base] = number + step
                name = f"{base}_{number}" if number else base
                if name in group[key]:
                    _layer(group[key][name], layer, pairs)
            return


def _class_name(layer: Any) -> str:
    return "Functional" if type(layer).__name__ == "Model" else type(layer).__name__


def _snake(name: str) -> str:
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _layer(group: Any, layer: Any, pairs: list) -> None:
    if getattr(layer, "_is_graph_network", False):
        _container(group, layer.layers, pairs)
        return
    inner = [name for name in ("forward_layer", "backward_layer", "layer", "cell") if name in group]
    for name in inner:
        _layer(group[name], getattr(layer, name), pairs)
    if "cells" in group:
        _cells(group["cells"], layer.cells, pairs)
    if "vars" in group and len(group["vars"]):
        weights = layer._trainable_weights + layer._non_trainable_weights
        if len(weights) != len(group["vars"]):
            raise ValueError(f"Layer {layer.name} has {len(weights)} weights, but {len(group['vars'])} in the file.")
        for i, weight in enumerate(weights):
            item = hdf5.dataset(group["vars"], str(i))
            if item.shape != tuple(weight.shape):
                raise ValueError(
                    f"Layer {layer.name}: weight {weight.name} has shape {tuple(weight.shape)}, but {item.shape} in "
                    "the file."
                )
            pairs.append((weight, item))


def _cells(group: Any, cells: list, pairs: list) -> None:
    counts: dict[str, int] = {}
    for cell in cells:
        base = _snake(type(cell).__name__)
        number = counts.get(base, 0)
        counts[base] = number + 1
        name = f"{base}_{number}" if number else base
        if name in group:
            _layer(group[name], cell, pairs)
