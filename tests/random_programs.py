"""Random programs of ops, for the property test of the rewrites and for the fuzzer: a pure function of a seed.

A program is grown step by step: each step picks one of the makers in random_ops.py, which applies an op (or a pattern of ops
that the rewrites look for) to tensors made before and to new leaves. Every tensor made on the way may be read again, be an
output, or make an update.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hornbeam import graph as G
from hornbeam.graph import Tensor, Variable

FLOATS = ("float16", "float32", "float64")
#: lengths of axes: around the widths of vectors and blocks
SMALL = (1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17)
LARGE = (31, 33, 64, 65, 100, 130, 257)
LONG = (4097, 20000, 70001, 140000)  # beyond what one task takes
#: what may come out for a graph that cannot be
REFUSED = (ValueError, TypeError, IndexError)


@dataclass
class Program:
    """Tensors to feed with their values, what is computed of them, and which variables are written."""

    inputs: list[Tensor]
    feeds: list[np.ndarray]
    outputs: list[Tensor]
    updates: list[Tensor]
    variables: dict[Variable, np.ndarray]  # all that there are, with their values before a run
    phase: int = 0
    dtype: str = "float32"  # of most of its floats
    coarse: str = "float32"  # the shortest dtype that any of them has
    derived: int = 0  # how many of the last outputs are gradients
    smooth: Tensor | None = None  # a scalar, and...
    slopes: tuple = ()  # ... pairs of leaves that it depends on and its gradients, which are outputs, too


def without_slopes(program: Program) -> Program:
    """The program without gradients, for float16: there a rounding can decide on which side of a kink a number lies."""
    return replace(program, outputs=program.outputs[: len(program.outputs) - program.derived], updates=[])


class Builder:
    """A program in the making.

    Args:
        seed: whatever NumPy's generator takes.
        dtype: of its floats; drawn if not given. The program is the same but for it.
        large: whether axes may be so long that kernels cut their work for several threads.
    """

    def __init__(self, seed: Any, dtype: str | None = None, large: bool = False) -> None:
        self.rng = np.random.default_rng(seed)
        drawn = str(self.rng.choice(FLOATS, p=[0.1, 0.6, 0.3]))
        self.dtype = dtype or drawn
        self.coarse = self.dtype
        self.large = large
        self.pool: list[Tensor] = []
        self.feeds: dict[Tensor, np.ndarray] = {}
        self.variables: dict[Variable, np.ndarray] = {}
        self.sizes: dict[int, int] = {}  # of the placeholders' unknown dims
        self.refused = 0
        self.depth = 0  # of bodies being built

    # -- choices ------------------------------------------------------------------------------------------------------
    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def among(self, items: Sequence[Any]) -> Any:
        return items[int(self.rng.integers(len(items)))]

    def some(self, items: Sequence[Any], at_most: int) -> list[Any]:
        """Up to so many of the items, each at most once."""
        count = int(self.rng.integers(1, min(at_most, len(items)) + 1))
        return [items[i] for i in sorted(self.rng.permutation(len(items))[:count])]

    def length(self, at_most: int = 10**9) -> int:
        """A length for an axis."""
        if self.chance(0.01):
            return 0
        lengths = LARGE if self.large and self.chance(0.3) else SMALL
        return min(int(self.among(lengths)), at_most)

    # -- leaves -------------------------------------------------------------------------------------------------------
    def numbers(self, shape: Sequence[int], dtype: str | None = None) -> np.ndarray:
        """Numbers around zero, with a few that are zero or equal."""
        values = np.asarray(self.rng.normal(size=tuple(shape)))
        if self.chance(0.2):
            values = np.asarray(np.round(values))
        return values.astype(dtype or self.dtype)

    def leaf(self, shape: Sequence[int], kind: str | None = None) -> Tensor:
        """A placeholder (some of whose dims may be unknown), a variable, a constant or a fill of this shape."""
        shape = tuple(int(n) for n in shape)
        kind = kind or str(self.rng.choice(["placeholder", "variable", "constant", "fill"], p=[0.4, 0.4, 0.12, 0.08]))
        if kind == "placeholder":
            dims = [
                None if (axis == 0 and self.chance(0.4)) or self.chance(0.08) else n for axis, n in enumerate(shape)
            ]
            return self.placeholder(dims, self.numbers(shape))
        if kind == "variable":
            values = self.numbers(shape)
            variable = Variable(values)
            self.variables[variable] = values
            return variable
        if kind == "constant":
            return G.constant(self.numbers(shape))
        return G.apply("fill", [self.ints(*shape)], value=float(self.among([0.0, 1.0, -0.0, 0.5])), dtype=self.dtype)

    def placeholder(self, dims: Sequence[int | None], value: np.ndarray) -> Tensor:
        x = G.placeholder(dims, value.dtype.name)
        self.feeds[x] = value
        self.sizes.update((dim, n) for dim, n in zip(x.dims, value.shape) if dim < 0)
        return x

    def ints(self, *values: int) -> Tensor:
        return G.constant(np.array(values, "int64"))

    # -- what was made before -----------------------------------------------------------------------------------------
    def shape(self, x: Tensor) -> tuple[int, ...] | None:
        """The shape that x will have; None if that depends on more than the feeds."""
        dims = [self.sizes.get(d, d) for d in x.dims]
        return None if any(d < 0 for d in dims) else tuple(dims)

    def find(self, fits: Callable[[Tensor, tuple[int, ...]], bool]) -> Tensor | None:
        """One of the tensors that fit, rather a late one."""
        found = [x for x in self.pool if (shape := self.shape(x)) is not None and fits(x, shape)]
        if not found:
            return None
        return self.among(found[-5:]) if self.chance(0.6) else self.among(found)

    def number(self, rank: int | None = None, at_most: int = 300_000) -> Tensor:
        """A tensor of floats, of this rank if one is given."""
        at_most = at_most if self.large else min(at_most, 40_000)

        def fits(x: Tensor, shape: tuple[int, ...]) -> bool:
            return x.dtype == self.dtype and rank in (None, len(shape)) and np.prod(shape) <= at_most

        x = None if self.chance(0.08) else self.find(fits)
        if x is not None:
            return x
        rank = int(self.rng.integers(0, 5)) if rank is None else rank
        shape = [self.length(8 if rank > 2 else 64 if rank > 1 else 1 << 16) for _ in range(rank)]
        if rank and self.large and self.chance(0.5):
            shape = [self.among([1, 2, 3]) for _ in shape]
            shape[int(self.rng.integers(rank))] = int(self.among([n for n in LONG if n * 4 < at_most] or [100]))
        return self.leaf(shape)

    def tame(self, x: Tensor, p: float = 0.5) -> Tensor:
        """x, or something smaller: so that values stay where differences can be told from noise."""
        if not self.chance(p):
            return x
        return G.apply("tanh", [x]) if self.chance(0.5) else x * 0.4

    def like(self, x: Tensor) -> Tensor:
        """A tensor of floats with x's shape."""
        shape = self.shape(x)
        found = self.find(lambda t, s: t.dtype == self.dtype and s == shape)
        if found is not None and self.chance(0.75):
            return found
        return self.leaf(shape) if shape is not None else x * 0.5

    def beside(self, x: Tensor) -> Tensor:
        """A tensor that broadcasts with x to x's shape, mostly."""
        shape = self.shape(x)
        if shape is None or self.chance(0.4):
            return self.like(x)
        if self.chance(0.3):
            return self.leaf(())
        smaller = [1 if self.chance(0.4) else n for n in shape][int(self.rng.integers(len(shape) + 1)) :]
        fits = self.find(lambda t, s: t.dtype == self.dtype and s == tuple(smaller))
        return fits if fits is not None and self.chance(0.5) else self.leaf(smaller)

    def put(self, *made: Tensor | Sequence[Tensor]) -> None:
        """Let later steps read these."""
        for one in made:
            self.pool += list(one) if isinstance(one, (list, tuple)) else [one]

    @contextmanager
    def inside(self, own: Sequence[Tensor]) -> Iterator[None]:
        """While a body is built: its own tensors are read rather than others."""
        before, self.depth = len(self.pool), self.depth + 1
        outer = self.pool
        self.pool = [*outer, *own]
        try:
            yield
        finally:
            self.depth -= 1
            self.pool = outer[:before]

    def step(self, makers: Sequence[tuple[float, Callable[[Builder], None]]]) -> None:
        """Apply one of the makers. What it may not do is a ValueError or TypeError that says so in a few words."""
        weights = np.array([weight for weight, _ in makers])
        _, maker = makers[int(self.rng.choice(len(makers), p=weights / weights.sum()))]
        self.attempt(maker.__name__, lambda: maker(self))

    def attempt(self, name: str, do: Callable[[], None]) -> None:
        try:
            do()
        except REFUSED as error:
            self.refused += 1
            if not 10 <= len(str(error)) <= 1500:
                raise AssertionError(f"{name}: unreadable {type(error).__name__}: {str(error)!r:.300}") from error


