"""Random tensors: fresh numbers at each run, the same for the same seed and run."""

from __future__ import annotations

from typing import Any

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import dim, dtype_name, entries, first_given, is_float, tensor
from .table import for_scripts


@for_scripts("random.normal", "random_normal")
def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Tensor:
    return K.random_normal(entries(shape), 0.0, 1.0, dtype_name(dtype), seed) * stddev + mean


@for_scripts("random.truncated_normal", "truncated_normal")
def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Tensor:
    """Drawn again beyond two standard deviations."""
    return K.truncated_normal(entries(shape), 0.0, 1.0, dtype_name(dtype), seed) * stddev + mean


@for_scripts("random.uniform", "random_uniform")
def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Tensor:
    """On [minval, maxval), of numbers or, for integer dtypes, of integers.

    Raises:
        ValueError: integers without ``maxval``.
    """
    dtype = dtype_name(dtype)
    if dtype.startswith("float"):
        drawn = K.random_uniform(entries(shape), 0.0, 1.0, dtype, seed)
        return drawn * (first_given(maxval, 1.0) - minval) + minval
    if maxval is None:
        raise ValueError("tf.random.uniform of integers needs maxval")
    low, high = tensor(minval, dtype), tensor(maxval, dtype)
    drawn = K.random_uniform(entries(shape), 0.0, 1.0, "float64", seed) * graph.cast(high - low, "float64")
    return graph.cast(graph.apply("floor", [drawn]), dtype) + low


@for_scripts("random.categorical", "multinomial", "random.multinomial")
def categorical(
    logits: Any, num_samples: int, dtype: Any = None, seed: Any = None, name: Any = None, output_dtype: Any = None
) -> Tensor:
    """Classes (batch, num_samples) drawn by their logits (batch, classes): the largest after Gumbel's noise is added."""
    logits = tensor(logits)
    shape = [dim(logits, 0), int(num_samples), dim(logits, 1)]
    share = K.random_uniform(shape, 1e-20, 1.0, logits.dtype if is_float(logits) else "float32", seed)
    noise = -graph.apply("log", [-graph.apply("log", [share])])
    return graph.cast(K.argmax(K.expand_dims(logits, 1) + noise, axis=-1), dtype_name(dtype or output_dtype or "int64"))
