"""A random program of ops, computed in every way there is."""

from __future__ import annotations

import dataclasses
import pathlib
import traceback
from collections.abc import Callable

import numpy as np
from hornbeam import _core
from hornbeam import graph as G
from hornbeam.graph.flat import FlatOp, flatten
from random_programs import Program, grow, without_slopes
from running_programs import Noise, Runner, binds, graph_of, poisoned, same_bits, widen_all

Check = Callable[[Program], str]


def check_program(seed: int) -> str:
    """What is wrong with the program of a seed; empty if nothing is."""
    program = grow(seed)
    if not binds(program):
        return ""
    for check in CHECKS:
        wrong = outcome(check, program)
        if wrong:
            return f"{check.__name__}: {wrong}\n{reduced(program, check)}"
    wrong = twin_in_float64(seed, program)
    return wrong and f"twin_in_float64: {wrong}\n{listed(program)}"


def outcome(check: Check, program: Program) -> str:
    """What a check says, or raises."""
    try:
        return check(program)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {pathlib.Path(last.filename).name}:{last.lineno}: {str(error)[:300]}"


def memory(program: Program) -> str:
    """Runs again, with 1, 2 and 3 threads, without reuse, with poison and on each device: the same bits."""
    runner, unshared = Runner(program), Runner(program, reuse=False)
    for isa in _core.available_isas():
        want = runner(isa)
        with poisoned():
            clean = Runner(program)
            in_poison = clean(isa)
        ways = {
            "again": runner(isa),
            "one thread": runner(isa, threads=1),
            "three threads": runner(isa, threads=3),
            "no reuse": unshared(isa),
            "poison": in_poison,
            "NaN around inputs": runner(isa, guard=np.nan),
            **{name: runner(isa, device=name) for name in ("cpu", "apart")},  # which have the same kernels
        }
        for name, got in ways.items():
            wrong = same_bits(got, want)
            if wrong:
                return f"{isa}, {name}: {wrong}"
    return ""


def instruction_sets(program: Program) -> str:
    """Results of the instruction sets, and of the program without rewrites, are close to each other."""
    if program.coarse == "float16":
        program = without_slopes(program)
    runner, isas = Runner(program), _core.available_isas()
    noise = Noise(program, isas[-1])
    if program.coarse == "float16" and too_large(noise.results):
        return ""
    for isa in isas:
        wrong = noise.difference(runner(isa))
        if wrong:
            return f"{isa} against {isas[-1]} without rewrites: {wrong}"
    return ""


def slopes(program: Program) -> str:
    """Gradients are what finite differences say, where these agree with each other."""
    ops = graph_of(program).ops
    if program.smooth is None or program.coarse != "float64" or any(_is_unlike_its_slope(op) for op in ops):
        return ""
    loss, found = program.smooth, [g for _, g in program.slopes]
    run = Runner(dataclasses.replace(program, outputs=[loss, *found], updates=[]))
    rng = np.random.default_rng(0)
    base = run()
    if not np.isfinite(base[0]) or not all(np.isfinite(g).all() for g in base[1:]):
        return ""
    for number, (leaf, _) in enumerate(program.slopes, 1):
        value = program.variables.get(leaf)
        value = program.feeds[program.inputs.index(leaf)] if value is None else value
        direction, aside = rng.normal(size=(2, *value.shape))
        wrong = off_slope(program, run, number, value, direction)
        # Zeros may lie on several kinks at once, whose steps cancel each other. Numbers next to them do not.
        if wrong and off_slope(program, run, number, value + 1e-2 * aside, direction):
            return f"gradient of {leaf.name} {leaf.shape}: {wrong}"
    return ""


def off_slope(program: Program, run: Runner, number: int, value: np.ndarray, direction: np.ndarray) -> str:
    """Where the gradient that is result ``number`` at a value of its leaf is not what differences say."""
    leaf = program.slopes[number - 1][0]
    here = run_with(program, run, leaf, np.asarray(value))
    loss, gradient = float(here[0]), here[number]
    want = float((gradient * direction).sum())
    ends = {
        step: float(run_with(program, run, leaf, np.asarray(value + step * direction))[0])
        for step in (1e-4, -1e-4, 1e-5, -1e-5)
    }
    wide, narrow = ((ends[step] - ends[-step]) / (2 * step) for step in (1e-4, 1e-5))
    kink = abs(ends[1e-5] + ends[-1e-5] - 2 * loss) / 1e-5
    size = np.abs(gradient * direction).sum() + 1e-3 + abs(loss) * 1e-3
    if kink < 1e-3 * size and abs(wide - narrow) < 1e-5 * size and not abs(want - narrow) < 1e-4 * size:
        return f"{want}, by differences {narrow}"
    return ""


