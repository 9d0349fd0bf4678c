"""``tf.debugging``: assertions. They hold where tensors are eager; formulas for a model have no values to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor, nest
from .common import dtype_name, tensor, tensors
from .effects import with_values
from .table import for_scripts


class InvalidArgumentError(ValueError):
    """A value is not what an assertion says, or a function does not take an argument.

    ``message`` is what was said; TensorFlow's other attributes are there, too.
    """

    op = node_def = None
    error_code = 3

    def __init__(self, *args: Any) -> None:
        self.message = str(next((a for a in reversed(args) if isinstance(a, str)), ""))
        super().__init__(self.message)


for_scripts("errors.InvalidArgumentError")(InvalidArgumentError)


def _named(kinds: str) -> Callable:
    """Enter a function as ``tf.assert_x`` and ``tf.debugging.assert_x``."""
    return for_scripts(*[n for kind in kinds.split() for n in (f"assert_{kind}", f"debugging.assert_{kind}")])


def _check(holds: Callable[..., Any], values: Sequence[Any], what: str, message: Any = None) -> None:
    """Raise unless ``holds`` of the values is true everywhere."""

    def look(*arrays: np.ndarray) -> None:
        if not np.all(holds(*arrays)):
            shown = "\n".join(f"{np.asarray(a)!r:.200}" for a in arrays)
            raise InvalidArgumentError(f"{message or ''} Condition {what} did not hold.\n{shown}".strip())

    with_values(look, [v if isinstance(v, Tensor) else tensor(v) for v in values])


# -- values -------------------------------------------------------------------------------------------------------------
def _comparison(holds: Callable, sign: str) -> Callable:
    def compare(x: Any, y: Any, message: Any = None, summarize: Any = None, name: Any = None, data: Any = None) -> None:
        """Raise ``InvalidArgumentError`` unless it holds of all elements."""
        _check(holds, tensors(x, y), f"x {sign} y", message)

    return compare


for _kind, _holds, _sign in (
    ("equal", np.equal, "=="), ("none_equal", np.not_equal, "!="), ("less", np.less, "<"), ("less_equal", np.less_equal, "<="),
    ("greater", np.greater, ">"), ("greater_equal", np.greater_equal, ">="),
):  # fmt: skip
    _named(_kind)(_comparison(_holds, _sign))


def _side(holds: Callable, sign: str) -> Callable:
    def compare(x: Any, message: Any = None, summarize: Any = None, name: Any = None, data: Any = None) -> None:
        _check(lambda v: holds(v, 0), [x], f"x {sign} 0", message)

    return compare


for _kind, _holds, _sign in (
    ("positive", np.greater, ">"), ("negative", np.less, "<"), ("non_negative", np.greater_equal, ">="),
    ("non_positive", np.less_equal, "<="),
):  # fmt: skip
    _named(_kind)(_side(_holds, _sign))


@_named("near")
def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: Any = None, summarize: Any = None, name: Any = None
) -> None:
    x, y = tensors(x, y)
    small = 10 * np.finfo(x.dtype).eps
    rtol, atol = (small if t is None else float(t) for t in (rtol, atol))
    _check(
        lambda a, b: np.abs(a - b) <= atol + rtol * np.abs(b), [x, y], f"|x - y| <= {atol:g} + {rtol:g} |y|", message
    )


@_named("all_finite")
def assert_all_finite(x: Any, message: Any = None, name: Any = None, **other: Any) -> Tensor:
    return check_numerics(x, message)


@for_scripts("check_numerics", "debugging.check_numerics", "verify_tensor_all_finite")
def check_numerics(tensor: Any, message: Any = None, name: Any = None, **other: Any) -> Tensor:
    """The tensor, whose elements must be finite; in models ``HORNBEAM_CHECK=nan`` names the layer that made the first NaN."""
    x = graph.convert(tensor)
    _check(np.isfinite, [x], "Tensor had no NaN and no Inf values", message)
    return x


@for_scripts("Assert", "debugging.Assert")
def assert_(condition: Any, data: Any = None, summarize: Any = None, name: Any = None) -> None:
    said = [d for d in nest.flatten(list(data or [])) if isinstance(d, str)]
    _check(lambda v: v, [condition], "given to tf.Assert", " ".join(said))


# -- what is known of a tensor without its value -----------------------------------------------------------------------------
def _hold(condition: bool, message: Any, otherwise: str) -> None:
    if graph.is_eager() and not condition:
        raise ValueError(f"{message or ''} {otherwise}".strip())


@_named("rank")
def assert_rank(x: Any, rank: Any, message: Any = None, name: Any = None) -> None:
    x = tensor(x)
    _hold(x.ndim == int(rank), message, f"Tensor must have rank {int(rank)}, got rank {x.ndim}, shape {x.shape}.")


@_named("scalar")
def assert_scalar(tensor: Any, message: Any = None, name: Any = None) -> Any:
    assert_rank(tensor, 0, message)
    return tensor


@_named("rank_at_least")
def assert_rank_at_least(x: Any, rank: Any, message: Any = None, name: Any = None) -> None:
    x = tensor(x)
    _hold(
        x.ndim >= int(rank), message, f"Tensor must have rank at least {int(rank)}, got rank {x.ndim}, shape {x.shape}."
    )


@_named("rank_in")
def assert_rank_in(x: Any, ranks: Any, message: Any = None, name: Any = None) -> None:
    x = tensor(x)
    _hold(x.ndim in [int(r) for r in ranks], message, f"Tensor must have rank in {ranks}, got rank {x.ndim}.")


@_named("type")
def assert_type(tensor: Any, tf_type: Any, message: Any = None, name: Any = None) -> None:
    x = graph.convert(tensor)
    if graph.is_eager() and x.dtype != dtype_name(tf_type):
        raise TypeError(f"{message or ''} Tensor must be of type {dtype_name(tf_type)}, got {x.dtype}.".strip())


@_named("integer")
def assert_integer(x: Any, message: Any = None, name: Any = None) -> None:
    x = tensor(x)
    if graph.is_eager() and not x.dtype.is_integer:
        raise TypeError(f"{message or ''} Expected an integer type, got {x.dtype}.".strip())


@_named("shapes")
def assert_shapes(shapes: Any, data: Any = None, summarize: Any = None, message: Any = None, name: Any = None) -> None:
    """Pairs of tensors and shapes, of numbers, None and letters, each of which stands for one size."""
    sizes: dict[Any, int] = {}
    for x, shape in shapes.items() if isinstance(shapes, dict) else shapes:
        x = tensor(x)
        wanted = list(shape) if isinstance(shape, (str, list, tuple)) or hasattr(shape, "__iter__") else [shape]
        _hold(x.ndim == len(wanted), message, f"Tensor of shape {x.shape} must have rank {len(wanted)}.")
        for got, want in zip(x.shape, wanted):
            if want in (None, "*", ".") or got is None:
                continue
            size = sizes.setdefault(want, got) if isinstance(want, str) and not want.isdigit() else int(want)
            _hold(got == size, message, f"Tensor of shape {x.shape} does not have shape {shape}: {want} is {size}.")


@for_scripts("debugging.assert_proper_iterable")
def assert_proper_iterable(values: Any) -> None:
    if isinstance(values, (Tensor, np.ndarray, str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"Expected argument 'values' to be iterable and no tensor. Found: {type(values).__name__}")


@for_scripts("debugging.assert_same_float_dtype")
def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> Any:
    """The dtype that all have, which is of floats.

    Raises:
        ValueError: they differ.
    """
    dtypes = {str(t.dtype) for t in tensors or []} | ({dtype_name(dtype)} if dtype is not None else set())
    if len(dtypes) > 1 or not all(d.startswith("float") for d in dtypes):
        raise ValueError(f"Expected tensors of one floating dtype, got {sorted(dtypes)}.")
    return graph.DTYPES[dtypes.pop() if dtypes else "float32"]


@for_scripts("debugging.is_numeric_tensor")
def is_numeric_tensor(tensor: Any) -> bool:
    return isinstance(tensor, Tensor) and (tensor.dtype.is_floating or tensor.dtype.is_integer)
