"""What is done with values, and not with tensors: at once where they are eager, after each run where a function is traced."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Tensor, nest
from ..graph.context import context
from ..graph.tensor import NeedsValue
from .table import for_scripts


def with_values(call: Callable, tensors: Sequence[Tensor]) -> None:
    """Call with the values of tensors. Nothing is done in a formula for a model, where there are none."""
    if context.trace is not None and context.body is None:
        context.trace.after(call, tensors)
    elif all(t.is_eager for t in tensors):
        call(*[t.numpy() for t in tensors])
    elif context.trace is not None:
        raise NeedsValue("values inside of a loop or a choice that is traced are not known")


@for_scripts("print")
def print_(
    *inputs: Any, output_stream: Any = None, end: str = "\n", sep: str = " ", summarize: Any = 3, **other: Any
) -> None:
    """Print tensors and anything else, in any structure; a traced function prints whenever it runs.

    Args:
        output_stream: a file object, ``"file://path"``, which is appended to, or standard error.
        summarize: how many items are shown at each end of an axis; -1: all.
    """
    places = [leaf for leaf in nest.flatten(list(inputs)) if isinstance(leaf, Tensor)]

    def show(*values: np.ndarray) -> None:
        known = iter(values)
        leaves = [next(known) if isinstance(leaf, Tensor) else leaf for leaf in nest.flatten(list(inputs))]
        text = sep.join(_text(part, summarize) for part in nest.pack(list(inputs), leaves)) + end
        if isinstance(output_stream, str) and output_stream.startswith("file://"):
            with open(output_stream.removeprefix("file://"), "a") as file:
                file.write(text)
        else:
            print(text, end="", file=output_stream if hasattr(output_stream, "write") else sys.stderr, flush=True)

    with_values(show, places)


def _text(part: Any, summarize: int) -> str:
    if isinstance(part, (np.ndarray, np.generic)):
        edge = part.size + 1 if summarize is None or summarize < 0 else summarize
        return _spaced(np.asarray(part), edge)
    if isinstance(part, dict):
        return "{" + ", ".join(f"{key!r}: {_text(value, summarize)}" for key, value in part.items()) + "}"
    if isinstance(part, (list, tuple)):
        inside = ", ".join(_text(item, summarize) for item in part)
        return f"[{inside}]" if isinstance(part, list) else f"({inside})"
    return str(part)


def _spaced(array: np.ndarray, edge: int, depth: int = 1) -> str:
    """Items between spaces, rows on lines of their own, ``...`` for what is left out."""
    if not array.ndim:
        return _number(array[()])
    rows = list(range(len(array)))
    if len(array) > 2 * edge:
        rows[edge : len(array) - edge] = [-1]
    parts = ["..." if row < 0 else _spaced(array[row], edge, depth + 1) for row in rows]
    return "[" + (" " if array.ndim == 1 else "\n" + " " * depth).join(parts) + "]"


def _number(value: Any) -> str:
    """As few digits as give the number back, of two counts that TensorFlow knows; truth values are 0 and 1."""
    if isinstance(value, np.floating):
        few, many = (15, 17) if value.dtype == "float64" else (6, 9)
        text = f"{value:.{few}g}"
        return text if type(value)(text) == value else f"{value:.{many}g}"
    return str(int(value)) if isinstance(value, np.bool_) else str(value)
