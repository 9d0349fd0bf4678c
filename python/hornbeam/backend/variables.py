"""Variables, constants and placeholders; asking what a tensor is; reading, writing and updating."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor, Variable, floatx, scoped_name
from ..other_names import also_called
from .sparse import SparseTensor


def variable(
    value: Any, dtype: str | None = None, name: str | None = None, constraint: Callable | None = None
) -> Variable:
    """A tensor that keeps its value from run to run.

    Args:
        value: initial value: a number, an array (SciPy's sparse matrices become dense), or a tensor, which is
            computed at the first read.
        dtype: floatx by default.
        name: prefixed with the current name scopes.
        constraint: a function that optimizers apply to the variable after an update.
    """
    dtype = dtype or floatx()
    if hasattr(value, "tocoo"):
        value = value.toarray()
    if isinstance(value, Tensor):
        value = graph.cast(value, dtype)
    return Variable(value, dtype=dtype, name=scoped_name(name) if name else None, constraint=constraint)


def constant(
    value: Any, dtype: str | None = None, shape: Sequence[int] | None = None, name: str | None = None
) -> Tensor:
    """A tensor with a fixed value, of dtype floatx by default.

    Args:
        shape: what the values are laid out in; where they are too few, the last one is repeated.

    Raises:
        ValueError: the values are too many for ``shape``.
    """
    dtype = dtype or floatx()
    if shape is not None:
        shape = [graph.as_integer(d) for d in shape]
        value = np.asarray(value, dtype)
        missing = math.prod(shape) - value.size
        if missing < 0 or (not value.size and missing):
            raise ValueError(f"`K.constant` cannot lay out {value.size} values in the shape {tuple(shape)}.")
        if value.size != 1:
            value = np.pad(value.ravel(), (0, missing), "edge").reshape(shape)
    return graph.constant(value, dtype, shape)


def placeholder(
    shape: Sequence[int | None] | None = None,
    ndim: int | None = None,
    dtype: str | None = None,
    sparse: bool = False,
    name: str | None = None,
    ragged: bool = False,
) -> Tensor:
    """A tensor to be fed: by ``K.function``, or as an input of a model.

    Args:
        shape: dims, None where they may vary.
        ndim: number of axes, all varying, where ``shape`` is not given.
        sparse: accepted; the tensor is dense and SciPy matrices fed to it are converted.
        ragged: must be False: pad the rows.

    Every tensor has a rank here. With neither shape nor ndim it is a vector, because ``shape=(None)`` is how scripts come
    to give none; feeding it anything else raises ValueError.
    """
    if shape is None:
        if ndim is None:
            ndim, name = 1, name or "placeholder_without_shape"
        rank = graph.as_integer(ndim, "`ndim`")
        graph.check_rank(rank)
        shape = (None,) * rank
    return graph.placeholder(tuple(shape), dtype or floatx(), name=scoped_name(name) if name else None)


# -- what is it? ----------------------------------------------------------------------------------------
def is_variable(x: Any) -> bool:
    """Whether ``x`` owns a value: made by :func:`variable` or as a weight."""
    return isinstance(x, Variable)


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is symbolic: a tensor, variables included, and no array."""
    return isinstance(x, Tensor)


def is_symbolic(x: Any) -> bool:
    """As :func:`is_tensor`: there are no eager tensors here."""
    return isinstance(x, Tensor)


def is_placeholder(x: Any) -> bool:
    """Whether ``x`` is fed at each run."""
    return isinstance(x, Tensor) and x.op.op == "placeholder"


def is_keras_tensor(x: Any) -> bool:
    """Whether a layer (or ``Input``) made the tensor.

    Raises:
        ValueError: x is not a tensor.
    """
    if not is_tensor(x):
        raise ValueError(f"Unexpectedly found an instance of type `{type(x)}`. Expected a symbolic tensor instance.")
    return hasattr(x, "_keras_history")


def is_sparse(tensor: Any) -> bool:
    """Whether a tensor holds some entries only; ops take dense ones."""
    return isinstance(tensor, SparseTensor)


def to_dense(tensor: Tensor | SparseTensor) -> Tensor:
    """The whole tensor with zeros between the entries of a sparse one; a dense one as it is."""
    return tensor.dense() if isinstance(tensor, SparseTensor) else tensor


def shape(x: Any) -> Tensor:
    """The shape as an int32 vector, known at run time."""
    return graph.shape_of(graph.convert(x))


def int_shape(x: Any) -> tuple[Any, ...]:
    """The static shape, None where a dim varies; a layer's idea of it (``_keras_shape``) comes first."""
    if hasattr(x, "_keras_shape"):  # every tensor, and what layers of the user's own give in place of one
        return x._keras_shape
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def size(x: Any, name: str | None = None) -> Tensor:
    """The number of elements, an int32 scalar."""
    return graph.apply("reduce_prod", [shape(x)], axes=[0], keepdims=False)


def dtype(x: Any) -> str:
    """The dtype's name, as ``'float32'``."""
    return str(x.dtype) if isinstance(x.dtype, str) else np.dtype(x.dtype).name


def count_params(x: Any) -> int:
    """The number of elements of a tensor with a static shape."""
    return int(np.prod(int_shape(x)))


def get_variable_shape(x: Any) -> tuple[Any, ...]:
    """As :func:`int_shape`."""
    return int_shape(x)


def cast(x: Any, dtype: str) -> Tensor:
    """The same values with another dtype; ``'float'`` means float32, as it did for TensorFlow.

    Raises:
        TypeError: no such dtype.
    """
    try:
        name = "float32" if dtype == "float" else np.dtype(dtype).name
    except TypeError as error:
        raise TypeError(f"unsupported dtype {dtype!r}") from error
    return graph.cast(graph.convert(x), name)


# -- values ---------------------------------------------------------------------------------------------
def eval(x: Any) -> Any:
    """Compute a tensor that depends on no placeholder (a sparse one as a dense array); others are returned as they are."""
    return to_dense(x).numpy() if isinstance(x, (Tensor, SparseTensor)) else x


def get_value(x: Any) -> Any:
    """The value of a variable as a NumPy array (a copy)."""
    return eval(x)


@also_called(tensors="ops")
def batch_get_value(ops: Iterable[Any]) -> list:
    """The values of several variables, all of one moment: no training step comes between them."""
    ops = list(ops)
    values = iter(graph.read_state([x for x in ops if isinstance(x, Variable)]))
    return [next(values)[()] if isinstance(x, Variable) else get_value(x) for x in ops]


def set_value(x: Variable, value: Any) -> None:
    """Set a variable's value.

    Raises:
        ValueError: the shapes differ.
    """
    x.set_value(value)


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    """Set several variables from (variable, value) pairs, all at once: no prediction sees half of them.

    Raises:
        ValueError: a shape differs; nothing was set.
    """
    graph.write_state(tuples)


# -- updates: tensors whose value is the variable's new value; running one writes it ------------------
# They raise ValueError where the shapes do not fit, and TypeError where x is not a variable.
def update(x: Variable, new_x: Any) -> Tensor:
    """Set a variable to ``new_x``."""
    return _variable(x).assign(new_x)


def update_add(x: Variable, increment: Any) -> Tensor:
    """Add ``increment`` to a variable."""
    return _variable(x).assign_add(increment)


def update_sub(x: Variable, decrement: Any) -> Tensor:
    """Subtract ``decrement`` from a variable."""
    return _variable(x).assign_sub(decrement)


def _variable(x: Any) -> Variable:
    if not isinstance(x, Variable):
        raise TypeError(f"only variables can be updated, made by K.variable or a layer's add_weight; got {x!r:.120}")
    return x


def moving_average_update(x: Variable, value: Tensor, momentum: float) -> Tensor:
    """Move ``x`` towards ``value``: ``x * momentum + value * (1 - momentum)``.

    Written as a subtraction, so that the updates of a layer used twice in one model both count.
    """
    return _variable(x).assign_sub((x - graph.cast(value, x.dtype)) * (1.0 - momentum))
