"""First values of weights.

Calling an initializer with a shape returns a tensor (or an array) of first values. They are computed when the weight is
first read, so a model that is built and then loaded never pays for them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import backend as K
from . import graph
from .backend.creation import fill
from .utils.generic_utils import serialize_keras_object
from .utils.registry import INITIALIZERS, public_objects


class Initializer:
    """Base class: calling an instance with (shape, dtype=None) returns the values."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Initializer:
        # tf.keras 1.14 and 1.15 store a dtype that the weight decides anyway.
        return cls(**{k: v for k, v in config.items() if k != "dtype"})


def _everywhere(value: float, shape: Sequence[int], dtype: str | None) -> Any:
    """One number in the whole shape. A large one stays a formula, so that what is never read takes no memory."""
    if math.prod(shape) > 1 << 16:
        return fill(shape, value, dtype)
    return K.constant(value, shape=shape, dtype=dtype)


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        return _everywhere(0, shape, dtype)


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        return _everywhere(1, shape, dtype)


class Constant(Initializer):
    """``value`` everywhere: a number, or an array whose values are laid out as ``K.constant`` does."""

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        if np.ndim(self.value) == 0:
            return _everywhere(self.value, shape, dtype)
        if np.size(self.value) > math.prod(shape):  # said here, where the layer is named
            raise ValueError(f"An initializer's {np.size(self.value)} values do not fit the shape {tuple(shape)}.")
        return graph.Variable(lambda: K.constant(self.value, dtype, shape).numpy(), dtype or K.floatx(), tuple(shape))

    def get_config(self) -> dict:
        return {"value": self.value}

    @classmethod
    def from_config(cls, config: dict) -> Constant:
        value = config.get("value", 0)
        if isinstance(value, dict) and value.get("type") == "ndarray":  # what an array is in a file
            config = {"value": np.asarray(value["value"])}
        return cls(**config)


class _Seeded(Initializer):
    """An initializer whose seed, where it has one, advances with each use: the first use always gives the same numbers."""

    seed: int | None

    def _next_seed(self) -> int | None:
        seed = self.seed
        if seed is not None:
            self.seed = seed + 1
        return seed


