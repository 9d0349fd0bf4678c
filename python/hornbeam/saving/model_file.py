"""Whole models in HDF5 and ``.keras`` files: architecture, weights, and the state of training."""

from __future__ import annotations

import copy
import errno
import io
import json
import os
from typing import Any

from .. import backend as K
from ..utils.generic_utils import CustomObjectScope, allow_code_loading, get_registered_name
from ..utils.messages import short_errors, warn_user
from ..utils.overriding import defines
from ..version import KERAS_VERSION
from . import hdf5, keras_zip, zip_assets, zip_config, zip_weights
from .compiling import compile_model, restore_optimizer, set_optimizer
from .configs import build, model_from_config
from .optimizer_state import read_state, write_zip_state
from .sample import check_sample, save_sample
from .snapshot import Snapshot
from .state import load_state, save_state
from .targets import fetched
from .text import get_json_type, model_description, parse_json, parse_model
from .weight_order import unique_names
from .weights import load_weights_from_hdf5_group, names_in_file, save_weights_to_hdf5_group


def save_model(model, filepath, overwrite=True, include_optimizer=True, save_format=None, sample=None):
    """Save a model to a file, from which :func:`load_model` makes an equal one.

    A file on a disk is written beside ``filepath`` and renamed: a save that is cut off leaves the old file whole.

    Args:
        model: the model.
        filepath: path, address (``gs://...``, through fsspec), binary file, or an open ``h5py.File`` or ``h5py.Group``.
        overwrite: whether to replace an existing file without asking.
        include_optimizer: whether the optimizer's state is saved too.
        save_format: ``'h5'``, or ``'keras'`` for the zip of later Keras; the latter by default if the name ends so.
        sample: inputs, as for ``predict``: stored with the outputs, for ``load_model(..., verify=True)``.

    Raises:
        ValueError: an unknown format, or a group that is not empty.
    """
    save_format = save_format or _format_of(filepath)
    if isinstance(filepath, str) and filepath.endswith("/"):
        raise IsADirectoryError(
            errno.EISDIR,
            "Models are saved to files ('model.keras'); SavedModel folders are read, not written",
            filepath,
        )
    if save_format == "keras":
        _save_zip(model, filepath, overwrite, include_optimizer, sample)
        return
    if save_format != "h5":
        remedy = " SavedModel folders are read, not written." if save_format == "tf" else ""
        raise ValueError(f"Unknown save_format {save_format!r}: it is 'h5' or 'keras'.{remedy}")

    def fill(file: Any) -> None:
        _write(model, file, include_optimizer, sample)

    if hdf5.is_group(filepath):
        if len(filepath) or len(filepath.attrs):
            raise ValueError(f"The HDF5 group {filepath.name!r} to save the model in is not empty.")
        fill(filepath)
    else:
        hdf5.write(filepath, overwrite, fill)


def _format_of(filepath: Any) -> str:
    return "keras" if isinstance(filepath, (str, os.PathLike)) and str(filepath).endswith(".keras") else "h5"


def _write(model: Any, file: Any, include_optimizer: bool, sample: Any) -> None:
    if not model._is_graph_network:
        raise NotImplementedError(
            f"The class {type(model).__name__} of the model {model.name} has its own `call`, and cannot be saved whole in HDF5 "
            "files: save it as 'name.keras', or use `save_weights`."
        )
    with model._lock:
        description = model_description(model)
        weights = [weight for layer in model.layers for weight in layer.weights]
        snapshot, training, slots = take(model, weights, include_optimizer)
    file.attrs["keras_version"] = KERAS_VERSION.encode("utf8")
    file.attrs["backend"] = K.backend().encode("utf8")
    config = {"class_name": description["class_name"], "config": description["config"]}
    file.attrs["model_config"] = json.dumps(config, default=get_json_type).encode("utf8")
    save_weights_to_hdf5_group(file.create_group("model_weights"), model.layers, snapshot)
    if training is not None:
        file.attrs["training_config"] = json.dumps(training).encode("utf8")
        if slots:
            group = file.create_group("optimizer_weights")
            names = unique_names([w.name for w in slots])
            hdf5.save_attributes_to_hdf5_group(group, "weight_names", [name.encode("utf8") for name in names])
            for name, value in zip(names, snapshot.of(slots)):
                group[name] = value
        save_state(file, model, snapshot.runs)
    if sample is not None:
        save_sample(file, model, sample, snapshot)


