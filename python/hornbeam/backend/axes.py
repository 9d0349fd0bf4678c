"""The axes that functions are given, counted from 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Tensor

Axis = int | Sequence[int] | None


def axis_of(x: Tensor, axis: int, new: bool = False) -> int:
    """An axis of x; with ``new``, the place of one to insert.

    Raises:
        ValueError: x has no such axis.
        TypeError: the axis is not an integer.
    """
    rank = x.ndim + new
    if isinstance(axis, (bool, np.bool_)):
        raise ValueError(f"an axis cannot be {axis}, a bool")
    try:
        axis = axis.__index__()
    except AttributeError:
        raise TypeError(f"an axis is an integer, got {axis!r}") from None
    if not -rank <= axis < rank:
        room = "there is none" if not rank else f"axes go from 0 to {rank - 1}, or from -{rank} to -1"
        raise ValueError(f"Invalid axis {axis} for a tensor of shape {x.shape}: {room}.")
    return axis % rank


def normalize_axes(x: Tensor, axis: Axis) -> list[int]:
    """All axes of x for None, else the given ones in order, each named once; raises as :func:`axis_of`.

    The axes may come as an array, a range, or a tensor whose value is known, too.
    """
    if axis is None:
        return list(range(x.ndim))
    given: Any = axis if isinstance(axis, (list, tuple)) else np.ravel(axis).tolist()
    return sorted({axis_of(x, a) for a in given})
