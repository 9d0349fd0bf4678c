"""Weights in HDF5 files: a group per layer, and in it the weights by name, in the order of ``weight_names``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import backend as K
from ..engine.calling import weights_were_set
from ..settings import settings
from ..utils.messages import short_errors, warn_user
from ..version import KERAS_VERSION
from . import hdf5, keras_zip, zip_weights
from .legacy_weights import preprocess_weights_for_loading
from .snapshot import Snapshot
from .targets import fetched
from .weight_order import places_in_file, unique_names


def save_weights(model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None) -> None:
    """Write a model's weights to an HDF5 file, an open group of one, or a TensorFlow checkpoint.

    Raises:
        ValueError: an unknown format.
    """
    save_format = save_format or _format_of(filepath)
    if save_format in ("tf", "tensorflow"):
        from .checkpoints import save_weights as save_checkpoint

        save_checkpoint(model, filepath, overwrite)
        return
    if save_format not in ("h5", "hdf5", "keras"):
        raise ValueError(f"Unknown save_format {save_format!r}: it is 'h5' or 'tf'.")
    if hdf5.is_group(filepath):
        save_weights_to_hdf5_group(filepath, model.layers)
        return
    hdf5.write(filepath, overwrite, lambda file: save_weights_to_hdf5_group(file, model.layers))


def _format_of(filepath: Any) -> str:
    """What a name says: ``.ckpt`` in it is TensorFlow's. Without a suffix it is HDF5 in Keras 2.3.1, and a checkpoint in tf.keras."""
    if not isinstance(filepath, (str, os.PathLike)):
        return "h5"
    name = os.path.basename(os.fspath(filepath))
    is_checkpoint = ".ckpt" in name or (settings.dialect.checkpoints and not os.path.splitext(name)[1])
    return "tf" if is_checkpoint else "h5"


def save_weights_to_hdf5_group(group, layers, snapshot=None):
    """Write the weights of ``layers`` into an HDF5 group: the values of ``snapshot``, or those of one moment now."""
    if snapshot is None:
        snapshot = Snapshot(weight for layer in layers for weight in layer.weights)
    hdf5.save_attributes_to_hdf5_group(group, "layer_names", [layer.name.encode("utf8") for layer in layers])
    group.attrs["backend"] = K.backend().encode("utf8")
    group.attrs["keras_version"] = KERAS_VERSION.encode("utf8")
    for layer in sorted(layers, key=lambda layer: layer.name):  # "a" before "a/b", whose group would make that of "a"
        own = group.create_group(layer.name)
        weights = layer.weights
        names = unique_names([w.name for w in weights])
        hdf5.save_attributes_to_hdf5_group(own, "weight_names", [name.encode("utf8") for name in names])
        for name, value in zip(names, snapshot.of(weights)):
            own[name] = value


def load_weights(model: Any, filepath: Any, by_name=False, skip_mismatch=False, reshape=False) -> Any:
    """Load weights from a file of weights or of a whole model, or a checkpoint. On any error the model is as it was."""
    prefix = _checkpoint(filepath)
    if prefix is not None:
        if by_name or skip_mismatch or reshape:
            raise ValueError(
                f"{filepath!r} is a TensorFlow checkpoint, whose weights are matched by the structure of the model: by_name, "
                "skip_mismatch and reshape are for HDF5 files."
            )
        from .checkpoints import load_weights as load_checkpoint

        with short_errors():
            return load_checkpoint(model, prefix)
    if skip_mismatch and not by_name:
        raise ValueError("When calling model.load_weights, skip_mismatch can only be set to True when by_name is True.")
    if not model.built and not getattr(model, "inputs", None):
        raise ValueError(
            "Unable to load weights saved in HDF5 format into a model which has not created its variables yet. Call "
            "the model first, then load the weights."
        )
    with short_errors():
        _load_weights(model, fetched(filepath), by_name, skip_mismatch, reshape)
    return None


