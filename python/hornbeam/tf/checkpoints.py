"""``tf.train``: checkpoints, read and written by our own code (``saving/tensor_bundle``, ``saving/trackable``)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import graph
from ..saving.checkpoints import prefix_of
from ..saving.tensor_bundle import TensorBundle
from ..saving.tensor_bundle.state_file import latest_checkpoint, read_state_file
from ..saving.trackable.checkpoint import Checkpoint, CheckpointManager
from ..saving.trackable.saver import Saver
from .table import for_scripts

for_scripts("train.Checkpoint")(Checkpoint)
for_scripts("train.CheckpointManager")(CheckpointManager)
for_scripts("train.Saver")(Saver)
for_scripts("train.latest_checkpoint")(latest_checkpoint)


@for_scripts("train.get_checkpoint_state")
def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> Any:
    """What the file ``checkpoint`` of a folder says; None without one."""
    return read_state_file(checkpoint_dir, latest_filename)


class CheckpointReader:
    """The tensors of a checkpoint by name."""

    def __init__(self, bundle: TensorBundle) -> None:
        self._bundle = bundle

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        return {name: list(self._bundle.shape(name)) for name in self._bundle.names}

    def get_variable_to_dtype_map(self) -> dict[str, graph.DType]:
        return {name: _dtype(self._bundle.dtype(name)) for name in self._bundle.names}

    def has_tensor(self, name: str) -> bool:
        return name in self._bundle

    def get_tensor(self, name: str) -> Any:
        """An array; strings as ``bytes`` objects, bfloat16 as float32.

        Raises:
            ValueError: there is no such tensor, or it is damaged.
        """
        array = self._bundle.read(name)
        return array.item() if array.dtype == object and array.shape == () else array


def _dtype(name: str) -> graph.DType:
    return graph.DTYPES[name] if name in graph.DTYPES else graph.DType(name)


@for_scripts("train.load_checkpoint")
def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """The tensors of a checkpoint, given by its prefix or by a folder whose latest is meant.

    Raises:
        ValueError: there is none.
        OSError: it is cut short or of another kind.
    """
    prefix = prefix_of(ckpt_dir_or_file)
    if prefix is None:
        raise ValueError(
            f"Couldn't find 'checkpoint' file or checkpoints in given directory {os.fspath(ckpt_dir_or_file)}"
        )
    return CheckpointReader(TensorBundle(prefix))


@for_scripts("train.NewCheckpointReader", "python.NewCheckpointReader")
def new_checkpoint_reader(filepattern: Any) -> CheckpointReader:
    return CheckpointReader(TensorBundle(filepattern))


@for_scripts("train.list_variables", "contrib.framework.list_variables")
def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """Names and shapes of all tensors of a checkpoint, sorted by name."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


@for_scripts("train.load_variable", "contrib.framework.load_variable")
def load_variable(ckpt_dir_or_file: Any, name: str) -> np.ndarray:
    """The value of a tensor in a checkpoint."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


@for_scripts("train.checkpoint_exists")
def checkpoint_exists(checkpoint_prefix: Any) -> bool:
    """Whether there is a checkpoint of that prefix."""
    return os.path.isfile(f"{os.fspath(checkpoint_prefix)}.index")
