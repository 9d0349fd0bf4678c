"""Names of TensorFlow 2 that scripts pass on, ask for, or call before anything else."""

from __future__ import annotations

import enum
import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor, nest
from ..graph.naming import current_scope
from ..settings import settings
from .common import tensor, tensors
from .custom import on_values
from .eager import CompiledFunction, GradientTape
from .table import for_scripts


# -- constants -----------------------------------------------------------------------------------------------------------
@for_scripts("VariableSynchronization")
class VariableSynchronization(enum.Enum):
    AUTO, NONE, ON_WRITE, ON_READ = range(4)


@for_scripts("VariableAggregation")
class VariableAggregation(enum.Enum):
    NONE, SUM, MEAN, ONLY_FIRST_REPLICA = range(4)


@for_scripts("AggregationMethod")
class AggregationMethod:
    ADD_N = DEFAULT = 0
    EXPERIMENTAL_TREE, EXPERIMENTAL_ACCUMULATE_N = 1, 2


for _name in ("bfloat16", "uint16", "uint32", "uint64", "complex64", "complex128", "resource", "variant"):
    for_scripts(_name, f"dtypes.{_name}")(graph.DTYPES[_name])
for_scripts("autodiff.GradientTape")(GradientTape)
for_scripts("types.experimental.TensorLike")(Tensor)
for_scripts("types.experimental.Callable", "types.experimental.GenericFunction")(CompiledFunction)


# -- about tensors ---------------------------------------------------------------------------------------------------------
@for_scripts("identity_n")
def identity_n(input: Sequence[Any], name: Any = None) -> list[Tensor]:
    return [graph.apply("identity", [tensor(x)]) for x in input]


@for_scripts("shape_n")
def shape_n(input: Sequence[Any], out_type: Any = "int32", name: Any = None) -> list[Tensor]:
    return [graph.cast(graph.shape_of(tensor(x)), str(out_type)) for x in input]


@for_scripts("guarantee_const")
def guarantee_const(input: Any, name: Any = None) -> Tensor:
    return tensor(input)


@for_scripts("get_static_value", "python.constant_value")
def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value where there is one, else None."""
    if not isinstance(tensor, Tensor):
        return np.asarray(tensor)
    return tensor.numpy() if tensor.is_eager or tensor.op.op == "constant" else None


@for_scripts("make_ndarray")
def make_ndarray(tensor: Any) -> np.ndarray:
    return np.asarray(tensor)


@for_scripts("is_symbolic_tensor")
def is_symbolic_tensor(tensor: Any) -> bool:
    return isinstance(tensor, Tensor) and not isinstance(tensor, graph.Variable) and not tensor.is_eager


@for_scripts("inside_function")
def inside_function() -> bool:
    """Whether a function is being traced."""
    return graph.is_eager() and not (settings.recorder is not None and settings.recorder.records)


@for_scripts("get_current_name_scope")
def get_current_name_scope() -> str:
    return current_scope()


@for_scripts("timestamp")
def timestamp(name: Any = None) -> Tensor:
    """Seconds since 1970."""
    return graph.constant(time.time(), "float64")


@for_scripts("hessians")
def hessians(ys: Any, xs: Any, **options: Any) -> list[Tensor]:
    """The second derivatives of the sum of ``ys``: for each x of shape s one of shape s + s.

    Raises:
        ValueError: the shape of one of ``xs`` is not known.
    """
    found = []
    for x in xs if isinstance(xs, (list, tuple)) else [xs]:
        (gradient,) = graph.gradients(ys, [x])
        flat = graph.reshape(graph.convert(gradient), [-1])
        rows = [graph.gradients(flat[i], [x])[0] for i in range(int(np.prod(x.shape)))]
        found.append(graph.reshape(graph.convert(rows), [*x.shape, *x.shape]))
    return found


# -- bits --------------------------------------------------------------------------------------------------------------------
def _bitwise(f: Callable) -> Callable:
    def apply(x: Any, y: Any, name: Any = None) -> Tensor:
        return on_values(f, *tensors(x, y))

    return apply


for _name, _f in (
    ("bitwise_and", np.bitwise_and), ("bitwise_or", np.bitwise_or), ("bitwise_xor", np.bitwise_xor),
    ("left_shift", np.left_shift), ("right_shift", np.right_shift),
):  # fmt: skip
    for_scripts(f"bitwise.{_name}")(_bitwise(_f))


@for_scripts("bitwise.invert")
def invert(x: Any, name: Any = None) -> Tensor:
    return on_values(np.invert, x)


# -- structures ----------------------------------------------------------------------------------------------------------------
@for_scripts("nest.is_nested")
def is_nested(structure: Any) -> bool:
    return isinstance(structure, (list, tuple, dict))


@for_scripts("nest.assert_same_structure")
def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Raise ``ValueError`` unless two structures differ in their leaves alone."""
    if nest.outline(nest1) != nest.outline(nest2):
        raise ValueError(f"The two structures don't have the same nested structure: {nest1!r:.100} and {nest2!r:.100}")


