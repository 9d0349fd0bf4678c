"""Steps that overlap: while a device computes one, the next batch is gathered and goes there.

Only what nobody can see: arrays are read a step earlier than they would be, so nothing of a script's own may run between the
two steps, and the batches are arrays in memory. Everything else keeps its order. On the CPU there is nothing to overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import _core
from ..callbacks import CallbackList
from ..graph import Function

Batches = Iterator[tuple[list, int]]


class Prefetching:
    """A Function as the step of a loop over batches."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._now, self._next = _core.EarlyFeeds(), _core.EarlyFeeds()
        self._is_last = True

    def batches(self, batches: Batches) -> Batches:
        """The same batches; each is to be stepped on before the next is asked for."""
        batch = next(batches, None)
        if batch is not None:
            self._next.set(batch[0])
        while batch is not None:
            self._now, self._next = self._next, self._now
            following = next(batches, None)
            self._is_last = following is None
            if following is not None:
                self._next.set(following[0])
            yield batch
            batch = following

    def step(self, batch: list) -> list:
        """What the Function gives for the batch that was yielded last."""
        return self._function.run_ahead(self._now, None if self._is_last else self._next)


def overlapping(
    function: Any, data: list, hooks: CallbackList, mode: str
) -> tuple[Callable, Callable[[Batches], Batches]]:
    """The step to make for each batch of the data, and what the batches are to go through."""
    is_hidden = all(type(x) is np.ndarray for x in data) and not hooks.calls_scripts(mode)
    if _core.device() == "cpu" or type(function) is not Function or function.computes_on_host or not is_hidden:
        return function, lambda batches: batches
    prefetching = Prefetching(function)
    return prefetching.step, prefetching.batches
