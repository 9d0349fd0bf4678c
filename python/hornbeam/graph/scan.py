"""``scan``: a body run once for each row of its sequences, with states carried from step to step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from .body import Body, building, is_random
from .ops import Kind, convert, make_node
from .tensor import Operation, Tensor, marker


class Rows(NamedTuple):
    """A tensor of which each step reads one row.

    ``shift`` -1 or 1 lets step t read row t + shift, and ``first`` where there is no such row.
    """

    tensor: Tensor
    shift: int = 0
    first: Tensor | None = None


class Scanned(NamedTuple):
    """What a scan gives: final states, the states after each step, and the stacked outputs, by row."""

    finals: list[Tensor]
    states: list[Tensor]
    outputs: list[Tensor]


class Loop:
    """A scan in the making, for bodies that do not know all their states beforehand.

    Attributes:
        rows: in the body, the current row of each sequence.

    ``with loop.body():`` the body is built out of ``rows`` and of what :meth:`state` gives; :meth:`finish` makes the scan.
    """

    def __init__(self, sequences: Sequence[Tensor], reverse: bool = False) -> None:
        if not sequences:
            raise ValueError("a scan needs a sequence: its length is the number of steps")
        self.rows = [marker("placeholder", (), t.dtype, t.dims[1:]) for t in sequences]
        self._sequences = list(sequences)
        self._reverse = reverse
        self._states: list[Tensor] = []
        self._initial: list[Tensor] = []

    @contextmanager
    def body(self) -> Iterator[None]:
        with building("scan") as self._serial:
            yield

    def state(self, initial: Tensor) -> Tensor:
        """One more state: its value before the step."""
        self._initial.append(initial)
        self._states.append(marker("placeholder", (), initial.dtype, initial.dims))
        return self._states[-1]

    def finish(self, outputs: Sequence[Tensor], states: Sequence[Tensor]) -> Scanned:
        """The scan, given the body's outputs and the new value of each state, in the order in which they were made."""

        def drawn(node: Operation) -> bool:
            return node.serial > self._serial

        rows = [Rows(t) for t in self._sequences]
        return build(self._states, self.rows, outputs, states, self._initial, rows, self._reverse, drawn)


def scan(
    step: Callable[[list[Tensor], list[Tensor]], tuple[Sequence[Any], Sequence[Any]]],
    initial: Sequence[Tensor],
    sequences: Sequence[Tensor],
    reverse: bool = False,
) -> Scanned:
    """Run ``step(states, rows) -> (outputs, new states)`` over the first axis of ``sequences``.

    The step is traced once. What it computes from outside tensors alone is computed once, before the first step; random
    ops made in it give new numbers at each step. The number of steps must be known when a program is bound, not before.

    Args:
        initial: tensors; each step gives states of the same shapes and dtypes.
        sequences: one or more tensors of equal length.
        reverse: begin with the last row. Outputs lie by row, whatever the order.

    Raises:
        ValueError: no sequence, or a state that changes its number, shape or dtype.
        RuntimeError: the step updates a variable.
    """
    loop = Loop(sequences, reverse)
    own = [loop.state(t) for t in initial]
    with loop.body():
        outputs, states = step(list(own), loop.rows)
        outputs = [convert(t) for t in outputs]
        states = [convert(t, s.dtype) for t, s in zip(states, own)]
    return loop.finish(outputs, states)


def build(
    own_states: Sequence[Tensor],
    rows: Sequence[Tensor],
    outputs: Sequence[Tensor],
    states: Sequence[Tensor],
    initial: Sequence[Tensor],
    sequences: Sequence[Rows],
    reverse: bool,
    drawn: Callable[[Operation], bool],
    silent: bool = False,
) -> Scanned:
    """A scan out of what its body computes.

    ``drawn`` says which random ops draw at each step: the others are outside. ``silent``: see :class:`Body`.
    """
    if len(states) != len(own_states):
        raise ValueError(f"a scan began with {len(own_states)} states, but a step gives {len(states)}")
    for i, (old, new) in enumerate(zip(own_states, states)):
        fits = old.ndim == new.ndim and all(m == n or m < 0 or n < 0 for m, n in zip(old.dims, new.dims))
        if old.dtype != new.dtype or not fits:
            raise ValueError(
                f"state {i} of a scan begins as {old.dtype} with shape {old.shape}, but a step makes it "
                f"{new.dtype} with shape {new.shape}"
            )

    def inside(node: Operation, reads_inside: bool) -> bool:
        return reads_inside or (is_random(node) and drawn(node))

    body = Body([*own_states, *rows], [*states, *outputs], inside)
    body.silent = silent
    steps = next((s.tensor.dims[0] for s in sequences if s.tensor.dims[0] >= 0), sequences[0].tensor.dims[0])
    firsts = [s.first for s in sequences if s.first is not None]
    inputs = (*initial, *(s.tensor for s in sequences), *firsts, *body.captured)
    attrs = {
        "bodies": (body,),
        "states": len(own_states),
        "sequences": len(rows),
        "shifts": [s.shift for s in sequences],
        "reverse": reverse,
    }
    kinds: list[Kind] = [(t.dtype, t.dims, None) for t in own_states]
    kinds += [(t.dtype, (steps, *t.dims), None) for t in body.results]
    n, made = len(own_states), list(make_node("scan", inputs, attrs, kinds, body.uses_learning_phase))
    return Scanned(made[:n], made[n : 2 * n], made[2 * n :])
