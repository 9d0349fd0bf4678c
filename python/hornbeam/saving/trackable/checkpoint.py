"""``tf.train.Checkpoint`` and ``CheckpointManager``: saving and restoring any objects that have variables."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Any

from ...graph import Variable
from ...utils.messages import shortened
from ..targets import exists
from ..tensor_bundle import TensorBundle
from ..tensor_bundle.state_file import CheckpointState, latest_checkpoint, read_state_file, write_state_file
from .objects import Part, is_part, parts_of
from .restoring import Restoration
from .writing import write_objects


class Checkpoint:
    """Models, layers, optimizers, variables, and lists and dicts of them, under names: saved and restored together.

    Args:
        root: an object that the checkpoint is one of, with its parts' names; further ones go by their own.
        **objects: by name. They can be assigned as attributes, too.

    Raises:
        ValueError: one of them has nothing that could be saved.
    """

    def __init__(self, root: Any = None, **objects: Any) -> None:
        self._root = root
        self._save_counter: Variable | None = None
        for name, value in {**({} if root is None else {"root": root}), **objects}.items():
            if not (is_part(value) or hasattr(value, "weights") or isinstance(value, (list, tuple, dict))):
                raise ValueError(
                    f"`Checkpoint` was given {name}={shortened(value, 80)}, which has no variables. It takes models, layers, "
                    "optimizers, variables (tf.Variable), and lists and dicts of them."
                )
        vars(self).update(objects)

    def _trackable_parts(self) -> list[Part]:
        own = [(name, value) for name, value in vars(self).items() if not name.startswith("_")]
        of_root = [] if self._root is None else parts_of(self._root)
        counter = [] if self._save_counter is None else [("save_counter", self._save_counter)]
        return [*of_root, *own, *counter]

    @property
    def save_counter(self) -> Variable:
        """How often :meth:`save` was called."""
        if self._save_counter is None:
            self._save_counter = Variable(0, "int64", name="save_counter")
        return self._save_counter

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Write a checkpoint of exactly this name; returns it."""
        write_objects(self, file_prefix)
        return os.fspath(file_prefix)

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Write the checkpoint ``<file_prefix>-<number>``, which becomes the folder's latest; returns its name."""
        number = int(self.save_counter.get_value()) + 1
        self.save_counter.set_value(number)
        path = f"{os.fspath(file_prefix)}-{number}"
        write_objects(self, path)
        write_state_file(os.path.dirname(path), CheckpointState(path))
        return path

    def read(self, save_path: Any, options: Any = None) -> Restoration:
        """Give the objects the values in a checkpoint; those that are built later get them then.

        Raises:
            OSError, ValueError: it is missing, damaged, or has another shape for a variable. Nothing is changed then.
        """
        restoration = Restoration(self, TensorBundle(save_path))
        restoration.take()
        return restoration

    def restore(self, save_path: Any, options: Any = None) -> Restoration | Nothing:
        """As :meth:`read`; with None, as ``latest_checkpoint`` gives it where there is none, nothing is done."""
        if save_path is None:
            return Nothing()
        self.save_counter  # noqa: B018  made, so that it is restored
        if not exists(f"{os.fspath(save_path)}.index") and os.path.isdir(save_path):
            save_path = latest_checkpoint(save_path) or save_path
        return self.read(save_path)


