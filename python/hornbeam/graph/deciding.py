"""Users' functions that decide by a tensor's value as Python does (``if tf.reduce_mean(x) > 0:``) where there are formulas.

What converts such a function is the recorder's (``tf/autograph.py``). A function is called as it is first, and converted if it asks
for a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..settings import settings
from .context import context, inside
from .recorder import is_eager
from .tensor import NeedsValue


def deciding(function: Callable, undo: Callable[[], None] | None = None) -> Callable:
    """The function, which is called a second time with its control flow made formulas if it asks for a tensor's value.

    Within a trace it is not called again alone: the trace is made again as a whole, and converts then what it meets.

    Args:
        undo: takes back what the first call left behind.
    """
    recorder = settings.recorder
    if recorder is None:
        return function
    if context.converts:
        return recorder.convert(function) or function

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except NeedsValue:
            converted = None if is_eager() else recorder.convert(function)
            if converted is None:
                raise
        if undo is not None:
            undo()
        with inside(converts=True):
            return converted(*args, **kwargs)

    return call