# -- derivatives along a direction ----------------------------------------------------------------------------------------------
@for_scripts("autodiff.ForwardAccumulator")
class ForwardAccumulator:
    """Derivatives of what is computed in its block, along ``tangents`` of ``primals``.

    They are gradients of gradients: g = d(y * w)/dx is linear in w, and d(g * tangent)/dw is the derivative.
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        self._primals = nest.flatten(primals)
        self._tangents = [tensor(t) for t in nest.flatten(tangents)]
        self._tape = graph.Tape()
        for x in self._primals:
            self._tape.watch(x)

    def __enter__(self) -> ForwardAccumulator:
        self._tape.begin()
        return self

    def __exit__(self, *error: Any) -> None:
        self._tape.end()

    def jvp(self, primals: Any, unconnected_gradients: Any = "none") -> Any:
        """The derivative of each of ``primals``; None of what does not depend on those of the block."""
        found = [self._along(y) for y in nest.flatten(primals)]
        if getattr(unconnected_gradients, "value", unconnected_gradients) == "zero":
            found = [0.0 * y if d is None else d for y, d in zip(nest.flatten(primals), found)]
        return nest.pack(primals, found) if isinstance(primals, (list, tuple, dict)) else found[0]

    def _along(self, y: Tensor) -> Tensor | None:
        inner = graph.Tape()
        weight = graph.constant(np.ones([int(n) for n in y.shape], str(y.dtype)))
        with inner.recording():
            inner.watch(weight)
            gradients = self._tape.gradients([y], self._primals, [weight])
        pairs = [(g, t) for g, t in zip(gradients, self._tangents) if g is not None]
        if not pairs:
            return None
        return inner.gradients([g for g, _ in pairs], [weight], [t for _, t in pairs])[0]


# -- how functions run -------------------------------------------------------------------------------------------------------------
@for_scripts("config.run_functions_eagerly", "config.experimental_run_functions_eagerly")
def run_functions_eagerly(run_eagerly: bool) -> None:
    """Whether functions of ``tf.function`` are called as they are, step by step."""
    settings.functions_run_eagerly = bool(run_eagerly)


@for_scripts("config.functions_run_eagerly", "config.experimental_functions_run_eagerly")
def functions_run_eagerly() -> bool:
    return settings.functions_run_eagerly


@for_scripts("autograph.to_graph")
def to_graph(entity: Callable, *args: Any, **options: Any) -> Callable:
    return entity


@for_scripts("autograph.to_code")
def to_code(entity: Callable, *args: Any, **options: Any) -> str:
    """The function's source, as it was written."""
    return inspect.getsource(entity)


@for_scripts("autograph.trace")
def trace(*args: Any) -> None:
    """Print once, while a function is traced."""
    print(*args)


@for_scripts("autograph.set_verbosity", "autograph.experimental.set_loop_options")
def unneeded(*args: Any, **options: Any) -> None:
    """It configures what Hornbeam does not have."""


@for_scripts("autograph.experimental.Feature")
class Feature(enum.Enum):
    ALL, AUTO_CONTROL_DEPS, ASSERT_STATEMENTS, BUILTIN_FUNCTIONS, EQUALITY_OPERATORS, LISTS, NAME_SCOPES = range(7)


@for_scripts("CriticalSection")
class CriticalSection:
    """Calls a function: assignments have an order here."""

    def __init__(self, *args: Any, **options: Any) -> None: ...

    def execute(self, fn: Callable, *args: Any, **options: Any) -> Any:
        return fn()
