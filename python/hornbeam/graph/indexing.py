"""``tensor[...]`` with NumPy's meaning of integers, slices, ``...`` and ``None``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .integers import clipped
from .ops import apply, cast, shape_of, shape_tensor
from .tensor import Tensor

_OPEN = 0  # placeholder for an end left open; the masks say so
_MAX_STRIDE = 2**31  # longer ones take what this takes of any axis


def getitem(x: Tensor, key: Any) -> Tensor:
    """Index a tensor.

    Integers drop an axis, ``None`` adds one, slices may have negative steps; integers and slice ends may be scalar
    integer tensors.

    Raises:
        IndexError: too many indices.
        TypeError: an index of another kind (use ``K.gather`` for lists of rows).
    """
    # TensorFlow takes a list for a tuple; one of numbers alone means rows in NumPy, and is refused below.
    several = isinstance(key, tuple) or (isinstance(key, list) and any(k is None or isinstance(k, slice) for k in key))
    items = list(key) if several else [key]
    used = sum(1 for k in items if k is not None and k is not Ellipsis)
    if used > x.ndim:
        raise IndexError(f"too many indices for {x!r}: {used} for {x.ndim} dimensions")
    if Ellipsis in [k for k in items if not isinstance(k, Tensor)]:
        at = next(i for i, k in enumerate(items) if k is Ellipsis)
        items[at : at + 1] = [slice(None)] * (x.ndim - used)
    else:
        items += [slice(None)] * (x.ndim - used)

    x, items = _gather_computed(x, items)
    begin, end, strides, drop, insert = [], [], [], [], []
    begin_mask = end_mask = 0
    axis = out_axis = 0
    for k in items:
        if k is None:
            insert.append(out_axis)
            out_axis += 1
            continue
        if isinstance(k, slice):
            begin_mask |= (k.start is None) << axis
            end_mask |= (k.stop is None) << axis
            begin.append(_OPEN if k.start is None else _limit(k.start))
            end.append(_OPEN if k.stop is None else _limit(k.stop))
            strides.append(1 if k.step is None else _stride(k.step))
            out_axis += 1
        elif isinstance(k, Tensor) and k.ndim == 0:
            begin.append(k)
            end.append(k + 1)
            strides.append(1)
            drop.append(axis)
        elif hasattr(k, "__index__") and not isinstance(k, (bool, np.bool_)):
            k = k.__index__()
            size = x.shape[axis]
            if size is not None and not -size <= k < size:
                raise IndexError(f"index {k} is out of bounds for axis {axis} of {x!r}")
            begin.append(k)
            end.append(k + 1)
            end_mask |= (k == -1) << axis
            strides.append(1)
            drop.append(axis)
        else:
            raise TypeError(
                f"cannot index {x!r} with {type(k).__name__}: use integers, slices, ... or None, or K.gather"
            )
        axis += 1
    whole = begin_mask == end_mask == (1 << axis) - 1 and all(s == 1 for s in strides)
    if not whole:
        x = apply(
            "slice",
            [x, shape_tensor(begin), shape_tensor(end)],
            strides=strides,
            begin_mask=begin_mask,
            end_mask=end_mask,
        )
    if drop:
        x = apply("squeeze", [x], axes=drop)
    for at in insert:
        x = apply("expand_dims", [x], axis=at)
    return x


def _limit(at: Any) -> Any:
    return at if isinstance(at, Tensor) else clipped(at)


def _stride(step: Any) -> int:
    return min(max(clipped(step), -_MAX_STRIDE), _MAX_STRIDE)


def _gather_computed(x: Tensor, items: list) -> tuple[Tensor, list]:
    """Take what is at integers that are computed from data, and return the indices that are left.

    A slice would have to know them when the plan is made.
    """
    left = []
    axis = 0
    for k in items:
        if isinstance(k, Tensor) and k.ndim == 0 and k.ints is None:
            if k.dtype == "uint8":
                k = cast(k, "int32")
            length = cast(shape_of(x)[axis], k.dtype)
            x = apply("gather", [x, apply("select", [k < 0, k + length, k])], axis=axis)
        else:
            left.append(k)
            axis += k is not None
    return x, left
