"""Eager tensors, lazily: what a script for TensorFlow 2 computes is a formula until someone looks.

With a recorder in ``settings``, an op on known values (constants, variables, other eager tensors) is recorded. When a value is
asked for, one program computes *all* tensors that are still held, together with the assignments of variables that wait; the
tensors then are constants. So a tensor has one value, however often it is read and whatever is assigned later, and a training
loop that nobody looks into is one call into the core per step: an assignment waits until its variable is read, or assigned
again, and what is computed from the value before is settled with it.

Formulas made for a model or a function are not recorded (:func:`symbolic`): they keep the meaning they have in Keras 2.3.1.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from ..settings import settings
from .context import context, inside
from .programs import Programs
from .tensor import Operation, Tensor, known_constant, marker

if TYPE_CHECKING:
    from .tape import Tape
    from .variable import Variable

#: recorded ops that nobody looks at are settled after so many, to let go of what they hold
_MOST_OPS = 20_000


@contextmanager
def symbolic() -> Iterator[None]:
    """Inside the block (or the function that it decorates), formulas are made for a model or a function.

    Nothing is recorded, and assignments are only described.
    """
    with inside(pending={}), described():
        yield


@contextmanager
def described() -> Iterator[None]:
    """Inside the block, assignments are described and not made; reads of variables see what was assigned before it."""
    with inside(symbolic=True, trace=None, phase=None):
        yield


@contextmanager
def apart(recorder: Recorder) -> Iterator[None]:
    """Inside the block, what this thread computes has nothing to do with what is built, taped or recorded around it.

    Tensors from outside must be settled before.
    """
    fields: dict[str, Any] = {"pending": {}, "body": None, "replays": False, "phase": None}
    with settings.own_recorder(recorder), inside(symbolic=False, trace=None, **fields):
        yield


def is_eager() -> bool:
    """Whether what this thread builds has TensorFlow 2's meaning: eager tensors, or a function that is being traced."""
    return settings.recorder is not None and not context.symbolic and context.body is None


def assign(updates: Sequence[Tensor]) -> None:
    """Make the updates of a step, all of which read the variables as they are before it."""
    (settings.recorder if context.trace is None else context.trace).assign(updates)


