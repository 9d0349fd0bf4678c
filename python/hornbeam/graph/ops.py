"""Building the graph: leaves, and :func:`apply`, through which every op is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import _core
from ..settings import settings
from . import control
from .arrays import as_array
from .dtypes import array_dtype, dtype_name
from .integers import as_integer
from .naming import checked_name
from .strings import StringTensor, as_strings, string_constant, string_tensor
from .tensor import Operation, Tensor, known_constant, marker

#: an output's dtype, dims, and what is known of its integers (:attr:`Tensor.ints`)
Kind = tuple[str, "Sequence[int | None]", "tuple | None"]


def apply(op: str, inputs: Sequence[Any], **attrs: Any) -> Any:
    """Apply ``op`` (see ``docs/ops.md``) and return its output tensor, or a tuple of its several outputs.

    Inputs that are numbers or arrays take the dtype of the first tensor among the inputs; ``None`` stands
    for an optional input that is not given.

    Raises:
        ValueError, TypeError: from the op's shape rule, naming the op and the shapes.
    """
    tensors = _as_tensors(op, inputs)
    types = [None if t is None else (t.dtype, t.dims, t.ints) for t in tensors]
    try:
        inferred = _core.infer(op, attrs, types)
    except TypeError:
        if any(isinstance(t, StringTensor) for t in tensors):
            return StringTensor.apply_op(op, tensors, attrs)
        raise
    outputs = make_node(op, tensors, attrs, inferred)
    return outputs[0] if len(outputs) == 1 else outputs


def make_node(
    op: str, inputs: Sequence[Tensor | None], attrs: dict[str, Any], kinds: Iterable[Kind], uses_phase: bool = False
) -> tuple[Tensor, ...]:
    """Make a node that computes, and let an open recorder know of it.

    Args:
        kinds: of each output, the dtype, the dims, and what is known of its integers.
        uses_phase: whether the learning phase matters to it beyond what its inputs say.
    """
    recorder = settings.recorder
    if recorder is not None:
        recorder.admit(inputs)
    node = Operation(op, tuple(inputs), attrs)
    outputs = node.outputs = tuple([Tensor(node, i, d, s, ints=v) for i, (d, s, v) in enumerate(kinds)])
    if uses_phase or any(t is not None and t._uses_learning_phase for t in inputs):
        for out in outputs:
            out._uses_learning_phase = True
    if recorder is not None:
        recorder.made(node)  # may compute them, and cut the node from what it was made of
    return outputs


def _as_tensors(op: str, inputs: Sequence[Any]) -> list[Tensor | None]:
    dtype = next((t.dtype for t in inputs if isinstance(t, Tensor)), None)
    tensors: list[Tensor | None] = []
    for x in inputs:
        if x is None:
            tensors.append(None)
        elif isinstance(x, Tensor):
            tensors.append(control.current_value(x))
        else:
            tensors.append(convert(x, dtype))
    return tensors


def constant(value: Any, dtype: str | None = None, shape: Sequence[int] | None = None) -> Tensor:
    """A fixed value. ``dtype`` defaults to the array's own, and to floatx for Python floats and lists of them.

    Text becomes a tensor of strings.
    """
    number = isinstance(value, (int, float))  # most constants are, and there is nothing else to look for
    if not number and (dtype is None or dtype == "string"):
        strings = as_strings(value)
        if strings is not None:
            return string_constant(strings if shape is None else np.broadcast_to(strings, tuple(shape)))
    array = np.asarray(value) if number else as_array(value)
    if array.dtype == object:
        raise TypeError(f"cannot make a tensor of {type(value).__name__}: {str(value)[:80]}")
    if dtype is None:
        python_number = not isinstance(value, (np.ndarray, np.generic))
        if array.dtype.kind == "f" and python_number:
            dtype = floatx()
        elif array.dtype.kind in "iu" and python_number:
            dtype = "int32" if array.size == 0 or -(2**31) <= array.min() <= array.max() < 2**31 else "int64"
        else:
            dtype = array_dtype(array.dtype)
    dtype = dtype_name(dtype)
    if shape is not None:
        array = np.broadcast_to(array, tuple(shape))
    if array.dtype != dtype or not array.flags.c_contiguous:
        array = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
    tensor = known_constant(array)
    if array.dtype.kind in "iu" and array.ndim <= 1 and array.size <= _core.MAX_KNOWN_INTS:
        tensor.ints = tuple(int(v) for v in array.reshape(-1))
    return tensor


def check_rank(rank: int) -> None:
    """Raise ValueError for more dims than any op takes, before there is a shape of as many."""
    if rank > _core.MAX_DIMS:
        raise ValueError(
            f"A tensor has at most {_core.MAX_DIMS} dimensions, and a placeholder was asked for with {rank}."
        )


def placeholder(shape: Sequence[int | None], dtype: str | None = None, name: str | None = None) -> Tensor:
    """A value that is fed at each run.

    Raises:
        ValueError: a dim is negative, or there are more of them than any op takes.
    """
    check_rank(len(shape))
    dtype, dims = dtype_name(dtype or floatx()), [None if d is None else as_integer(d) for d in shape]
    if any(d is not None and d < 0 for d in dims):
        raise ValueError(f"a dimension cannot be negative, got shape {tuple(shape)}: None stands for an unknown one")
    if dtype == "string":
        tensor: Tensor = string_tensor("placeholder", dims)
    else:
        _core.infer("identity", {}, [(dtype, tuple(dims), None)])  # whether there are such tensors
        tensor = marker("placeholder", (), dtype, dims)
    if name:
        tensor._name = checked_name(name) if isinstance(name, str) else name
    return tensor


def attrs_key(attrs: dict[str, Any]) -> tuple:
    """Equal for attributes that mean the same to an op. 0.0 and -0.0 are equal numbers, but not the same fill."""
    if not attrs:
        return ()
    return tuple([(name, _exact(attrs[name])) for name in sorted(attrs)])


def _exact(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple([_exact(v) for v in value])
    is_ordinary = not isinstance(value, float) or (value != 0 and value == value)
    return value if is_ordinary else str(value)


def convert(value: Any, dtype: str | None = None) -> Tensor:
    """Return a tensor as it is, a list with tensors in it stacked to one, anything else as a constant."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        dtype = next(v.dtype for v in value if isinstance(v, Tensor))
        return apply("concat", [apply("expand_dims", [convert(v, dtype)], axis=0) for v in value], axis=0)
    return constant(value, dtype)


