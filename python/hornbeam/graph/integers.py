"""Integers that users give: dims, axes, counts."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

_MIN, _MAX = -(2**63), 2**63 - 1


def as_integer(value: Any, what: str = "a dimension") -> int:
    """An integer, NumPy's and whole floats among them, as an int.

    Raises:
        ValueError: a bool, a fraction, nan, or more than 64 bits.
        TypeError: no number.
    """
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{what} cannot be {value}, a bool")
    if isinstance(value, (float, np.floating)):
        if not float(value).is_integer():
            raise ValueError(f"{what} cannot be {value}")
        value = int(value)
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer, got {value!r:.80}") from None
    if not _MIN <= number <= _MAX:
        raise ValueError(f"{what} cannot be {number!r:.80}")
    return number


def clipped(value: Any) -> int:
    """The nearest integer of 64 bits: where a slice begins or ends, beyond which there is nothing."""
    return min(max(index(value), _MIN), _MAX)
