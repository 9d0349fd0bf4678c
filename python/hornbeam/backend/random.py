"""Random tensors: fresh numbers at each run, the same for the same seed and run.

An op without a seed draws one from ``np.random`` when it is built, so ``np.random.seed`` makes a script
repeatable, as it always did.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor, as_integer, floatx
from ..settings import settings


def new_seed() -> int:
    """A seed for an op that was given none."""
    if settings.recorder is not None and settings.recorder.records:
        return settings.recorder.seed()
    return int(np.random.randint(1, 2**31 - 1))


def _apply(op: str, shape: Any, dtype: str | None, seed: int | None, **attrs: float) -> Tensor:
    seed = new_seed() if seed is None else as_integer(seed, "`seed`")
    attrs = {k: float(v) for k, v in attrs.items()}
    return graph.apply(op, [graph.shape_tensor(shape)], seed=seed, dtype=dtype or floatx(), **attrs)


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Normally distributed numbers; ``shape`` may hold scalar tensors."""
    return _apply("random_normal", shape, dtype, seed, mean=mean, stddev=stddev)


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Numbers uniform on [minval, maxval)."""
    return _apply("random_uniform", shape, dtype, seed, low=minval, high=maxval)


def random_binomial(shape: Any, p: float = 0.0, dtype: str | None = None, seed: int | None = None) -> Tensor:
    """1 with probability p, else 0."""
    return _apply("random_bernoulli", shape, dtype, seed, p=p, scale=1.0)


random_bernoulli = random_binomial  # tf.keras's later name


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Normally distributed numbers, drawn again where they lie more than two standard deviations from the mean."""
    return _apply("truncated_normal", shape, dtype, seed, mean=mean, stddev=stddev)