def cast(x: Tensor, dtype: str) -> Tensor:
    dtype = dtype_name(dtype)
    return x if x.dtype == dtype else apply("cast", [x], dtype=dtype)


def shape_of(x: Tensor) -> Tensor:
    """The shape as an int32 vector; its values are folded as soon as they are known."""
    return apply("shape", [x])


def shape_tensor(dims: Any) -> Tensor:
    """An integer vector from a shape that mixes numbers, ``-1`` and scalar tensors, for ``reshape``, ``fill`` …"""
    if isinstance(dims, Tensor):
        return dims
    dims = list(dims)
    if None in dims:
        raise ValueError(
            f"A shape to compute with cannot hold None, got {tuple(dims)}: give K.shape(x)[i] for a dim that is known when "
            "run, or -1 (in K.reshape) for whatever is left."
        )
    if not any(isinstance(d, Tensor) for d in dims):
        return constant(np.asarray([as_integer(d) for d in dims], dtype="int64"))
    parts = [
        cast(apply("reshape", [d, constant(np.asarray([1]))]), "int64")
        if isinstance(d, Tensor)
        else constant(np.asarray([as_integer(d)], dtype="int64"))
        for d in dims
    ]
    return apply("concat", parts, axis=0)


def reshape(x: Tensor, dims: Any) -> Tensor:
    return apply("reshape", [x, shape_tensor(dims)])


def unbroadcast(grad: Tensor, like: Tensor) -> Tensor:
    """Sum a gradient down to the shape of the input that was broadcast."""
    if grad.dims == like.dims:
        return grad
    return apply("sum_to", [grad, shape_of(like)])


def floatx() -> str:
    """The default float type, ``'float32'`` unless ``K.set_floatx`` changed it."""
    return settings.floatx


def set_floatx(dtype: str) -> None:
    if dtype not in ("float16", "float32", "float64"):
        raise ValueError(f"Unknown floatx type: {dtype}. Expected 'float16', 'float32' or 'float64'.")
    settings.floatx = dtype