class RandomNormal(_Seeded):
    """Normally distributed values."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        return K.random_normal(shape, self.mean, self.stddev, dtype=dtype, seed=self._next_seed())

    def get_config(self) -> dict:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class RandomUniform(_Seeded):
    """Values uniform on [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        return K.random_uniform(shape, self.minval, self.maxval, dtype=dtype, seed=self._next_seed())

    def get_config(self) -> dict:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class TruncatedNormal(_Seeded):
    """Normally distributed values, none further than two standard deviations from the mean."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        return K.truncated_normal(shape, self.mean, self.stddev, dtype=dtype, seed=self._next_seed())

    def get_config(self) -> dict:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class VarianceScaling(_Seeded):
    """Random values whose variance is ``scale / n``.

    Args:
        mode: n is the number of inputs of a unit (``'fan_in'``), of outputs (``'fan_out'``), or their mean (``'fan_avg'``).
        distribution: ``'normal'`` (truncated) or ``'uniform'``.

    Raises:
        ValueError: a scale that is not positive, or another mode or distribution.
    """

    # Standard deviation of a unit normal distribution cut off at two of its standard deviations.
    _TRUNCATED_STDDEV = 0.87962566103423978

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "normal", seed: int | None = None
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"`scale` must be a positive float. Got: {scale}")
        if mode.lower() not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Invalid `mode` argument: expected on of 'fan_in', 'fan_out', 'fan_avg' but got {mode}")
        distribution = distribution.lower()
        if distribution == "truncated_normal":  # tf.keras's name for the same
            distribution = "normal"
        if distribution not in ("normal", "uniform"):
            raise ValueError(
                f"Invalid `distribution` argument: expected one of 'normal', 'uniform' but got {distribution}"
            )
        self.scale = scale
        self.mode = mode.lower()
        self.distribution = distribution
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        fan_in, fan_out = _compute_fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        seed = self._next_seed()
        if self.distribution == "normal":
            stddev = math.sqrt(variance) / self._TRUNCATED_STDDEV
            return K.truncated_normal(shape, 0.0, stddev, dtype=dtype, seed=seed)
        limit = math.sqrt(3.0 * variance)
        return K.random_uniform(shape, -limit, limit, dtype=dtype, seed=seed)

    def get_config(self) -> dict:
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}


class Orthogonal(_Seeded):
    """A random matrix with orthonormal rows or columns (whichever are fewer), times ``gain``.

    Axes before the last are taken together as the rows.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = gain
        self.seed = seed

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        # A Philox draw like every other initializer's; its singular vectors are computed at the first read.
        rows, columns = int(np.prod(shape[:-1])), int(shape[-1])
        draw = K.random_normal((rows, columns), dtype="float64", seed=self._next_seed())
        return graph.Variable(
            lambda: self.gain * _orthonormal(draw.numpy()).reshape(shape), dtype or K.floatx(), tuple(shape)
        )

    def get_config(self) -> dict:
        return {"gain": self.gain, "seed": self.seed}


def _orthonormal(a: np.ndarray) -> np.ndarray:
    u, _, v = np.linalg.svd(a, full_matrices=False)
    return u if u.shape == a.shape else v


class Identity(Initializer):
    """The identity matrix times ``gain``, padded with zeros where it is not square.

    Raises:
        ValueError: (when called) the shape does not have two axes.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        if len(shape) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        dtype, (rows, columns) = dtype or K.floatx(), shape
        return graph.Variable(lambda: self.gain * np.eye(rows, columns, dtype=dtype), dtype, (rows, columns))

    def get_config(self) -> dict:
        return {"gain": self.gain}


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform with variance 1 / inputs."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="uniform", seed=seed)


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Normal with variance 1 / inputs."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="normal", seed=seed)


def glorot_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform with variance 2 / (inputs + outputs); also known as Xavier."""
    return VarianceScaling(scale=1.0, mode="fan_avg", distribution="uniform", seed=seed)


def glorot_normal(seed: int | None = None) -> VarianceScaling:
    """Normal with variance 2 / (inputs + outputs)."""
    return VarianceScaling(scale=1.0, mode="fan_avg", distribution="normal", seed=seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform with variance 2 / inputs, for relu."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="uniform", seed=seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Normal with variance 2 / inputs, for relu."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="normal", seed=seed)


def _compute_fans(shape: Sequence[int]) -> tuple[float, float]:
    """Inputs and outputs of a unit: of a matrix, or of a kernel (..., channels in, channels out)."""
    if len(shape) < 2 or len(shape) > 5:
        fan = math.sqrt(math.prod(shape))
        return fan, fan
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


zero = zeros = Zeros
one = ones = Ones
constant = Constant
uniform = random_uniform = RandomUniform
normal = random_normal = RandomNormal
truncated_normal = TruncatedNormal
identity = Identity
orthogonal = Orthogonal


def serialize(initializer: Any, use_legacy_format: bool = False) -> Any:
    """The config of an initializer."""
    return serialize_keras_object(initializer)


deserialize = INITIALIZERS.deserialize
get = INITIALIZERS.get


def _without_dtype(function: Callable) -> Callable:
    return lambda seed=None, dtype=None: function(seed)


# tf.keras has classes of these names where Keras has functions.
GlorotUniform, GlorotNormal = _without_dtype(glorot_uniform), _without_dtype(glorot_normal)
HeUniform, HeNormal = _without_dtype(he_uniform), _without_dtype(he_normal)
LecunUniform, LecunNormal = _without_dtype(lecun_uniform), _without_dtype(lecun_normal)
variance_scaling = VarianceScaling
INITIALIZERS.register(public_objects(globals()))
