"""What a thread has open while it builds a graph.

Every thread has a context of its own, so that threads which build do not meet. What Keras makes global is in ``settings.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .building import Budget
    from .tensor import Tensor
    from .trace import Trace


@dataclass
class Context(threading.local):
    """Fields are read anywhere and changed by :func:`inside` alone, which puts them back.

    Attributes:
        scopes: the open name scopes, outermost first.
        pending: the updates that reads see, by the id of the variable that they write.
        body: the kind of the body that is being built, ``'scan'`` or ``'cond'``; None outside of bodies.
        budget: how much may still be built; None where it is not bounded.
        tracks: whether what is assigned to a layer's attributes becomes part of the layer.
        symbolic: whether formulas are made for a model or a function, also where tensors are eager.
        trace: what takes the assignments of variables while a function is traced (``graph/trace.py``).
        assigned: where the assignments that a layer's call describes are noted; None outside of calls.
        replays: whether reads of variables mean the values that a tape has, whatever was assigned since.
        overrides: what gives the gradient of ops that are made now, by the op's name, where it is not the op's own.
        converts: whether users' functions are called with their control flow made formulas (``graph/deciding.py``).
        trainable: by layer, whether it was trainable when the model was compiled whose Function is made.
        phase: the learning phase of the layer that is being called on values; None outside of such calls.
    """

    scopes: tuple[str, ...] = ()
    pending: Mapping[int, Tensor] = field(default_factory=dict)
    body: str | None = None
    budget: Budget | None = None
    tracks: bool = True
    symbolic: bool = False
    trace: Trace | None = None
    assigned: list[Tensor] | None = None
    replays: bool = False
    overrides: Mapping[str, Callable] = field(default_factory=dict)
    converts: bool = False
    trainable: Mapping[Any, bool] = field(default_factory=dict)
    phase: int | None = None


context = Context()


@contextmanager
def inside(**fields: Any) -> Iterator[None]:
    """Inside the block, these fields of the thread's context have these values."""
    outer = {name: getattr(context, name) for name in fields}
    for name, value in fields.items():
        setattr(context, name, value)
    try:
        yield
    finally:
        for name, value in outer.items():
            setattr(context, name, value)