def run_with(program: Program, run: Runner, leaf: G.Tensor, value: np.ndarray) -> list[np.ndarray]:
    """Run with another value of one leaf."""
    feeds = [value if x is leaf else a for x, a in zip(program.inputs, program.feeds)]
    variables = {v: value if v is leaf else a for v, a in program.variables.items()}
    before, run.program = run.program, dataclasses.replace(run.program, feeds=feeds, variables=variables)
    try:
        return run()
    finally:
        run.program = before


def twin_in_float64(seed: int, program: Program) -> str:
    """The same program in float64 gives nearly the same, and its gradients are right."""
    if program.dtype == "float64" or any(op.is_random for op in graph_of(program).ops):
        return ""
    twin = grow(seed, dtype="float64")
    if [op.name for op in graph_of(twin).ops] != [op.name for op in graph_of(program).ops]:
        return ""  # some makers decide by dtype: then there is no twin
    return slopes(twin) or away_from(twin, program)


def away_from(twin: Program, program: Program) -> str:
    """Where a program differs from the same one in float64 by more than noise."""
    got = Runner(program)()
    wrong = "" if too_large(got) else Noise(twin, _core.available_isas()[-1], program.coarse).difference(got)
    return "" if wrong and too_large(_values_between(twin)) else wrong


def too_large(results: list[np.ndarray]) -> bool:
    """Whether numbers on the way may have left the range of their dtype."""
    with np.errstate(all="ignore"):
        return any(a.dtype.kind == "f" and not np.all(np.abs(a) < 1e4) for a in results)


def _is_unlike_its_slope(op: FlatOp) -> bool:
    return op.is_random or op.name == "stop_gradient" or any(_is_unlike_its_slope(o) for b in op.bodies for o in b.ops)


CHECKS: tuple[Check, ...] = (memory, instruction_sets, slopes)


# -- the smallest program that still shows it --------------------------------------------------------------------------
def reduced(program: Program, check: Check, tries: int = 120) -> str:
    """Leave outputs and updates out, and feed tensors in between, as long as the check still finds something."""

    def fails(candidate: Program) -> bool:
        nonlocal tries
        tries -= 1
        return binds(candidate) and bool(outcome(check, candidate))

    for part in ("updates", "outputs"):
        for one in list(getattr(program, part)):
            left = [x for x in getattr(program, part) if x is not one]
            candidate = dataclasses.replace(program, **{part: left})
            if tries > 0 and (left or part == "updates") and check is not slopes and fails(candidate):
                program = candidate
    if check is not slopes:
        program = _cut(program, fails, lambda: tries > 0)
    return listed(program)


def _cut(program: Program, fails: Callable[[Program], bool], go_on: Callable[[], bool]) -> Program:
    """Feed tensors of which the rest of the program is made, the latest first."""
    between = _between(program)
    for x, value in sorted(zip(between, _values_between(program)), key=lambda pair: -pair[0].op.serial):
        if any(x is y for y in (*program.outputs, *program.inputs)) or not go_on():
            continue
        candidate = dataclasses.replace(program, inputs=[*program.inputs, x], feeds=[*program.feeds, value])
        if fails(candidate):
            program = candidate
    needed = {id(t) for t in _leaves(program)}
    kept = [(x, a) for x, a in zip(program.inputs, program.feeds) if id(x) in needed]
    smaller = dataclasses.replace(program, inputs=[x for x, _ in kept], feeds=[a for _, a in kept])
    return smaller if fails(smaller) else program


def _walk(program: Program) -> tuple[list[G.Tensor], list[G.Tensor]]:
    """The leaves and the computed tensors that outputs and updates need."""
    fed = {id(x) for x in program.inputs}
    seen: set[int] = set()
    leaves: list[G.Tensor] = []
    made: list[G.Tensor] = []
    stack = [*program.outputs, *program.updates]
    while stack:
        x = stack.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if id(x) in fed or not x.op.inputs:
            leaves.append(x)
            continue
        if x.op.op not in ("assign", "phase_switch"):
            made.append(x)
        stack += [t for t in x.op.inputs if t is not None]
    return leaves, made


def _leaves(program: Program) -> list[G.Tensor]:
    return _walk(program)[0]


def _between(program: Program) -> list[G.Tensor]:
    return _walk(program)[1]


def _values_between(program: Program) -> list[np.ndarray]:
    """What is computed on the way, without rewrites."""
    between = _between(program)
    return Runner(dataclasses.replace(program, outputs=between, updates=[]), [widen_all], reuse=False)()


def listed(program: Program) -> str:
    """The flat graph, and what is fed."""
    graph = flatten(program.inputs, program.outputs, program.updates, program.phase)
    feeds = [f"feed {a.dtype} {list(a.shape)}" for a in program.feeds]
    variables = [f"{v} = variable {x.dtype} {x.dims}" for v, x in enumerate(graph.values) if x.kind == "variable"]
    return "\n".join([*feeds, *variables, *str(graph).splitlines()][:60])
