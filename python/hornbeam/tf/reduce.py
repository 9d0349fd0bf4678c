"""Reductions, running sums, norms and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import along, axes, dims, dtype_name, first_given, is_float, product, tensor
from .table import function


def _mean(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    """Of integers, the floor of the mean, as TensorFlow has it."""
    if is_float(x):
        return K.mean(x, axis, keepdims)
    total = K.sum(x, axis, keepdims)
    over = range(x.ndim) if axis is None else np.ravel(axis)
    count = tensor(product([dims(x)[a] for a in over]))
    return graph.apply("floor_div", [total, graph.cast(count, x.dtype)])


_REDUCE = {
    "sum": K.sum, "mean": _mean, "max": K.max, "min": K.min, "prod": K.prod, "any": K.any, "all": K.all, "std": K.std,
    "variance": K.var, "logsumexp": K.logsumexp,
    "euclidean_norm": lambda x, axis, keepdims: graph.apply("sqrt", [K.sum(K.square(x), axis, keepdims)]),
}  # fmt: skip


def _reduce(reduction: Callable) -> Callable:
    def apply(
        input_tensor: Any, axis: Any = None, keepdims: Any = None, name: Any = None, reduction_indices: Any = None,
        keep_dims: Any = None,
    ) -> Tensor:  # fmt: skip
        over = axes(first_given(axis, reduction_indices))
        return reduction(tensor(input_tensor), over, bool(first_given(keepdims, keep_dims, False)))

    return apply


for _name, _reduction in _REDUCE.items():
    function(f"math.reduce_{_name}", f"reduce_{_name}")(_reduce(_reduction))


def _arg(op: str) -> Callable:
    def apply(
        input: Any, axis: Any = None, output_type: Any = "int64", name: Any = None, dimension: Any = None
    ) -> Tensor:
        x = tensor(input)
        axis = first_given(axes(axis), axes(dimension), 0)
        return graph.cast(graph.apply(op, [x], axis=axis % x.ndim), dtype_name(output_type))

    return apply


for _name in ("argmax", "argmin"):
    function(f"math.{_name}", _name)(_arg(_name))


def _cumulative(op: str, neutral: float) -> Callable:
    def apply(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: Any = None) -> Tensor:
        x = tensor(x)
        axis = axes(axis) % x.ndim
        y = graph.apply(op, [x], axis=axis, reverse=bool(reverse))
        if not exclusive:
            return y
        before, after = [0] * x.ndim, [0] * x.ndim
        (after if reverse else before)[axis] = 1
        rest = slice(1, None) if reverse else slice(None, -1)
        kept = y[along(axis, rest)]
        return graph.apply("pad", [kept], before=before, after=after, value=neutral)

    return apply


function("math.cumsum", "cumsum")(_cumulative("cumsum", 0.0))
function("math.cumprod", "cumprod")(_cumulative("cumprod", 1.0))


@function("math.count_nonzero", "count_nonzero")
def count_nonzero(
    input: Any = None, axis: Any = None, keepdims: Any = None, dtype: Any = "int64", name: Any = None,
    input_tensor: Any = None, reduction_indices: Any = None, keep_dims: Any = None,
) -> Tensor:  # fmt: skip
    x = tensor(first_given(input, input_tensor))
    counted = x if x.dtype == "bool" else graph.apply("not_equal", [x, 0])
    over = axes(first_given(axis, reduction_indices))
    return K.sum(graph.cast(counted, dtype_name(dtype)), over, bool(first_given(keepdims, keep_dims, False)))


@function("norm", "linalg.norm")
def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None, name: Any = None, keep_dims: Any = None
) -> Tensor:
    """The norm of vectors: over all elements, or over ``axis``. Of matrices (two axes), Frobenius's.

    Raises:
        ValueError: another norm of matrices, or an unknown one.
    """
    x, over, keep = graph.convert(tensor), axes(axis), bool(first_given(keepdims, keep_dims, False))
    if isinstance(over, list) and len(over) == 2 and ord not in ("euclidean", "fro"):
        raise ValueError(f"tf.norm with ord={ord!r} of matrices is not supported: 'euclidean' is")
    if ord in ("euclidean", "fro", 2):
        return graph.apply("sqrt", [K.sum(K.square(x), over, keep)])
    size = K.abs(x)
    if ord == np.inf:
        return K.max(size, over, keep)
    if ord == 1:
        return K.sum(size, over, keep)
    if isinstance(ord, (int, float)) and ord > 0:
        return K.sum(size**ord, over, keep) ** (1.0 / ord)
    raise ValueError(f"tf.norm has no ord={ord!r}: 'euclidean', 1, 2, inf or another positive number")


@function("linalg.normalize")
def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: Any = None) -> tuple[Tensor, Tensor]:
    """The tensor over its norm, and the norm."""
    length = norm(tensor, ord, axis, keepdims=True)
    return graph.convert(tensor) / length, length


@function("math.l2_normalize", "linalg.l2_normalize", "nn.l2_normalize")
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: Any = None, dim: Any = None) -> Tensor:
    x = tensor(x)
    squares = K.sum(K.square(x), axis=axes(first_given(axis, dim)), keepdims=True)
    return x * graph.apply("rsqrt", [K.maximum(squares, epsilon)])


@function("clip_by_norm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: Any = None) -> Tensor:
    """t, scaled down to a norm of ``clip_norm`` where its norm is larger; zeros have a gradient of their own."""
    t = tensor(t)
    squares = K.sum(K.square(t), axis=axes, keepdims=True)
    zero = graph.apply("equal", [squares, 0.0])
    one = graph.constant(1.0, t.dtype)
    length = graph.apply("sqrt", [graph.apply("select", [zero, one, squares])])
    length = graph.apply("select", [zero, squares, length])
    return t * clip_norm / K.maximum(length, clip_norm)


@function("linalg.global_norm", "global_norm")
def global_norm(t_list: Any, name: Any = None) -> Tensor:
    squares = [K.sum(K.square(tensor(t))) for t in t_list if t is not None]
    return graph.apply("sqrt", [K.sum(K.stack(squares))])


@function("clip_by_global_norm")
def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None, name: Any = None) -> tuple[list, Tensor]:
    """The tensors, scaled down together where their common norm exceeds ``clip_norm``, and that norm."""
    length = global_norm(t_list) if use_norm is None else use_norm
    scale = clip_norm / K.maximum(length, clip_norm)
    return [t if t is None else tensor(t) * scale for t in t_list], length


@function("nn.moments")
def moments(
    x: Any, axes: Any, shift: Any = None, name: Any = None, keep_dims: Any = None, keepdims: Any = None
) -> tuple[Tensor, Tensor]:
    x, keep = tensor(x), bool(first_given(keepdims, keep_dims, False))
    axes = [int(a) for a in np.ravel(axes)]
    return K.mean(x, axes, keep), K.var(x, axes, keep)


@function("nn.l2_loss")
def l2_loss(t: Any, name: Any = None) -> Tensor:
    return K.sum(K.square(tensor(t))) * 0.5


@function("nn.zero_fraction", "math.zero_fraction")
def zero_fraction(value: Any, name: Any = None) -> Tensor:
    return K.mean(graph.cast(graph.apply("equal", [tensor(value), 0]), "float32"))
