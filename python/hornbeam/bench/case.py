"""What is measured: one op on inputs of given shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Array:
    """An input.

    Attributes:
        shape: its dims.
        dtype: its dtype. Floats are normal, integers uniform in [0, high), bools true with probability 0.9.
        high: the integers' bound.
        weight: held in a variable, as a layer's weights are, so that the engine may pack it once.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    high: int = 2
    weight: bool = False

    def make(self, rng: np.random.Generator) -> np.ndarray:
        if self.dtype == "bool":
            return rng.random(self.shape) < 0.9
        if np.dtype(self.dtype).kind in "iu":
            return rng.integers(0, self.high, self.shape, dtype=self.dtype)
        return rng.standard_normal(self.shape, dtype="float32").astype(self.dtype, copy=False)

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


def weight(*shape: int) -> Array:
    return Array(shape, weight=True)


def array(*shape: int) -> Array:
    return Array(shape)


@dataclass(frozen=True)
class Case:
    """One op, its inputs and attributes.

    Attributes:
        op: the op's name.
        inputs: ``Array``, or an ``ndarray`` for a constant, or None where an optional input is absent.
        attrs: the op's attributes.
        flops: floating-point operations, for ops whose limit is arithmetic; None for those that move memory.
        note: added to the name, when shapes do not say enough.
        keep: how many of the outputs are asked for; the others are never computed.
    """

    op: str
    inputs: tuple[Any, ...]
    attrs: dict[str, Any] = field(default_factory=dict)
    flops: float | None = None
    note: str = ""
    keep: int | None = None

    @property
    def name(self) -> str:
        """The op and its inputs' shapes, weights in brackets: ``conv2d 8x56x56x64 [3x3x64x64]``."""
        return " ".join([self.op, *self.shapes(), *([self.note] if self.note else [])])

    def shapes(self) -> list[str]:
        def text(a: Array) -> str:
            dims = "x".join(map(str, a.shape)) or "()"
            return f"[{dims}]" if a.weight else dims

        return [text(a) for a in self.inputs if isinstance(a, Array)]


def case(
    op: str, *inputs: Any, flops: float | None = None, note: str = "", keep: int | None = None, **attrs: Any
) -> Case:
    """A ``Case`` as one writes it in the list."""
    return Case(op, inputs, attrs, flops, note, keep)


#: How a case runs in a peer: given its inputs as the peer's tensors, a function to time; None if it cannot.
Peer = Callable[[Case, list[Any]], "Callable[[], Any] | None"]