class Recorder:
    """What was done with eager tensors since their values were last computed.

    Args:
        convert: makes of a function that looks at values while it is traced one that does not (``tf/autograph.py``), or gives
            None where it cannot.

    Attributes:
        waiting: the assignments that were not made yet, by the id of the variable.
        tapes: the gradient tapes that may still be asked.
        open_tapes: those that record now.
    """

    def __init__(self, convert: Callable[[Callable], Callable | None] = lambda function: None) -> None:
        self.convert = convert
        self.waiting: dict[int, Tensor] = {}
        self.tapes: weakref.WeakSet[Tape] = weakref.WeakSet()
        self.open_tapes: list[Tape] = []
        self._nodes: list[Operation] = []
        self._programs = Programs(512)
        self._counter = _core.RunCounter()
        self._lock = threading.RLock()
        self._seed: int | None = None  # of the first random op of a round
        self._seeds = 0

    @property
    def records(self) -> bool:
        """Whether what this thread builds now is eager."""
        return not context.symbolic and context.trace is None and context.body is None

    def compares(self, tensor: Tensor, other: Any) -> bool:
        """Whether ``tensor == other`` compares elements, as in TensorFlow 2, and not which object it is."""
        eager = context.trace is not None or (self.records and tensor._known)
        return eager and isinstance(other, (Tensor, np.ndarray, np.generic, int, float, list, tuple))

    # -- recording --------------------------------------------------------------------------------
    def admit(self, tensors: Sequence[Tensor | None]) -> None:
        """Prepare the inputs of an op that is about to be made."""
        if not self.records:
            return
        if _are_known(tensors):
            if self.waiting and any(t is not None and self._reads_waiting(t) for t in tensors):
                self.settle()
        elif any(t is not None and t._recorded for t in tensors):
            self.settle()  # part of a model takes an eager tensor as the constant that it is

    def made(self, node: Operation) -> None:
        """Note an op that was made."""
        for tape in self.open_tapes:
            tape.note(node)
        if not _are_known(node.inputs):
            return
        records, sizes_known = self.records, True
        for out in node.outputs:
            out._known, out._recorded = True, records
            sizes_known = sizes_known and min(out.dims, default=0) >= 0
        if not records:
            return
        self._nodes.append(node)
        if not sizes_known:
            self.settle(*node.outputs)  # sizes that depend on data are known only by computing
        elif len(self._nodes) > _MOST_OPS and not context.replays:
            self.settle()

    def assign(self, updates: Iterable[Tensor]) -> None:
        """Let assignments wait; those of one call read the variables as they are before it."""
        updates = list(updates)
        if self.waiting and any(self._reads_waiting(t) for update in updates for t in update.op.inputs):
            self.settle()
        for update in updates:
            variable = update.op.attrs["variable"]
            if id(variable) in self.waiting:
                self.settle()
            self.waiting[id(variable)] = update

    def seed(self) -> int:
        """The seed of a random op that was given none: the same in each round of a loop, whose runs are counted."""
        with self._lock:
            if self._seed is None:
                self.reseed(int(np.random.randint(1, 2**30)))
            assert self._seed is not None
            self._seeds += 1
            return self._seed + self._seeds

    def reseed(self, seed: int) -> None:
        """Let the random numbers from here on follow from ``seed`` alone."""
        self.settle()
        with self._lock:
            self._seed, self._seeds, self._counter = seed % 2**30, 0, _core.RunCounter()

    def _reads_waiting(self, tensor: Tensor) -> bool:
        """Whether a variable that an assignment waits for is read, by the tensor or a formula that is not recorded."""
        if context.replays or tensor._recorded:
            return False
        if id(tensor) in self.waiting:
            return True
        stack, seen = list(tensor.op.inputs), set()
        while stack:
            t = stack.pop()
            if t is None or t._recorded or id(t) in seen:
                continue
            if id(t) in self.waiting:
                return True
            seen.add(id(t))
            stack += t.op.inputs
        return False

    # -- computing --------------------------------------------------------------------------------
    def settle(self, *tensors: Tensor) -> None:
        """Compute all eager tensors that are held, and these, and make the assignments that wait."""
        if not self._nodes and not self.waiting:
            return
        with self._lock:
            nodes, waiting = self._nodes, self.waiting
            self._nodes, self.waiting, self._seeds = [], {}, 0
            try:
                self._compute(nodes, waiting, tensors)
            except BaseException:
                self._nodes, self.waiting = nodes + self._nodes, waiting | self.waiting
                raise

    def _compute(self, nodes: list[Operation], waiting: dict[int, Tensor], wanted: Sequence[Tensor]) -> None:
        updates = list(waiting.values())
        taped = {id(node) for node in nodes if any(tape.covers(node) for tape in self.tapes)} if self.tapes else set()
        outputs = _held(nodes, updates, taped)
        seen = {id(t) for t in outputs}
        outputs += [t for t in wanted if t._recorded and id(t) not in seen]
        reading = self._read_on_tapes(nodes, taped, waiting) if self.tapes and waiting else {}
        changed = [waiting[i].op.attrs["variable"] for i in reading]
        if outputs or updates:
            values = self._programs.run(outputs + changed, updates, self._counter)
            for tape in self.tapes:
                tape.keep(outputs)
            for variable, readers, value in zip(changed, reading.values(), values[len(outputs) :]):
                self._keep_old_value(variable, readers, known_constant(value))
            for tensor, value in zip(outputs, values):
                _become(tensor, value)
        for node in nodes:
            if id(node) not in taped:
                node.inputs = node.outputs = ()  # a node and its outputs hold each other
        for update in updates:
            update.op.inputs = update.op.inputs[:1]

    def _read_on_tapes(
        self, nodes: list[Operation], taped: set[int], waiting: dict[int, Tensor]
    ) -> dict[int, list[Operation]]:
        """The nodes on tapes that read a variable which is about to change, by the variable's id."""
        found: dict[int, list[Operation]] = {}
        kept = [node for tape in self.tapes for node in tape.nodes()]
        for node in {id(n): n for n in [*(n for n in nodes if id(n) in taped), *kept]}.values():
            for i in {id(t) for t in node.inputs if id(t) in waiting}:
                found.setdefault(i, []).append(node)
        return found

    def _keep_old_value(self, variable: Variable, readers: list[Operation], value: Tensor) -> None:
        """Let nodes on tapes read what the variable was when they were made."""
        for node in readers:
            node.inputs = tuple([value if t is variable else t for t in node.inputs])
        for tape in self.tapes:
            if any(tape.covers(node) for node in readers):
                tape.note_old(variable, value)


def _are_known(tensors: Sequence[Tensor | None]) -> bool:
    for t in tensors:
        if t is not None and not t._known:
            return False
    return True


def _held(nodes: list[Operation], updates: list[Tensor], taped: set[int]) -> list[Tensor]:
    """The outputs of recorded nodes that someone holds: that have more references than the nodes which read them.

    What is about to be cut from its inputs, and can be reached no more, need not be computed. Of nodes on a tape, everything
    may be asked for.
    """
    recorded = {id(node) for node in nodes}
    reads = Counter([id(t) for node in nodes for t in node.inputs])
    stack, seen = [update.op for update in updates], set()
    while stack:  # what assignments are computed by, besides recorded nodes
        node = stack.pop()
        if id(node) in recorded or id(node) in seen:
            continue
        seen.add(id(node))
        reads.update([id(t) for t in node.inputs])
        stack += [t.op for t in node.inputs if t is not None]
    held = []
    for node in nodes:
        every = id(node) in taped
        for tensor in node.outputs:
            if every or sys.getrefcount(tensor) > _UNHELD + reads[id(tensor)]:
                held.append(tensor)
    return held


def _references(node: Operation) -> int:
    for tensor in node.outputs:
        return sys.getrefcount(tensor)
    raise AssertionError


def _unheld() -> int:
    """What ``sys.getrefcount`` gives in a loop over a node's outputs where nobody else holds them."""
    return _references(marker("constant", (), "float32", ()).op)


def _become(tensor: Tensor, value: np.ndarray) -> None:
    """Make a tensor the constant that was computed for it."""
    node = Operation("constant", (), {"value": value})
    node.outputs = (tensor,)
    tensor.op, tensor.index, tensor._recorded = node, 0, False
    if tensor.dims != value.shape:
        tensor.set_shape(value.shape)


_UNHELD = _unheld()
