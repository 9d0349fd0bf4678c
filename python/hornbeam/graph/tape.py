"""Gradient tapes: which ops between two moments may be differentiated, and what they were when they were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..settings import settings
from .context import context, inside
from .gradients import gradients
from .tensor import Operation, Tensor, next_serial
from .variable import Variable


class Tape:
    """The ops made while it records, known by their serial numbers.

    Nothing is written down as long as formulas are formulas. Where values are computed in between (``graph/recorder.py``), the
    tape keeps the nodes that the tensors had, and the values of variables that change.

    Args:
        watches_variables: whether trainable variables are watched without being named.
    """

    def __init__(self, watches_variables: bool = True) -> None:
        self.watches_variables = watches_variables
        self._spans: list[list[int | None]] = []
        self._watched: dict[Tensor, None] = {}
        self._nodes: dict[Tensor, Operation] = {}
        self._old: dict[Variable, list[Tensor]] = {}
        self._read: dict[Variable, None] = {}

    # -- recording --------------------------------------------------------------------------------
    @contextmanager
    def recording(self) -> Iterator[Tape]:
        """While the tape records."""
        self.begin()
        try:
            yield self
        finally:
            self.end()

    @property
    def is_open(self) -> bool:
        return bool(self._spans) and self._spans[-1][1] is None

    def begin(self) -> None:
        self._spans.append([next_serial(), None])
        if settings.recorder is not None:
            settings.recorder.tapes.add(self)
            settings.recorder.open_tapes.append(self)

    def end(self) -> None:
        if self.is_open:
            self._spans[-1][1] = next_serial()
            if settings.recorder is not None:
                settings.recorder.open_tapes.remove(self)

    def forget(self) -> None:
        """Let go of everything: it will not be asked any more."""
        self.end()
        self._spans, self._watched, self._nodes, self._old, self._read = [], {}, {}, {}, {}
        if settings.recorder is not None:
            settings.recorder.tapes.discard(self)

    def watch(self, tensor: Tensor) -> None:
        self._watched[tensor] = None

    def covers(self, node: Operation) -> bool:
        """Whether the node was made while the tape recorded."""
        return any(begin <= node.serial and (end is None or node.serial < end) for begin, end in self._spans)  # type: ignore[operator]

    def note(self, node: Operation) -> None:
        """Note which variables a node reads that was made now."""
        read = [_variable(t) for t in node.inputs]
        self._read.update({v: None for v in read if v is not None and getattr(v, "trainable", True)})

    def keep(self, tensors: Sequence[Tensor]) -> None:
        """Remember what eager tensors were computed by, before they become constants."""
        self._nodes.update({t: t.op for t in tensors if self.covers(t.op)})

    def nodes(self) -> list[Operation]:
        """What :meth:`keep` remembered."""
        return list(self._nodes.values())

    def note_old(self, variable: Variable, value: Tensor) -> None:
        """Nodes on the tape read ``value``, which a variable had that changes now."""
        self._old.setdefault(variable, []).append(value)

    def variables(self) -> tuple[Variable, ...]:
        """The trainable variables that were read."""
        return tuple(self._read)

    # -- asking -----------------------------------------------------------------------------------
    def node_of(self, tensor: Tensor) -> Operation:
        return self._nodes.get(tensor, tensor.op)

    def gradients(self, ys: Sequence[Tensor], xs: Sequence[Any], grad_ys: Any = None) -> list[Tensor | None]:
        """Gradients of the sum of ``ys`` with respect to each of ``xs``; None for what is not watched or not connected."""
        asked: list[Tensor] = []
        places: list[list[int]] = []
        for x in xs:
            same = [x, *self._old.get(x, []), *_assigned(x)] if isinstance(x, Variable) else [x]
            same = same if self._is_watched(x) else []
            places.append(list(range(len(asked), len(asked) + len(same))))
            asked += same
        with self._as_recorded():
            found = gradients(ys, asked, grad_ys, inside=self._leads_back, node_of=self.node_of)
        return [_sum([found[i] for i in place]) for place in places]

    def _leads_back(self, node: Operation) -> bool:
        """Whether a gradient goes on to the node's inputs: what a variable was assigned is not what it is read for."""
        return self.covers(node) and not any(t in _reads() for t in node.outputs)

    def _is_watched(self, x: Any) -> bool:
        if not isinstance(x, Tensor):
            return False
        if x in self._watched or self.covers(self.node_of(x)):
            return True
        return isinstance(x, Variable) and self.watches_variables and getattr(x, "trainable", True)

    @contextmanager
    def _as_recorded(self) -> Iterator[None]:
        """Reads of variables mean the values that the tape's nodes read, whatever was assigned since."""
        with inside(pending={}, replays=True):
            yield


def _variable(tensor: Tensor | None) -> Variable | None:
    """The variable that is read, also after an assignment of the function that is being traced."""
    if tensor is not None:
        tensor = _reads().get(tensor, tensor)
    return tensor if isinstance(tensor, Variable) else None


def _reads() -> dict[Tensor, Tensor]:
    return {} if context.trace is None else context.trace.reads


def _assigned(variable: Variable) -> list[Tensor]:
    """The values that a function which is being traced has assigned, and reads from then on."""
    return [read for read, of in _reads().items() if of is variable]


def _sum(grads: list[Tensor | None]) -> Tensor | None:
    there = [g for g in grads if g is not None]
    total = there[0] if there else None
    for g in there[1:]:
        total = total + g  # type: ignore[operator]
    return total
