"""Times a case, and the machine's peaks, through the real engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .case import Array, Case


@dataclass(frozen=True)
class Timing:
    """Seconds of the fastest run and of the median one, hot: the same inputs every time."""

    best: float
    median: float
    runs: int


@dataclass(frozen=True)
class Peaks:
    """What this machine can do with the threads and the instruction set in use: flop/s, and bytes read and written/s."""

    flops: float
    bytes: float


def repeat(run: Callable[[], float], budget: float) -> Timing:
    """Call ``run``, which returns its own seconds, until the budget is spent, at least five times."""
    run()  # binds, packs, warms up
    run()
    times: list[float] = []
    end = time.perf_counter() + budget
    while len(times) < 5 or time.perf_counter() < end:
        times.append(run())
    return Timing(min(times), float(np.median(times)), len(times))


def on_host() -> bool:
    """Whether this thread's device reads the host's memory; on others what is measured lies there already."""
    from hornbeam import _core

    return _core.device() == "cpu"


class Subject:
    """A case built for the engine."""

    def __init__(self, case: Case, seed: int = 0) -> None:
        from hornbeam import graph as G

        rng = np.random.default_rng(seed)
        inputs: list[Any] = []
        placeholders, self.feeds = [], []
        updates: list[Any] = []
        for x in case.inputs:
            if not isinstance(x, Array):
                inputs.append(None if x is None else G.constant(x))
                continue
            value = x.make(rng)
            if x.weight:
                inputs.append(G.Variable(value))
            elif not on_host():
                inputs.append(G.Variable(value))
                updates.append((inputs[-1], inputs[-1]))  # as what a run writes, it is read anew in each run
            else:
                inputs.append(G.placeholder(x.shape, x.dtype))
                placeholders.append(inputs[-1])
                self.feeds.append(value)
        out = G.apply(case.op, inputs, **case.attrs)
        outputs = list(out) if isinstance(out, tuple) else [out]
        self.outputs = outputs[: case.keep]
        self.function = G.Function(placeholders, [_corner(t) for t in self.outputs], updates=updates)

    def run(self) -> float:
        """Run once; the seconds that the plan took, without Python's share."""
        self.function(self.feeds)
        plan = self.function.program().bind([f.shape for f in self.feeds])
        return plan.last_nanoseconds * 1e-9

    def nbytes(self, case: Case) -> int:
        """Bytes that have to be read and written at least."""
        read = sum(x.nbytes for x in case.inputs if isinstance(x, Array))
        if case.op in ("gather", "slice"):  # reads only what it writes
            read = 0
        written = sum(Array(t.shape, t.dtype).nbytes for t in self.outputs)
        return read + (2 if case.op in ("gather", "slice") else 1) * written


def _corner(t: Any) -> Any:
    """The first element of a tensor: a whole output would be a fresh array each time, and its page faults the result."""
    from hornbeam import graph as G

    flat = G.reshape(t, [-1])
    return G.apply("slice", [flat, G.constant(np.array([0])), G.constant(np.array([1]))])


def peaks(budget: float = 0.3, tiny: bool = False) -> Peaks:
    """Measure this machine, or this thread's device, which may be a simulated one."""
    from hornbeam import _core

    from .case import array, case

    chains, iterations, count = 12, 20000, 16 << 20
    if _core.device() in ("cpu", "apart"):
        tasks, lanes = 64, {"avx512": 16, "avx2": 8}.get(_core.isa(), 4)
    else:
        tasks, lanes, count = 1 << 19, 1, 256 << 20  # more threads than any GPU runs at once
    if tiny:
        tasks, iterations, count = 64, 20, 1 << 12
    fma = case("peak_fma", Array(()), tasks=tasks, iterations=iterations)
    copy = case("peak_copy", array(count))
    flops = 2 * lanes * chains * iterations * tasks / repeat(Subject(fma).run, budget).best
    return Peaks(flops, 2 * copy.inputs[0].nbytes / repeat(Subject(copy).run, budget).best)
