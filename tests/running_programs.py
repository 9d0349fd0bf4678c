"""Compiling and running the programs of random_programs.py, and telling a difference from noise."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest

import hornbeam
import numpy as np
from hornbeam import _core
from hornbeam.graph import RunCounter
from hornbeam.graph.flat import FlatGraph, FlatOp, flatten
from hornbeam.graph.rewrites import PASSES
from hornbeam.graph.rewrites.half import widen_half
from hornbeam.graph.variable import read_state, write_state
from random_programs import FLOATS, REFUSED, Program

#: Largest differences, relative to the largest number of a result, between two ways to compute it that round
#: differently; by the dtype of the program's floats. Beyond, it must be what rounding does to the inputs that differs.
TOLERANCE = {"float16": 2e-2, "float32": 2e-5, "float64": 1e-10}
#: How often the difference may be what a change of the inputs by a few units of their last place makes.
_AMPLIFIED = 100.0

Pass = Callable[[FlatGraph], None]


def widen_all(graph: FlatGraph) -> None:
    """What a program with float16 cannot do without."""
    for op in graph.ops:
        for body in op.bodies:
            widen_all(body)
    widen_half(graph)


def _put_everything_out(graph: FlatGraph) -> None:
    graph.outputs = [v for op in graph.ops for v in op.outputs]


def graph_of(program: Program) -> FlatGraph:
    return flatten(program.inputs, program.outputs, program.updates, program.phase)


class Runner:
    """A compiled program. Calling it runs it from the same state each time.

    Args:
        passes: the rewrites, all of them by default.
        reuse: whether values share memory.
        scale: by which part of itself each number of its constants is changed at most; how, follows from ``seed``.
    """

    def __init__(
        self,
        program: Program,
        passes: Sequence[Pass] = PASSES,
        reuse: bool = True,
        scale: float = 0.0,
        seed: int = 0,
    ) -> None:
        graph = graph_of(program)
        _change_constants(graph, scale, np.random.default_rng(seed))
        for rewrite_pass in passes:
            rewrite_pass(graph)
        self.program = program
        self.core, variables = graph.lower(reuse)
        for variable in variables:
            variable.materialize()

    def __call__(
        self,
        isa: str | None = None,
        threads: int = 2,
        guard: float | None = None,
        scale: float = 0.0,
        seed: int = 0,
        device: str | None = None,
    ) -> list[np.ndarray]:
        """The outputs, and the values of all variables after the run.

        Args:
            isa, device: where it runs, by default where everything does.
            guard: what stands in memory before and behind each fed array.
            scale: by which part of itself each number of the inputs is changed at most; how, follows from ``seed``.
        """
        rng = np.random.default_rng(seed)
        write_state([(v, _changed(value, scale, rng)) for v, value in self.program.variables.items()])
        feeds = [_changed(a, scale, rng) for a in self.program.feeds]
        if guard is not None:
            feeds = [_guarded(a, guard) for a in feeds]
        before = _core.isa(), _core.num_threads()
        _core.set_isa(isa or before[0])
        _core.set_num_threads(threads)
        try:
            with hornbeam.device(device or _core.device()):
                outputs = self.core.run(feeds, RunCounter())
        finally:
            _core.set_isa(before[0])
            _core.set_num_threads(before[1])
        written = {id(u.op.attrs["variable"]) for u in self.program.updates}
        return [*outputs, *read_state([v for v in self.program.variables if id(v) in written])]


def _changed(a: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    if not scale or a.dtype.name not in FLOATS:
        return a
    with np.errstate(all="ignore"):
        return np.asarray(a * (1 + scale * rng.uniform(-1, 1, a.shape)), a.dtype)


def _change_constants(graph: FlatGraph, scale: float, rng: np.random.Generator) -> None:
    for value in graph.values:
        if value.kind == "constant":
            value.payload = _changed(value.payload, scale, rng)
    for op in graph.ops:
        for body in op.bodies:
            _change_constants(body, scale, rng)


def _guarded(a: np.ndarray, guard: float) -> np.ndarray:
    """A copy that lies between numbers which nobody may read."""
    if a.dtype.name not in FLOATS or a.size == 0:
        return a
    room = np.full(a.size + 64, guard, a.dtype)
    room[32:-32] = a.reshape(-1)
    return room[32:-32].reshape(a.shape)


def binds(program: Program) -> bool:
    """Whether the program fits its feeds: what is only seen when shapes are known is said in a few words, too."""
    try:
        Runner(program, [widen_all], reuse=False)()
    except REFUSED as error:
        if not 10 <= len(str(error)) <= 1500:
            raise
        return False
    return True


@contextmanager
def poisoned() -> Iterator[None]:
    """Programs that are bound in here fill memory that holds no value with NaN bits."""
    before = os.environ.get("HORNBEAM_ARENA")
    os.environ["HORNBEAM_ARENA"] = "poison"
    try:
        yield
    finally:
        os.environ.pop("HORNBEAM_ARENA")
        if before is not None:
            os.environ["HORNBEAM_ARENA"] = before


def same_bits(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> str:
    """Where two lists of results differ in shape, dtype or bits; empty if they do not. All NaN count as one."""
    for i, (x, y) in enumerate(zip(a, b)):
        if (x.shape, x.dtype) != (y.shape, y.dtype):
            return f"result {i} is {x.dtype} {x.shape} and {y.dtype} {y.shape}"
        if not np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
            return f"result {i} differs at {np.argwhere(x != y)[0].tolist()} of {x.shape}: {_ends(x, y)}"
    return ""


def _ends(x: np.ndarray, y: np.ndarray) -> str:
    at = tuple(np.argwhere((x != y) & ~((x != x) & (y != y)))[0])
    return f"{x[at]} and {y[at]}"


#: Ops whose results jump where their inputs pass a border: next to it, rounding decides which side a number is on.
_JUMPING = {
    "argmax", "argmin", "top_k", "sign", "floor", "ceil", "round", "floor_div", "mod", "equal", "not_equal", "less",
    "less_equal", "greater", "greater_equal",
}  # fmt: skip


def _jumping(program: Program) -> list[bool]:
    """For each result of a Runner, whether it depends on an op that jumps."""
    graph = graph_of(program)
    makers = graph.makers()

    def looks_for_numbers_of_others(op: FlatOp) -> bool:
        """A max pooling's derivative finds where x is y; if y was not pooled from x, rounding decides whether it is."""
        if op.name not in ("max_pool2d_grad", "max_pool2d_gather"):
            return False
        maker = makers.get(op.inputs[1])
        return maker is None or (maker.name, maker.inputs[0]) != ("max_pool2d", op.inputs[0])

    return _depending(program, graph, lambda op: _jumps(op) or looks_for_numbers_of_others(op))


