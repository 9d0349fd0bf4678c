"""All that an interrupted ``fit`` needs to go on, in one file: weights, optimizer, run number, order of the samples, and where it was."""

from __future__ import annotations

import json
from typing import Any

from . import hdf5, zip_weights
from .compiling import restore_optimizer
from .model_file import take
from .optimizer_state import write_zip_state
from .state import load_state, save_state
from .text import parse_json

_POSITION = "position"
_BUILD = "build_config"


def save_backup(model: Any, path: str, epoch: int, batch: int) -> None:
    """Write the state of a model whose next batch is ``batch`` of ``epoch``. The file before stays whole until this one is."""
    with model._lock:
        snapshot, training, slots = take(model, zip_weights.all_weights(model), True)

    def fill(file: Any) -> None:
        zip_weights.save_weights(file, model, snapshot)
        file.attrs[_POSITION] = json.dumps([epoch, batch])
        file.attrs[_BUILD] = json.dumps(model.get_build_config())
        if training is not None:
            write_zip_state(file, model, slots, snapshot)
        save_state(file, model, snapshot.runs)

    hdf5.write(path, True, fill)


def load_backup(model: Any, path: str) -> tuple[int, int]:
    """Give a compiled model the state in a file of :func:`save_backup`; NumPy's global generator, too.

    Returns:
        The epoch and the batch that come next.

    Raises:
        OSError: the file is damaged.
        ValueError: it is of another model.
    """
    with hdf5.reading(path) as file:
        position = parse_json(hdf5.attribute(file, _POSITION) or "null")
        if not (isinstance(position, list) and len(position) == 2 and all(type(n) is int and n >= 0 for n in position)):
            raise ValueError(f"{path!r} is not a backup of a training: it does not say where that was.")
        built = parse_json(hdf5.attribute(file, _BUILD) or "null")
        if isinstance(built, dict) and not model._is_graph_network:
            model.build_from_config(built)
        zip_weights.load_weights(file, model)
        restore_optimizer(file, model)
        load_state(file, model, resume=True)
    return position[0], position[1]