def _checkpoint(path: Any) -> str | None:
    """The prefix of the TensorFlow checkpoint that a path stands for, None if it stands for none."""
    if not isinstance(path, (str, os.PathLike)) or os.path.isfile(path):
        return None
    from .checkpoints import prefix_of

    return prefix_of(path)


def _load_weights(model: Any, filepath: Any, by_name: bool, skip_mismatch: bool, reshape: bool) -> None:
    if keras_zip.is_zip(filepath):
        _, filepath, _ = keras_zip.read(filepath)
    with hdf5.reading(filepath) as file:
        group = file
        if zip_weights.is_weights(file) and "layer_names" not in file.attrs and not by_name:
            zip_weights.load_weights(file, model)
            return
        if "layer_names" not in file.attrs and "layer_names0" not in file.attrs and "model_weights" in file:
            group = hdf5.subgroup(file, "model_weights")
        if by_name:
            load_weights_from_hdf5_group_by_name(group, model.layers, skip_mismatch=skip_mismatch, reshape=reshape)
        else:
            load_weights_from_hdf5_group(group, model.layers, reshape=reshape)


def load_weights_from_hdf5_group(f, layers, reshape=False):
    """Give ``layers`` the weights of a file, in order. Everything is read and checked before anything is set."""
    version, backend = _written_by(f)
    layers = [layer for layer in layers if layer.weights]
    names = [name for name in _layer_names(f) if _has_weights(f, name)]
    if len(names) != len(layers):
        raise ValueError(
            f"You are trying to load a weight file containing {len(names)} layers into a model with {len(layers)} "
            "layers."
        )
    pairs: list[tuple[Any, np.ndarray]] = []
    for k, (name, layer) in enumerate(zip(names, layers)):
        values = preprocess_weights_for_loading(layer, _read(f, name, layer), version, backend, reshape=reshape)
        if len(values) != len(layer.weights):
            raise ValueError(
                f'Layer #{k} (named "{layer.name}" in the current model) was found to correspond to layer {name} in '
                f"the save file. However the new layer {layer.name} expects {len(layer.weights)} weights, but the "
                f"saved weights have {len(values)} elements."
            )
        for weight, value in zip(layer.weights, values):
            if tuple(weight.shape) != value.shape:
                raise ValueError(
                    f'Layer #{k} (named "{layer.name}"), weight {weight.name} has shape {tuple(weight.shape)}, but '
                    f"the saved weight has shape {value.shape}."
                )
            pairs.append((weight, value))
    K.batch_set_value(pairs)
    weights_were_set(layers)


def load_weights_from_hdf5_group_by_name(f, layers, skip_mismatch=False, reshape=False):
    """Give layers the weights of the layers of the same name in a file; others keep theirs."""
    version, backend = _written_by(f)
    by_name: dict[str, list] = {}
    for layer in layers:
        if layer.name:
            by_name.setdefault(layer.name, []).append(layer)
    pairs: list[tuple[Any, np.ndarray]] = []
    for k, name in enumerate(_layer_names(f)):
        for layer in by_name.get(name, []):
            pairs += _pairs_by_name(f, k, name, layer, version, backend, skip_mismatch, reshape)
    if not by_name.keys() & set(_layer_names(f)):
        warn_user(
            "No weights were loaded: no layer of the model has a name that is in the file. The model's layers are "
            f"{_some(by_name)}, the file's {_some(_layer_names(f))}. Without by_name=True they are matched by order."
        )
    K.batch_set_value(pairs)
    weights_were_set(layers)


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _pairs_by_name(
    f: Any, k: int, name: str, layer: Any, version: str, backend: str | None, skip_mismatch: bool, reshape: bool
) -> list:
    """Weights and values for one layer; of a mismatch either an error or a warning, and the others all the same."""
    skipping = f"Skipping loading of weights for layer {layer.name} due to mismatch in"
    try:
        values = preprocess_weights_for_loading(layer, _read(f, name, layer), version, backend, reshape=reshape)
    except ValueError as error:
        if not skip_mismatch:
            raise
        warn_user(f"{skipping} layout: {error}")
        return []
    if len(values) != len(layer.weights):
        if not skip_mismatch:
            raise ValueError(
                f'Layer #{k} (named "{layer.name}") expects {len(layer.weights)} weight(s), but the saved weights have '
                f"{len(values)} element(s)."
            )
        warn_user(f"{skipping} number of weights ({len(layer.weights)} vs {len(values)}).")
        return []
    pairs = []
    for weight, value in zip(layer.weights, values):
        if tuple(weight.shape) == value.shape:
            pairs.append((weight, value))
        elif skip_mismatch:
            warn_user(f"{skipping} shape ({tuple(weight.shape)} vs {value.shape}).")
        else:
            raise ValueError(
                f'Layer #{k} (named "{layer.name}"), weight {weight.name} has shape {tuple(weight.shape)}, but the '
                f"saved weight has shape {value.shape}."
            )
    return pairs


