"""Weights of models in TensorFlow checkpoints."""

from __future__ import annotations

import os
from typing import Any

from . import remote
from .targets import exists
from .tensor_bundle import TensorBundle
from .tensor_bundle.state_file import CheckpointState, latest_checkpoint, write_state_file
from .trackable.restoring import Restoration
from .trackable.writing import write_objects


def prefix_of(path: Any) -> str | None:
    """The checkpoint that a path stands for: a prefix, a SavedModel folder, or a folder with checkpoints. None for other paths."""
    if not isinstance(path, (str, os.PathLike)):
        return None
    path = os.fspath(path)
    if exists(f"{path}.index"):
        return path
    if remote.is_remote(path) or not os.path.isdir(path):
        return None
    variables = os.path.join(path, "variables", "variables")
    return variables if exists(f"{variables}.index") else latest_checkpoint(path)


def load_weights(model: Any, prefix: str) -> Restoration:
    """Give a model the weights in a checkpoint and, if it is compiled, its optimizer the state. On any error the model is as it was.

    Raises:
        OSError, ValueError: the checkpoint is damaged, of another model, or lacks some of the weights.
    """
    restoration = Restoration(model, TensorBundle(prefix), whole=True)
    restoration.take()
    return restoration


def save_weights(model: Any, prefix: Any, overwrite: bool = True) -> None:
    """Write a model's weights and, if it is compiled, its optimizer's state as a checkpoint: the latest of its folder."""
    prefix = os.fspath(prefix)
    write_objects(model, prefix, overwrite)
    write_state_file(os.path.dirname(prefix), CheckpointState(prefix))
