"""Learning phase, and reads that see an update's result.

``control_dependencies`` is how Keras metrics read a counter after having advanced it: inside the block a
variable that an update writes stands for the update's result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..settings import settings
from .context import context, inside
from .tensor import Operation, Tensor, marker


def control_dependencies(updates: Sequence[Any]) -> AbstractContextManager[None]:
    """Inside the block, reads of variables see the results of ``updates`` (tensors of ``K.update`` and the like).

    Whatever is built from such a read carries the update along: running it runs the update.
    """
    if context.trace is not None:  # in which all reads see what was assigned before
        return nullcontext()
    pending = dict(context.pending)
    for update in _flatten(updates):
        if isinstance(update, Tensor) and update.op.op == "assign":
            pending[id(update.op.attrs["variable"])] = update
    return inside(pending=pending)


def _flatten(items: Any) -> Iterator[Any]:
    if isinstance(items, (list, tuple)):
        for item in items:
            yield from _flatten(item)
    elif items is not None:
        yield items


def current_value(x: Tensor) -> Tensor:
    """What a read of ``x`` means here: the pending update's result for an updated variable, else ``x``."""
    pending = context.pending
    return pending.get(id(x), x) if pending else x


def _make_phase() -> Tensor:
    node = Operation("learning_phase", (), {})
    tensor = Tensor(node, 0, "int32", (), name="keras_learning_phase")
    tensor._uses_learning_phase = True
    node.outputs = (tensor,)
    return tensor


_phase = _make_phase()


def learning_phase() -> Tensor | int:
    """The int32 scalar that is 1 in training and 0 otherwise, or the number fixed by :func:`set_learning_phase`.

    A Function replaces it by a constant when its program is built, so it costs nothing at run time.
    """
    fixed = settings.learning_phase if context.phase is None else context.phase
    if fixed is None and settings.recorder is not None and settings.recorder.records:
        return 0
    return _phase if fixed is None else fixed


def set_learning_phase(value: int | None) -> None:
    """Fix the learning phase to 0 or 1; ``None`` makes it dynamic again."""
    if value not in (0, 1, None):
        raise ValueError("Expected learning phase to be 0 or 1.")
    settings.learning_phase = None if value is None else int(value)


def print_value(x: Tensor, message: str, shown: Tensor | None = None) -> Tensor:
    """``x``, whose value (or that of ``shown``) is printed after a run in which something reads what is returned."""
    x = current_value(x)
    shown = x if shown is None else current_value(shown)
    out = marker("print", (x, shown), x.dtype, x.dims, message=message)
    out.ints = x.ints
    out._uses_learning_phase = x._uses_learning_phase
    return out


def decided_later(condition: Callable[[], bool], then: Tensor, other: Tensor) -> Tensor:
    """``then`` or ``other``, as ``condition()`` says when a Function is made of it, which keeps that one alone."""
    return then if then is other else _one_of(current_value(then), current_value(other), condition=condition)


def _one_of(first: Tensor, second: Tensor, **attrs: Any) -> Tensor:
    same_rank = first.ndim == second.ndim
    dims = [m if m == n else None for m, n in zip(first.dims, second.dims)] if same_rank else first.dims
    out = marker("phase_switch", (first, second), first.dtype, dims, **attrs)
    out._uses_learning_phase = not attrs or first._uses_learning_phase or second._uses_learning_phase
    return out


def phase_switch(train: Tensor, test: Tensor) -> Tensor:
    """``train`` in training and ``test`` otherwise; a Function keeps the one that its program needs."""
    phase = learning_phase()
    if isinstance(phase, int):
        return train if phase else test
    if train is test:
        return train
    return _one_of(current_value(train), current_value(test))


def branch_taken(node: Operation, phase: int) -> Tensor:
    """The input that counts of a node which :func:`phase_switch` or :func:`decided_later` made."""
    condition = node.attrs.get("condition")
    first = bool(phase) if condition is None else condition()
    return node.inputs[0 if first else 1]  # type: ignore[return-value]