def grow(seed: int, dtype: str | None = None, large: bool | None = None) -> Program:
    """The program of a seed.

    One in three is a short one of the patterns that rewrites look for, and a step of training.

    Args:
        dtype: in place of the one that is drawn.
        large: whether axes are long; for one seed in ten if not given.
    """
    from random_ops import MAKERS, PATTERNS

    sizes = np.random.default_rng([seed, 1])
    large = bool(sizes.random() < 0.1) if large is None else large
    trains = bool(sizes.random() < 0.33)
    b = Builder(seed, dtype, large)
    for _ in range(int(sizes.integers(1, 6) if trains else sizes.integers(2, 20))):
        b.step(PATTERNS if trains else MAKERS)
    return finish(b, trains)


def finish(b: Builder, trains: bool = False) -> Program:
    """Choose outputs and updates among what was made; gradients are among both."""
    made = [x for x in b.pool if x.op.op not in ("constant", "placeholder")] or [b.leaf((2, 3)) * 2.0]
    outputs = b.some(made[-8:], 3) + ([b.among(made)] if b.chance(0.5) else [])
    program = Program([], [], outputs, [], b.variables, int(b.chance(0.5)), b.dtype, b.coarse)
    floats = [x for x in outputs if x.dtype == b.dtype]
    if floats and (trains or b.chance(0.6)):
        b.attempt("gradients", lambda: _add_slopes(b, program, floats, trains))
    if trains or b.chance(0.5):
        _add_updates(b, program)
    if b.chance(0.2):
        outputs.insert(0, b.among(outputs))  # twice
    program.inputs, program.feeds = list(b.feeds), list(b.feeds.values())
    return program