def _save_zip(model: Any, filepath: Any, overwrite: bool, include_optimizer: bool, sample: Any) -> None:
    with model._lock:
        description = model_description(model)
        snapshot, training, slots = take(model, zip_weights.all_weights(model), include_optimizer)
    config = {"class_name": description["class_name"], "config": description["config"]}
    if not model._is_graph_network or defines(model, "get_build_config"):
        config["build_config"] = model.get_build_config()
    config = json.loads(json.dumps(config, default=get_json_type))
    buffer = io.BytesIO()
    with hdf5.new(buffer) as file:
        zip_weights.save_weights(file, model, snapshot)
        if training is not None:
            write_zip_state(file, model, slots, snapshot)
            file.attrs[_TRAINING] = json.dumps(training)  # what later Keras has no words for is kept here
            save_state(file, model, snapshot.runs)
        if sample is not None:
            save_sample(file, model, sample, snapshot)
    compiled = None if training is None else zip_config.compile_config(training)
    if include_optimizer and hasattr(model, "compile") and defines(model, "get_compile_config"):
        compiled = json.loads(json.dumps(model.get_compile_config(), default=get_json_type))
    contents = zip_config.model_config(config, compiled, model)
    assets = zip_assets.files_of(model)
    keras_zip.write(filepath, overwrite, json.dumps(contents), buffer.getvalue(), KERAS_VERSION, assets)


_TRAINING = "training_config"


def take(model: Any, weights: list, include_optimizer: bool) -> tuple[Snapshot, dict | None, list]:
    """The values to save; how the model was compiled, None where that is not saved; and its optimizer's ``weights``."""
    optimizer = getattr(model, "optimizer", None)
    by_steps = not model._is_graph_network and optimizer is not None
    if not include_optimizer or optimizer is None or not (model._is_compiled or by_steps):
        return Snapshot(weights), None, []
    slots = list(optimizer.weights)
    settings = [value for value in vars(optimizer).values() if K.is_variable(value)]
    snapshot = Snapshot([*weights, *slots, *settings], model._run_counter)
    return snapshot, _training(model, snapshot), slots


def compile_config_of(model: Any) -> dict | None:
    """How a model was compiled, in the words of later Keras; None if it was not."""
    with model._lock:
        _, training, _ = take(model, [], True)
    return None if training is None else zip_config.compile_config(training)


def _training(model: Any, snapshot: Snapshot) -> dict:
    """How a model was compiled, as plain data."""
    optimizer = copy.copy(model.optimizer)  # with the learning rate and the like as they are in the snapshot
    for name, value in vars(optimizer).items():
        if K.is_variable(value):
            vars(optimizer)[name] = snapshot[value][()]
    training = {
        "optimizer_config": {"class_name": get_registered_name(type(optimizer)), "config": optimizer.get_config()},
        "loss": model.loss,
        "metrics": model._compile_metrics,
        "weighted_metrics": model._compile_weighted_metrics,
        "sample_weight_mode": model.sample_weight_mode,
        "loss_weights": model.loss_weights,
    }
    return json.loads(json.dumps(training, default=get_json_type))


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True, lambdas=None, verify=False, resume=False):
    """Load a model that :func:`save_model` (or Keras) wrote.

    Args:
        filepath: path, address or binary file of an HDF5 or ``.keras`` file, or an open ``h5py.Group``; or the path of a
            SavedModel folder that tf.keras wrote.
        custom_objects: dict from name to class or function, for what is not Keras's own.
        compile: whether to restore optimizer, loss and metrics too.
        safe_mode: a file is data from a stranger: Python code in it (Lambda layers) is used only if this process
            has the same function. False runs whatever the file holds.
        lambdas: dict from the name of a Lambda layer to the function to use for it.
        verify: whether to check the model by the sample that was saved with it.
        resume: whether to set NumPy's global generator to its state when the file was saved, so that training goes on
            with the same bits. The state of the model itself (optimizer, run number, seeds, order of the samples) is
            restored in any case.

    Raises:
        OSError: no such file, or it is truncated or not an HDF5 file.
        ValueError: it holds no model, a damaged one, unknown classes, or code that is not to be run; or verifying failed.
    """
    with short_errors():
        if isinstance(filepath, (str, os.PathLike)) and os.path.isdir(filepath):
            if verify or resume:
                raise ValueError(
                    "verify=True and resume=True are for files that Hornbeam saved, not for SavedModel folders."
                )
            from .saved_model import load

            return load(filepath, custom_objects, compile, safe_mode, lambdas)
        filepath = fetched(filepath)
        read = _read_zip if keras_zip.is_zip(filepath) else _read_hdf5
        return read(filepath, custom_objects, compile, safe_mode, lambdas, verify, resume)