def _depending(program: Program, graph: FlatGraph, chosen: Callable[[FlatOp], bool]) -> list[bool]:
    """For each result of a Runner, whether it depends on a chosen op."""
    tainted: set[int] = set()
    for op in graph.ops:
        if chosen(op) or tainted.intersection(op.inputs):
            tainted.update(op.outputs)
    written = {id(variable): v in tainted for variable, v in graph.updates}
    return [v in tainted for v in graph.outputs] + [written[id(v)] for v in program.variables if id(v) in written]


def _overflowing(program: Program, isa: str | None) -> list[bool]:
    """For each result of a Runner, whether an op on the way makes infinities or NaN of finite numbers where it adds up.

    Whether a sum of products beyond the dtype's range is infinite or NaN is decided by rounding: -1e44 + inf with a fused
    multiply-add is -inf + inf without it.
    """
    graph = graph_of(program)
    results = Runner(program, [_put_everything_out, widen_all], reuse=False)(isa)
    computed = [v for op in graph.ops for v in op.outputs]
    finite = dict.fromkeys(range(len(graph.values)), True)
    finite.update((v, bool(np.isfinite(a).all())) for v, a in zip(computed, results))

    def overflows(op: FlatOp) -> bool:
        from_finite = all(finite[v] for v in op.inputs if v >= 0)
        return from_finite and not all(finite[v] for v in op.outputs) and not _core.op_info(op.name).elementwise

    return _depending(program, graph, overflows)


