"""What the functions do with their arguments: tensors of one dtype, axes, dims."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor


def tensor(value: Any, dtype: Any = None) -> Tensor:
    """A tensor of whatever TensorFlow would make one of; ``dtype`` is for values that are none yet."""
    return graph.convert(value, None if dtype is None else dtype_name(dtype))


def tensors(*values: Any) -> list[Tensor]:
    """All as tensors. Numbers and arrays take the dtype of the first tensor; without any, the first float's."""
    like = next((v.dtype for v in values if isinstance(v, Tensor)), None)
    if like is None:
        dtypes = [graph.convert(v).dtype for v in values]
        like = next((d for d in dtypes if d.startswith("float")), dtypes[0])
    return [graph.convert(v, like) for v in values]


#: What TensorFlow means by names and types that NumPy understands otherwise.
_DTYPES = {"float": "float32", "double": "float64", "half": "float16", float: "float32"}


def dtype_name(dtype: Any) -> str:
    """The name of a dtype given as string, NumPy's or TensorFlow's."""
    return _DTYPES.get(dtype) or (str(dtype) if isinstance(dtype, str) else np.dtype(dtype).name)


def is_float(x: Tensor) -> bool:
    return x.dtype.startswith("float")


def known(value: Tensor) -> int | None:
    """The value of an integer that is known before the run."""
    first = value.ints[0] if value.ints else None
    return first if isinstance(first, int) else None


def number(value: Any) -> int:
    """An integer argument, which may be a tensor that depends on no placeholder."""
    found = known(value) if isinstance(value, Tensor) else None
    return int(value) if found is None else found


def entries(shape: Any) -> list[Any]:
    """The dims of a shape, numbers and scalar tensors, from a number, a list, or a vector of known length."""
    if isinstance(shape, int) or (isinstance(shape, Tensor) and not shape.ndim):
        return [shape]
    return [shape[i] for i in range(shape.shape[0])] if isinstance(shape, Tensor) else list(shape)


def axes(axis: Any) -> Any:
    """One axis or several; None stays None."""
    if axis is None:
        return None
    if isinstance(axis, Tensor):
        axis = axis.numpy()
    return [int(a) for a in np.ravel(axis)] if np.ndim(axis) else int(axis)


def first_given(*values: Any) -> Any:
    """The first of several spellings of an argument that is not None."""
    return next((v for v in values if v is not None), None)


def dim(x: Tensor, axis: int) -> Any:
    """A dim of x: a number where known, else an int32 scalar tensor."""
    size = x.shape[axis]
    return graph.shape_of(x)[axis] if size is None else size


def dims(x: Tensor) -> list[Any]:
    return [dim(x, axis) for axis in range(x.ndim)]


def along(axis: int, key: Any) -> tuple:
    """An index of one axis, the others whole."""
    return (slice(None),) * axis + (key,)


def product(sizes: list[Any]) -> Any:
    """The product of numbers and scalar tensors; 1 without any."""
    total: Any = 1
    for size in sizes:
        total = size if isinstance(total, int) and total == 1 else total * size
    return total


class SizesFromData:
    """Counts the tensors made whose size depends on data: no body of a loop or a choice can hold one, as it is bound once."""

    count = 0