def _add_slopes(b: Builder, program: Program, floats: list[Tensor], trains: bool) -> None:
    """Let the program compute gradients of a sum over its outputs."""
    loss = None
    for y in floats:
        shape = b.shape(y)
        weighed = y * G.constant(b.numbers(shape)) if shape is not None and int(np.prod(shape)) < 4096 else y * y
        term = G.apply("reduce_sum", [b.tame(weighed, 0.3)], axes=list(range(y.ndim)), keepdims=False)
        loss = term if loss is None else loss + term
    leaves = [x for x in [*b.feeds, *b.variables] if x.dtype == b.dtype]
    if not leaves:
        return
    wanted = [x for x in leaves if isinstance(x, Variable)] if trains else []
    wanted = wanted or b.some(leaves, 5)
    inner = b.find(lambda x, _: x.dtype == b.dtype)
    found = G.gradients([loss], [*wanted, *([] if inner is None else [inner])])
    pairs = [(x, g) for x, g in zip(wanted, found) if g is not None]
    if not pairs:
        return
    program.smooth, program.slopes = loss, tuple(pairs)
    values = len(program.outputs)
    program.outputs += [loss, *(g for _, g in pairs if not trains or b.chance(0.3))]
    if inner is not None and found[-1] is not None:
        program.outputs.append(found[-1])
    if b.chance(0.15):  # once more
        second = sum(G.apply("reduce_sum", [g * g], axes=list(range(g.ndim)), keepdims=False) for _, g in pairs)
        program.outputs += [g for g in G.gradients([second], [x for x, _ in pairs]) if g is not None]
    program.derived = len(program.outputs) - values


def _add_updates(b: Builder, program: Program) -> None:
    """Let the program write variables: steps of an optimizer along the gradients, and whatever else has their shape."""
    of_shape = {x: g for x, g in program.slopes if isinstance(x, Variable)}
    formula = b.among((_descent, _momentum, _adam))
    rate = G.Variable(np.array(0.05, b.dtype))
    b.variables[rate] = np.array(0.05, b.dtype)
    for variable, g in of_shape.items():
        program.updates += formula(b, variable, g, rate)
    others = [v for v in list(b.variables) if v not in of_shape and v is not rate and v.dtype == b.dtype]
    for variable in b.some(others, 3) if others and b.chance(0.6) else []:
        value = b.like(variable)
        if value is variable or b.chance(0.5):
            value = value * 0.5 + b.beside(variable)
        if b.shape(value) == tuple(variable.dims):
            how = b.among((variable.assign, variable.assign_add, variable.assign_sub))
            program.updates.append(how(value))
            if b.chance(0.2):
                program.outputs.insert(0, program.updates[-1])


def _state(b: Builder, like: Variable, value: float = 0.0) -> Variable:
    values = np.full(like.dims, value, b.dtype)
    state = Variable(values)
    b.variables[state] = values
    return state


def _descent(b: Builder, p: Variable, g: Tensor, rate: Tensor) -> list[Tensor]:
    return [p.assign(p - rate * g)]


def _momentum(b: Builder, p: Variable, g: Tensor, rate: Tensor) -> list[Tensor]:
    m = _state(b, p)
    new = m * 0.9 - rate * g
    return [m.assign(new), p.assign(p + new)]


def _adam(b: Builder, p: Variable, g: Tensor, rate: Tensor) -> list[Tensor]:
    m, v = _state(b, p), _state(b, p, 0.5)
    new_m, new_v = m * 0.9 + g * 0.1, v * 0.99 + (g * g) * 0.01
    return [m.assign(new_m), v.assign(new_v), p.assign(p - rate * new_m / (G.apply("sqrt", [new_v]) + 1e-3))]
