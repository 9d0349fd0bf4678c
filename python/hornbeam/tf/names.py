"""What is not a function of tensors: dtypes, classes, errors, and Keras's things under TensorFlow's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import graph, initializers, optimizers
from ..utils.conv_utils import conv_output_length
from .common import dtype_name
from .image import ResizeMethod
from .table import for_scripts

for _name in ("float16", "float32", "float64", "bool", "uint8", "int8", "int16", "int32", "int64", "string"):
    for_scripts(_name, f"dtypes.{_name}")(graph.DTYPES[_name])
for_scripts("double")(graph.DTYPES["float64"])
for_scripts("half")(graph.DTYPES["float16"])
for_scripts("Tensor")(graph.Tensor)
for_scripts("Operation")(graph.Operation)
for_scripts("DType", "dtypes.DType")(graph.DType)
for_scripts("TensorShape")(graph.StaticShape)
for_scripts("Dimension")(graph.Dim)
for_scripts("newaxis")(None)
for_scripts("image.ResizeMethod")(ResizeMethod)


@for_scripts("as_dtype", "dtypes.as_dtype")
def as_dtype(type_value: Any) -> graph.DType:
    return graph.DTYPES[dtype_name(type_value)]


@for_scripts("is_tensor", "contrib.framework.is_tensor")
def is_tensor(x: Any) -> bool:
    return isinstance(x, graph.Tensor)


# -- errors: what Hornbeam raises in their place ------------------------------------------------------------------
for _name in (
    "FailedPreconditionError",
    "NotFoundError",
    "UnimplementedError",
    "OutOfRangeError",
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "InternalError",
    "PermissionDeniedError",
    "UnavailableError",
    "UnknownError",
    "UnauthenticatedError",
):
    for_scripts(f"errors.{_name}")(ValueError)
for_scripts("errors.ResourceExhaustedError")(MemoryError)
for_scripts("errors.OpError")(Exception)


# -- what libraries of layers import from TensorFlow's own modules ----------------------------------------------------
for_scripts("python.conv_output_length")(conv_output_length)


@for_scripts("python.keras_export", "python.tf_export")
def export(*names: Any, **options: Any) -> Callable:
    """A decorator that leaves what it decorates as it is."""
    return lambda decorated: decorated


def _unused(name: str, instead: str) -> type:
    """What libraries import whether they use it or not: a class that says what to do when one of it is made."""

    def refuse(self: Any, *args: Any, **options: Any) -> None:
        raise ValueError(f"TensorFlow's {name} is not supported here: {instead}")

    return type(name, (), {"__init__": refuse, "__module__": __name__})


for _name in ("_graph_mode_decorator", "tape"):  # by which functions forget and recompute what they computed
    for_scripts(f"python.{_name}")(_unused(_name, "call the function itself"))


# -- TensorFlow 1's optimizers, as `compile` takes them -----------------------------------------------------------
@for_scripts("compat.v1.train.AdamOptimizer", "train.AdamOptimizer")
def adam(
    learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, **other: Any
) -> optimizers.Optimizer:
    return optimizers.Adam(learning_rate, beta1, beta2, epsilon=epsilon)


@for_scripts("compat.v1.train.GradientDescentOptimizer", "train.GradientDescentOptimizer")
def gradient_descent(learning_rate: float, **other: Any) -> optimizers.Optimizer:
    return optimizers.SGD(learning_rate)


@for_scripts("compat.v1.train.MomentumOptimizer", "train.MomentumOptimizer")
def momentum(
    learning_rate: float, momentum: float, use_locking: bool = False, name: Any = None, use_nesterov: bool = False
) -> optimizers.Optimizer:
    return optimizers.SGD(learning_rate, momentum=momentum, nesterov=use_nesterov)


@for_scripts("compat.v1.train.AdadeltaOptimizer", "train.AdadeltaOptimizer")
def adadelta(
    learning_rate: float = 0.001, rho: float = 0.95, epsilon: float = 1e-8, **other: Any
) -> optimizers.Optimizer:
    return optimizers.Adadelta(learning_rate, rho, epsilon=epsilon)


# -- TensorFlow 1's initializers ------------------------------------------------------------------------------------
def _initializer(make: Callable) -> Callable:
    def build(*args: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return make(*args, **kwargs)

    return build


def _uniform(minval: float = 0.0, maxval: float | None = None, seed: int | None = None) -> Any:
    return initializers.RandomUniform(minval, 1.0 if maxval is None else maxval, seed)


def _normal(mean: float = 0.0, stddev: float = 1.0, seed: int | None = None) -> Any:
    return initializers.RandomNormal(mean, stddev, seed)


def _truncated(mean: float = 0.0, stddev: float = 1.0, seed: int | None = None) -> Any:
    return initializers.TruncatedNormal(mean, stddev, seed)


def _scaling(
    scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: int | None = None
) -> Any:
    distribution = "uniform" if distribution == "uniform" else "normal"
    return initializers.VarianceScaling(scale, mode, distribution, seed)


for _name, _make in (
    ("zeros", initializers.Zeros), ("ones", initializers.Ones), ("constant", initializers.Constant),
    ("random_uniform", _uniform), ("random_normal", _normal), ("truncated_normal", _truncated),
    ("variance_scaling", _scaling), ("uniform_unit_scaling", initializers.lecun_uniform),
    ("orthogonal", initializers.Orthogonal), ("glorot_uniform", initializers.glorot_uniform),
    ("glorot_normal", initializers.glorot_normal),
):  # fmt: skip
    for_scripts(f"{_name}_initializer")(_initializer(_make))


@for_scripts("contrib.layers.xavier_initializer")
def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = None) -> Any:
    return (initializers.glorot_uniform if uniform else initializers.glorot_normal)(seed)