def _read_hdf5(
    filepath: Any, custom_objects: dict | None, compile: bool, safe_mode: bool, lambdas: dict | None, verify: bool,
    resume: bool,
) -> Any:  # fmt: skip
    with hdf5.reading(filepath) as file, allow_code_loading(not safe_mode):
        description = hdf5.attribute(file, "model_config")
        if description is None:
            raise ValueError(
                "No model found in config file. If the file holds weights alone, build the model and use "
                "`model.load_weights`."
            )
        version = hdf5.attribute(file, "keras_version")
        model = model_from_config(parse_model(description), custom_objects, lambdas, version)
        stored = hdf5.subgroup(file, "model_weights")
        load_weights_from_hdf5_group(stored, model.layers)
        if compile:
            training = hdf5.attribute(file, "training_config")
            if compile_model(model, None if training is None else parse_json(training), custom_objects, version):
                if "optimizer_weights" in file:
                    group = hdf5.subgroup(file, "optimizer_weights")
                    names = hdf5.load_attributes_from_hdf5_group(group, "weight_names")
                    called = names_in_file(stored, model.layers)
                    set_optimizer(model, lambda: read_state(group, names, model, version, called))
                load_state(file, model, resume)
        if verify:
            check_sample(file, model)
    return model


def _read_zip(
    source: Any, custom_objects: dict | None, compile: bool, safe_mode: bool, lambdas: dict | None, verify: bool,
    resume: bool,
) -> Any:  # fmt: skip
    description, weights, version = keras_zip.read(source)
    config = parse_model(description)
    with hdf5.reading(weights) as file, allow_code_loading(not safe_mode):
        model = model_from_config(config, custom_objects, lambdas, version)
        if isinstance(config.get("build_config"), dict) and (
            not model._is_graph_network or defines(model, "build_from_config")
        ):
            build(model, config["build_config"])
        zip_weights.load_weights(file, model)
        zip_weights.set_vocabularies(model, keras_zip.read_vocabularies(source))
        zip_assets.load(model, source)
        if compile and hasattr(model, "compile"):  # a FeatureSpace has nothing to be compiled
            own = hdf5.attribute(file, _TRAINING)
            training = config.get("compile_config") if own is None else parse_json(own)
            if _compile(
                model, config.get("compile_config"), training, custom_objects, version if own is None else None
            ):
                restore_optimizer(file, model)
                load_state(file, model, resume)
        if verify:
            check_sample(file, model)
    return model


def _compile(
    model: Any, own: dict | None, training: dict | None, custom_objects: dict | None, version: str | None
) -> bool:
    """Compile a model, in its class's own way if it has one; False where it was not compiled."""
    if defines(model, "compile_from_config"):
        if own is not None:
            with CustomObjectScope(custom_objects or {}):
                model.compile_from_config(own)
        return own is not None and model._compiled.arguments is not None
    if training is not None and not model._is_graph_network and defines(model, "compile"):
        warn_user(
            f"The class {type(model).__name__} has its own `compile`: the model was *not* compiled. Compile it manually, or "
            "define `get_compile_config` and `compile_from_config`, too."
        )
        return False
    return compile_model(model, training, custom_objects, version)


def pickle_model(model):
    """A model as a dict that can be pickled: its HDF5 file, in memory."""
    buffer = io.BytesIO()
    save_model(model, buffer)
    return {"hdf5": buffer.getvalue()}


def unpickle_model(state):
    """The model of :func:`pickle_model`; a pickle is trusted by whoever unpickles it, so Lambdas are loaded too."""
    return load_model(io.BytesIO(state["hdf5"]), safe_mode=False)