def names_in_file(f: Any, layers: list) -> dict[Any, str]:
    """What a file calls the weights of ``layers``, where it has the same layers with as many weights."""
    layers = [layer for layer in layers if layer.weights]
    found = [name for name in _layer_names(f) if _has_weights(f, name)]
    named: dict[Any, str] = {}
    for layer, layer_name in zip(layers, found) if len(found) == len(layers) else ():
        group, names = hdf5.subgroup(f, layer_name), _weight_names(f, layer_name)
        if len(names) == len(layer.weights):
            places = places_in_file(names, [hdf5.dataset(group, name).shape for name in names], layer.weights)
            named.update(zip(layer.weights, (names[i] for i in places)))
    return named


def _written_by(f: Any) -> tuple[str, str | None]:
    """Version of Keras and backend that wrote a file; before they were stored it was Keras 1."""
    return hdf5.attribute(f, "keras_version") or "1", hdf5.attribute(f, "backend")


def _layer_names(f: Any) -> list[str]:
    if "nb_layers" in f.attrs and "layer_names" not in f.attrs:
        raise ValueError("The file was written by a Keras older than 1.0, whose layout is not supported.")
    names = hdf5.load_attributes_from_hdf5_group(f, "layer_names")
    if len(set(names)) != len(names):  # each would be read as often as it is named
        raise ValueError("The file is damaged: it names a layer twice.")
    return names


def _has_weights(f: Any, layer_name: str) -> bool:
    return hdf5.has_attributes_in_hdf5_group(hdf5.subgroup(f, layer_name), "weight_names")


def _weight_names(f: Any, layer_name: str) -> list[str]:
    return hdf5.load_attributes_from_hdf5_group(hdf5.subgroup(f, layer_name), "weight_names")


#: As many arrays as Keras 1 had for one of today's: each gate of an LSTM for itself.
_MOST_ARRAYS = 4


def _read(f: Any, layer_name: str, layer: Any) -> list[np.ndarray]:
    """The arrays of a layer. Their declared sizes are compared with the layer before memory is taken for them."""
    group, names = hdf5.subgroup(f, layer_name), _weight_names(f, layer_name)
    if len(names) > _MOST_ARRAYS * len(layer.weights):
        raise ValueError(
            f'Layer "{layer.name}" expects {len(layer.weights)} weight(s), but the saved weights of layer '
            f"{layer_name!r:.80} have {len(names)} element(s)."
        )
    found = [hdf5.dataset(group, name) for name in names]
    declared = sum(int(np.prod(item.shape, dtype=object)) for item in found)
    wanted = sum(int(np.prod(w.shape, dtype=object)) for w in layer.weights)
    if declared > 2 * wanted:  # old formats may have up to twice the biases
        raise ValueError(
            f'Layer "{layer.name}" has weights of shapes {[tuple(w.shape) for w in layer.weights]}, but layer '
            f"{layer_name} in the file has weights of shapes {[item.shape for item in found]}."
        )
    try:
        places = places_in_file(names, [item.shape for item in found], layer.weights)
        return [np.asarray(found[i][()]) for i in places]
    except OSError as error:
        raise OSError(f"The file is damaged: the weights of layer {layer_name} cannot be read: {error}") from error