def _jumps(op: FlatOp) -> bool:
    to_integers = op.name == "cast" and op.attrs["dtype"] not in FLOATS
    return to_integers or op.name in _JUMPING or any(_jumps(inner) for body in op.bodies for inner in body.ops)


class Noise:
    """How much the results of a program change when its inputs do by some units of their last place.

    Args:
        program: whose results, without rewrites, are what others are compared with.
        isa: the instruction set.
        dtype: in whose units inputs change, by default the shortest one of the program.
    """

    def __init__(self, program: Program, isa: str | None = None, dtype: str | None = None) -> None:
        self._program = program
        self._isa = isa
        self._dtype = dtype or program.coarse
        self._unit = float(np.finfo(self._dtype).eps)
        self._plain = Runner(program, [widen_all], reuse=False)
        self.results = self._plain(isa)
        self._jumping = _jumping(program)

    def difference(self, got: Sequence[np.ndarray]) -> str:
        """Where results differ from the program's by more than noise; empty if they do not.

        Those that jump may be on the other side of a border, and those of which an overflow was a part may be anything.
        """
        return (
            self._beyond(got, [np.zeros(a.shape) for a in self.results])
            and self._beyond(got, self._spread(8, 2, False))
            and self._beyond(got, self._spread(8, 8, True))
            and self._beyond(got, self._spread(256, 16, True), _overflowing(self._program, self._isa))
        )

    def _spread(self, units: float, times: int, constants: bool) -> list[np.ndarray]:
        """The largest changes in so many runs; ``constants`` as well may change."""
        most = [np.zeros(a.shape) for a in self.results]
        for seed in range(times):
            scale = units * self._unit
            runner = Runner(self._program, [widen_all], False, scale, seed) if constants else self._plain
            for old, a, b in zip(most, runner(self._isa, scale=scale, seed=seed), self.results):
                if a.shape == b.shape:
                    np.maximum(old, _distance(a, b), out=old)
        return most

    def _beyond(self, got: Sequence[np.ndarray], spread: Sequence[np.ndarray], overflowing: Sequence[bool] = ()) -> str:
        exempt = [a or bool(b) for a, b in zip_longest(self._jumping, overflowing)]
        for i, (x, y, noise) in enumerate(zip(got, self.results, spread)):
            if (x.shape, x.dtype.kind) != (y.shape, y.dtype.kind):
                return f"result {i} is {x.dtype} {x.shape} and {y.dtype} {y.shape}"
            if x.size == 0:
                continue
            apart = _distance(x, y)
            size = np.max(np.abs(np.where(np.isfinite(y), y, 0)).astype("float64"), initial=1.0)
            # One number's noise may be zero by chance: its neighbours' counts as well.
            allowed = TOLERANCE[self._dtype] * size + _AMPLIFIED * np.maximum(noise, np.median(noise))
            with np.errstate(all="ignore"):
                wrong = ~(apart <= allowed)
            if wrong.any() and not exempt[i]:
                at = tuple(np.argwhere(wrong)[0])
                return f"result {i} differs at {[int(n) for n in at]} of {x.shape}: {x[at]} and {y[at]}"
        return ""


def _distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Differences; infinite where only one is NaN or infinite."""
    with np.errstate(all="ignore"):
        apart = np.abs(x.astype("float64") - y.astype("float64"))
    same = (x == y) | ((x != x) & (y != y))
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
