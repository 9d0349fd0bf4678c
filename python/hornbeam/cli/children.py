"""Processes that a script starts by ``multiprocessing``: those that are not forked from it are prepared, too.

A process started by spawn or by a fork server first reads what its parent tells it, ``sys.path`` and the main module among
it, and then imports that. With it comes a :class:`Call`, and reading that makes the call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from multiprocessing import forkserver, spawn
from typing import Any

KEY = "hornbeam"  # an entry that multiprocessing does not know, which it passes on and ignores


class Call:
    """A function and its arguments: what pickles it makes the call where it is read."""

    def __init__(self, function: Callable, *args: Any) -> None:
        self.function, self.args = function, args

    def __reduce__(self) -> tuple:
        return self.function, self.args


def install(prepare: Callable, *args: Any) -> None:
    """Let ``prepare(*args)`` run in each process that this one starts, before the main module is imported there."""
    of_python = getattr(spawn.get_preparation_data, "__wrapped__", spawn.get_preparation_data)

    @functools.wraps(of_python)
    def get_preparation_data(name: str) -> dict[str, Any]:
        return {**of_python(name), KEY: Call(prepare, *args)}

    spawn.get_preparation_data = get_preparation_data
    forkserver.set_forkserver_preload([])  # not the main module: the server would import it unprepared
