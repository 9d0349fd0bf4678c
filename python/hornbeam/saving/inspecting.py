"""What a model file holds, read without making a model of it, and what in it would keep it from loading, or is odd."""

from __future__ import annotations

import os
from typing import Any

from ..utils.messages import shortened
from . import hdf5, keras_zip
from .describing import describe_arrays, describe_model, describe_training, parsed, written_by


def inspect_file(path: str) -> tuple[list[str], list[str]]:
    """Describe a file of a model or of weights, a SavedModel folder, or a TensorFlow checkpoint (by its prefix).

    Returns:
        Lines for people, and what is suspicious: an empty list means that nothing is.

    Raises:
        OSError, ValueError: there is no such file, or it is neither HDF5 nor a zip, or so damaged that it cannot be read.
    """
    suspicions: list[str] = []
    with hdf5.as_damage(path):
        if os.path.isdir(path) or not os.path.exists(path):
            from .inspecting_tensorflow import inspect_path

            lines = inspect_path(path, suspicions)
            return _short(lines), _short(suspicions)
        lines = [f"file              {path} ({os.path.getsize(path):,} bytes)"]
        if keras_zip.is_zip(path):
            _inspect_zip(path, lines, suspicions)
        else:
            _inspect_hdf5(path, lines, suspicions)
    return _short(lines), _short(suspicions)


_WIDTH = 400  # of a line, whatever names a file has


def _short(lines: list[str]) -> list[str]:
    return [shortened(line, _WIDTH) for line in lines]


_MEMBERS = 100  # that are listed one by one


def _inspect_hdf5(path: str, lines: list[str], suspicions: list[str]) -> None:
    with hdf5.opened(path) as file:
        found = hdf5.problems(file)
        suspicions += found
        root = file["model_weights"] if not found and "model_weights" in file else file
        description, training = (_text(file, name, suspicions) for name in ("model_config", "training_config"))
        kind = "whole model, HDF5" if description is not None else "weights alone, HDF5"
        lines.append(f"kind              {kind}")
        written_by(_text(file, "keras_version", suspicions) or _text(root, "keras_version", suspicions),
                    _text(root, "backend", suspicions), lines)  # fmt: skip
        config = parsed(description, "model_config", suspicions)
        if config is not None:
            describe_model(config, lines, suspicions)
        describe_training(parsed(training, "training_config", suspicions), lines)
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
    written_by(version, None, lines)
    config = parsed(description, "config.json", suspicions)
    if isinstance(config, dict):
        describe_model(config, lines, suspicions)
        describe_training(config.get("compile_config"), lines)
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


def _describe_weights(file: Any, lines: list[str]) -> None:
    weights: list[tuple[str, Any, Any]] = []
    extra: set[str] = set()

    def note(name: str, item: Any) -> None:
        top = name.split("/")[0]
        if hdf5.is_dataset(item):
            if top in ("optimizer_weights", "optimizer", "metrics") or top.startswith("hornbeam_"):
                extra.add({"hornbeam_sample": "a sample for verify=True"}.get(top, "the optimizer's state"))
            else:
                weights.append((name.removeprefix("model_weights/"), item.shape, item.dtype))

    file.visititems(note)
    describe_arrays(weights, extra, lines)
