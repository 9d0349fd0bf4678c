"""Weights of models in TensorFlow checkpoints."""

from __future__ import annotations

import os
from typing import Any

from ..graph import write_state
from ..utils.messages import shortened
from . import remote
from .targets import exists
from .tensor_bundle import TensorBundle
from .tensor_bundle.state_file import latest_checkpoint
from .trackable.matching import Match, match
from .trackable.restoring import lacking, optimizer_values, values


def prefix_of(path: Any) -> str | None:
    """The checkpoint that a path stands for: a prefix, a SavedModel folder, or a folder with checkpoints. None if it is none."""
    if not isinstance(path, (str, os.PathLike)):
        return None
    path = os.fspath(path)
    if exists(f"{path}.index"):
        return path
    if remote.is_remote(path) or not os.path.isdir(path):
        return None
    variables = os.path.join(path, "variables", "variables")
    return variables if exists(f"{variables}.index") else latest_checkpoint(path)


def load_weights(model: Any, prefix: str) -> None:
    """Give a model the weights in a checkpoint and, if it is compiled, its optimizer the state. On any error the model is as it was.

    Raises:
        OSError, ValueError: the checkpoint is damaged, of another model, or lacks some of the weights.
    """
    bundle = TensorBundle(prefix)
    found = match(model, bundle)
    pairs = values(found, bundle)
    check_complete(model, found, bundle)
    if found.optimizers and model._collected_trainable_weights is not None:
        model._make_train_function()  # the optimizer makes its slots
        pairs += optimizer_values(found, bundle)
    write_state(pairs)


def check_complete(model: Any, found: Match, bundle: TensorBundle) -> None:
    """
    Raises:
        ValueError: the checkpoint lacks weights of the model.
    """
    missing = lacking(model.weights, found)
    if missing:
        raise ValueError(
            f"The checkpoint {bundle.prefix!r} has no values for {len(missing)} of the {len(model.weights)} weights of "
            f"{model.name}: {', '.join(missing[:4])}{', ...' if len(missing) > 4 else ''}. It has "
            f"{', '.join(shortened(name, 60) for name in bundle.names[:4])}, ... To load what fits, use "
            "tf.train.Checkpoint(...).restore, or build the model that was saved."
        )