class Nothing:
    """What restoring from no checkpoint gives."""

    def assert_consumed(self) -> Nothing:
        """
        Raises:
            AssertionError: always, as there was no checkpoint.
        """
        raise AssertionError("No checkpoint was given to restore from (the path was None).")

    assert_existing_objects_matched = assert_nontrivial_match = assert_consumed

    def expect_partial(self) -> Nothing:
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Variables have their first values already."""

    run_restore_ops = initialize_or_restore


class CheckpointManager:
    """Keeps the last checkpoints in a folder and deletes older ones.

    Args:
        checkpoint: a :class:`Checkpoint`.
        directory: the folder, which is made if it does not exist.
        max_to_keep: how many to keep; None for all.
        keep_checkpoint_every_n_hours: one in so many hours is kept for good.
        checkpoint_name: what the files' names begin with.
        step_counter, checkpoint_interval: save only where the counter (a variable) has advanced so far.
        init_fn: called by :meth:`restore_or_initialize` where there is nothing to restore.
    """

    def __init__(
        self, checkpoint: Checkpoint, directory: Any, max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None, checkpoint_name: str = "ckpt", step_counter: Any = None,
        checkpoint_interval: int | None = None, init_fn: Callable[[], Any] | None = None,
    ) -> None:  # fmt: skip
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"max_to_keep is a positive number, or None to keep all; got {max_to_keep}.")
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("checkpoint_interval needs a step_counter.")
        self._checkpoint, self._directory, self._name = checkpoint, os.fspath(directory), checkpoint_name
        self._max_to_keep, self._keep_every = max_to_keep, keep_checkpoint_every_n_hours
        self._step_counter, self._interval, self._init_fn = step_counter, checkpoint_interval, init_fn
        self._last_step: int | None = None
        self._times: dict[str, float] = {}
        state = read_state_file(self._directory)
        self._latest = None if state is None else state.model_checkpoint_path
        now = time.time()
        self._last_preserved = now
        if state is not None:
            self._last_preserved = state.last_preserved_timestamp or now
            times = state.all_model_checkpoint_timestamps
            known = times if len(times) == len(state.all_model_checkpoint_paths) else [now] * len(
                state.all_model_checkpoint_paths
            )  # fmt: skip
            self._times = dict(zip(state.all_model_checkpoint_paths, known))

    @property
    def directory(self) -> str:
        return self._directory

    @property
    def checkpoint(self) -> Checkpoint:
        return self._checkpoint

    @property
    def latest_checkpoint(self) -> str | None:
        """Prefix of the latest checkpoint in the folder."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """Prefixes of those that are kept, the oldest first."""
        return list(self._times)

    def save(self, checkpoint_number: Any = None, check_interval: bool = True, options: Any = None) -> str | None:
        """Save a checkpoint and delete what is too old. Returns its prefix; None where the interval has not passed."""
        if self._interval is not None and check_interval:
            step = int(self._step_counter)
            if self._last_step is not None and step < self._last_step + self._interval:
                return None
            self._last_step = step
        counter = self._checkpoint.save_counter
        counter.set_value(int(counter.get_value()) + 1)
        number = int(counter.get_value()) if checkpoint_number is None else int(checkpoint_number)
        path = self._checkpoint.write(os.path.join(self._directory, f"{self._name}-{number}"))
        self._times.pop(path, None)
        self._times[path] = time.time()
        self._latest = path
        self._sweep()
        write_state_file(
            self._directory,
            CheckpointState(path, list(self._times), list(self._times.values()), self._last_preserved),
        )
        return path

    def _sweep(self) -> None:
        while self._max_to_keep is not None and len(self._times) > self._max_to_keep:
            path, written = next(iter(self._times.items()))
            del self._times[path]
            if self._keep_every is not None and written - self._last_preserved >= 3600 * self._keep_every:
                self._last_preserved = written
                continue
            delete(path)

    def restore_or_initialize(self) -> str | None:
        """Restore the latest checkpoint and return its prefix; without one call ``init_fn`` and return None."""
        if self._latest is not None:
            self._checkpoint.restore(self._latest)
            if self._step_counter is not None:
                self._last_step = int(self._step_counter)
            return self._latest
        if self._init_fn is not None:
            self._init_fn()
        return None


def delete(prefix: str) -> None:
    """Delete the files of a checkpoint."""
    folder, name = os.path.split(prefix)
    pattern = re.compile(re.escape(name) + r"\.(index|meta|data-\d{5}-of-\d{5})")
    for file in os.listdir(folder or "."):
        if pattern.fullmatch(file):
            os.remove(os.path.join(folder, file))
