"""Arrays from whatever holds numbers."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np


def as_array(value: Any) -> np.ndarray:
    """The numbers of an array-like, where they lie if that is possible.

    Takes NumPy arrays in any layout, what has the buffer protocol (``memoryview``, ``array``), ``__array__``, or DLPack;
    lists; SciPy's sparse matrices, which become dense; and arrays of Python numbers, which get the dtype that holds them
    all. An array of other objects is returned as it is.
    """
    if not isinstance(value, np.ndarray):
        if hasattr(value, "tocoo"):
            value = value.toarray()
        elif hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            value = np.from_dlpack(value)
    array = np.asarray(value)
    if array.dtype == object and all(isinstance(x, Number) for x in array.flat):
        array = np.array(array.tolist()).reshape(array.shape)
    return array
