"""Random numbers whose state the script holds: ``tf.random.Generator`` and ``tf.random.stateless_*``.

They come from NumPy's Philox generator, keyed by the seed, and are not TensorFlow's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from ..graph.context import context
from ..graph.tensor import NeedsValue
from . import k as K
from . import random
from .common import dtype_name, entries, first_given, tensor
from .table import for_scripts


def _shape(shape: Any) -> list[int]:
    return [int(n) for n in entries(shape)]


def _key(seed: Any) -> np.random.Generator:
    """The generator of a stateless function's seed: two numbers."""
    numbers = np.ravel(tensor(seed).numpy()).astype("int64").astype("uint64")
    if numbers.shape != (2,):
        raise ValueError(f"a stateless seed is two integers, got shape {numbers.shape}")
    return np.random.Generator(np.random.Philox(key=numbers))


# -- draws of NumPy's generator ----------------------------------------------------------------------------------------
def _normal(rng: np.random.Generator, shape: list, mean: Any, stddev: Any, dtype: str) -> Tensor:
    return graph.constant(rng.standard_normal(shape), dtype) * stddev + mean


def _truncated(rng: np.random.Generator, shape: list, mean: Any, stddev: Any, dtype: str) -> Tensor:
    drawn = rng.standard_normal(shape)
    while (far := np.abs(drawn) > 2).any():
        drawn = np.where(far, rng.standard_normal(shape), drawn)
    return graph.constant(drawn, dtype) * stddev + mean


def _uniform(rng: np.random.Generator, shape: list, minval: Any, maxval: Any, dtype: str) -> Tensor:
    if dtype.startswith("float"):
        return graph.constant(rng.random(shape), dtype) * (first_given(maxval, 1.0) - minval) + minval
    limits = np.iinfo(dtype)
    low, high = (
        (int(limits.min), int(limits.max) + 1)
        if minval is None
        else (int(minval), int(limits.max if maxval is None else maxval))
    )
    return graph.constant(rng.integers(low, high, shape, dtype=dtype), dtype)


# -- without state -------------------------------------------------------------------------------------------------------
@for_scripts("random.stateless_normal")
def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None, alg: Any = None
) -> Tensor:
    return _normal(_key(seed), _shape(shape), mean, stddev, dtype_name(dtype))


@for_scripts("random.stateless_truncated_normal")
def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None, alg: Any = None
) -> Tensor:
    return _truncated(_key(seed), _shape(shape), mean, stddev, dtype_name(dtype))


@for_scripts("random.stateless_uniform")
def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    name: Any = None,
    alg: Any = None,
) -> Tensor:
    return _uniform(_key(seed), _shape(shape), minval, maxval, dtype_name(dtype))


@for_scripts("random.stateless_categorical")
def stateless_categorical(logits: Any, num_samples: int, seed: Any, dtype: Any = "int64", name: Any = None) -> Tensor:
    """Classes (batch, num_samples) drawn by their logits (batch, classes)."""
    logits = tensor(logits)
    noise = _key(seed).gumbel(size=(logits.shape[0], int(num_samples), logits.shape[1]))
    scores = K.expand_dims(logits, 1) + graph.constant(noise, logits.dtype)
    return graph.cast(K.argmax(scores, axis=-1), dtype_name(dtype))


def _drawn(draw: Callable) -> Callable:
    """A distribution of NumPy's, whose parameters broadcast to the end of ``shape``."""

    def stateless(shape: Any, seed: Any, *parameters: Any, dtype: Any = None, name: Any = None, **named: Any) -> Tensor:
        values = [np.asarray(tensor(p).numpy()) for p in (*parameters, *named.values())]
        given = next((v.dtype.name for v in values if v.dtype.kind == "f"), "float32")
        return graph.constant(draw(_key(seed), _shape(shape), *values), dtype_name(dtype or given))

    return stateless


def _gamma(rng: np.random.Generator, shape: list, alpha: Any, beta: Any = 1.0) -> Any:
    return rng.gamma(alpha, 1 / np.asarray(beta), shape)


def _poisson(rng: np.random.Generator, shape: list, lam: Any) -> Any:
    return rng.poisson(lam, shape)


def _binomial(rng: np.random.Generator, shape: list, counts: Any, probs: Any) -> Any:
    return rng.binomial(np.asarray(counts).astype("int64"), probs, shape)


for _name, _draw in (("gamma", _gamma), ("poisson", _poisson), ("binomial", _binomial)):
    for_scripts(f"random.stateless_{_name}")(_drawn(_draw))


@for_scripts("random.experimental.stateless_split", "random.split")
def stateless_split(seed: Any, num: int = 2, alg: Any = None) -> Tensor:
    """Seeds (num, 2) that follow from one."""
    return _uniform(_key(seed), [int(num), 2], None, None, "int32")


@for_scripts("random.experimental.stateless_fold_in", "random.fold_in")
def stateless_fold_in(seed: Any, data: Any, alg: Any = None) -> Tensor:
    """A seed that follows from one and a number."""
    first, second = np.ravel(tensor(seed).numpy())
    return stateless_split([int(first), int(second) ^ int(data)], 1)[0]


