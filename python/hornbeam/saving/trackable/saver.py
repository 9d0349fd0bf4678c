"""``tf.compat.v1.train.Saver``: checkpoints in which variables go by their names, as TensorFlow 1 has them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ...graph import Variable, write_state
from ..snapshot import Snapshot
from ..tensor_bundle import TensorBundle, write_bundle
from ..tensor_bundle.state_file import CheckpointState, write_state_file
from .checkpoint import delete


class Saver:
    """Saves and restores variables by their names.

    Args:
        var_list: variables, or a dict from name to variable.
        max_to_keep: how many checkpoints of this Saver are kept; None or 0 for all.

    Raises:
        ValueError: no variables are given: there is no list of all of them here.
    """

    def __init__(
        self, var_list: Any = None, reshape: bool = False, sharded: bool = False, max_to_keep: int = 5, **other: Any
    ):
        if not var_list:
            raise ValueError(
                "tf.train.Saver needs its variables here: Saver(model.weights), or a dict from names to variables. "
                "There is no list of all variables."
            )
        named: Mapping[str, Any] = var_list if isinstance(var_list, Mapping) else {v._shared_name: v for v in var_list}
        self._variables: dict[str, Variable] = dict(named)
        self._reshape, self._max_to_keep = reshape, max_to_keep
        self._last: list[str] = []

    @property
    def last_checkpoints(self) -> list[str]:
        """Prefixes of those that this Saver wrote and keeps, the oldest first."""
        return list(self._last)

    def save(
        self, sess: Any, save_path: Any, global_step: Any = None, latest_filename: str | None = None,
        meta_graph_suffix: str = "meta", write_meta_graph: bool = True, write_state: bool = True, **other: Any,
    ) -> str:  # fmt: skip
        """Write ``save_path``, with ``-<global_step>`` behind it where that is given; returns the prefix."""
        prefix = os.fspath(save_path) + ("" if global_step is None else f"-{int(global_step)}")
        snapshot = Snapshot(self._variables.values())
        os.makedirs(os.path.dirname(prefix) or ".", exist_ok=True)
        write_bundle(prefix, {name: snapshot[variable] for name, variable in self._variables.items()})
        self._last = [*(p for p in self._last if p != prefix), prefix]
        while self._max_to_keep and len(self._last) > self._max_to_keep:
            delete(self._last.pop(0))
        if write_state:
            write_state_file(os.path.dirname(prefix), CheckpointState(prefix, list(self._last)), latest_filename)
        return prefix

    def restore(self, sess: Any, save_path: Any) -> None:
        """Set the variables to the values in a checkpoint.

        Raises:
            OSError, ValueError: it is missing or damaged, lacks a variable, or has another shape of one.
        """
        bundle = TensorBundle(save_path)
        pairs = []
        for name, variable in self._variables.items():
            value = bundle.read(name)
            pairs.append((variable, value.reshape(variable.shape) if self._reshape else value))
        write_state(pairs)