@for_scripts("random.experimental.stateless_shuffle", "random.experimental.index_shuffle")
def stateless_shuffle(value: Any, seed: Any, alg: Any = None, name: Any = None) -> Tensor:
    x = tensor(value)
    return graph.apply("gather", [x, graph.constant(_key(seed).permutation(int(x.shape[0])))], axis=0)


# -- with TensorFlow's global state -------------------------------------------------------------------------------------
def _now() -> np.random.Generator:
    """A generator that follows from NumPy's, as the seeds of all random ops do.

    Raises:
        NeedsValue: a function is being traced, which would have the same numbers in each run.
    """
    if context.trace is not None:
        raise NeedsValue("numbers of this distribution are drawn when they are asked for")
    return np.random.Generator(np.random.Philox(key=int(np.random.randint(2**31))))


@for_scripts("random.gamma", "random_gamma")
def gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Tensor:
    """``shape`` numbers for each of the parameters."""
    a, b = np.broadcast_arrays(*(np.asarray(tensor(p).numpy()) for p in (alpha, 1.0 if beta is None else beta)))
    rng = _now() if seed is None else np.random.default_rng(seed)
    return graph.constant(rng.gamma(a, 1 / b, (*_shape(shape), *a.shape)), dtype_name(dtype))


@for_scripts("random.poisson", "random_poisson")
def poisson(shape: Any, lam: Any, dtype: Any = "float32", seed: Any = None, name: Any = None) -> Tensor:
    """``shape`` numbers for each of the means."""
    means = np.asarray(tensor(lam).numpy())
    rng = _now() if seed is None else np.random.default_rng(seed)
    return graph.constant(rng.poisson(means, (*_shape(shape), *means.shape)), dtype_name(dtype))


# -- generators ------------------------------------------------------------------------------------------------------------
@for_scripts("random.Generator", "random.experimental.Generator")
class Generator:
    """Random numbers that follow from a seed. In a function that is traced they are new in each run.

    Args:
        copy_from: a generator whose state this one begins with.
    """

    def __init__(self, copy_from: Generator | None = None, state: Any = None, alg: Any = None) -> None:
        self.reset_from_seed(0 if state is None else int(np.ravel(state)[0]))
        if copy_from is not None:
            self._rng.bit_generator.state = copy_from._rng.bit_generator.state

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        return cls(state=seed)

    @classmethod
    def from_state(cls, state: Any, alg: Any = None) -> Generator:
        return cls(state=state)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        return cls(state=np.random.SeedSequence().generate_state(1)[0])

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any = None) -> Generator:
        return cls(state=int(key) ^ int(np.ravel(counter)[0]))

    def reset_from_seed(self, seed: Any) -> None:
        """Begin again."""
        self._rng = np.random.Generator(np.random.Philox(key=int(seed) % 2**64))

    def skip(self, delta: Any) -> None:
        self._rng.bit_generator.advance(int(delta))  # type: ignore[attr-defined]

    def split(self, count: int = 1) -> list[Generator]:
        """Generators that follow from this one."""
        return [Generator(state=int(self._rng.integers(2**62))) for _ in range(count)]

    def make_seeds(self, count: int = 1) -> Tensor:
        """Seeds for stateless functions, one a column: (2, count)."""
        return _uniform(self._rng, [2, int(count)], None, None, "int64")

    def _draw(self, now: Callable, each_run: Callable, shape: Any, *parameters: Any, dtype: Any) -> Tensor:
        if context.trace is not None:
            return each_run(shape, *parameters, dtype, seed=int(self._rng.integers(2**31 - 1)))
        return now(self._rng, _shape(shape), *parameters, dtype_name(dtype))

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None
    ) -> Tensor:
        return self._draw(_normal, random.normal, shape, mean, stddev, dtype=dtype)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None
    ) -> Tensor:
        return self._draw(_truncated, random.truncated_normal, shape, mean, stddev, dtype=dtype)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: Any = None
    ) -> Tensor:
        return self._draw(_uniform, random.uniform, shape, minval, maxval, dtype=dtype)

    def uniform_full_int(self, shape: Any, dtype: Any = "int64", name: Any = None) -> Tensor:
        return _uniform(self._rng, _shape(shape), None, None, dtype_name(dtype))

    def binomial(self, shape: Any, counts: Any, probs: Any, dtype: Any = "int32", name: Any = None) -> Tensor:
        drawn = _binomial(self._rng, _shape(shape), tensor(counts).numpy(), tensor(probs).numpy())
        return graph.constant(drawn, dtype_name(dtype))


class _Global:
    """The generator that ``get_global_generator`` gives."""

    generator: Generator | None = None


@for_scripts("random.get_global_generator", "random.experimental.get_global_generator")
def get_global_generator() -> Generator:
    if _Global.generator is None:
        _Global.generator = Generator(state=int(np.random.randint(2**31)))
    return _Global.generator


@for_scripts("random.set_global_generator", "random.experimental.set_global_generator")
def set_global_generator(generator: Generator) -> None:
    _Global.generator = generator
