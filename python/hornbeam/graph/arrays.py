"""Arrays from whatever holds numbers."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np

from .. import _core


def as_array(value: Any) -> np.ndarray:
    """The numbers of an array-like, where they lie if that is possible.

    Takes NumPy arrays in any layout, what has the buffer protocol (``memoryview``, ``array``), ``__array__``, or DLPack;
    lists; SciPy's sparse matrices, which become dense; and arrays of Python numbers, which get the dtype that holds them
    all. What lies in a device's own memory is copied. An array of other objects is returned as it is.
    """
    if not isinstance(value, np.ndarray):
        there = _core.device_array_of(value)
        value = value if there is None else there
        if hasattr(value, "tocoo"):
            value = value.toarray()
        elif hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            value = np.from_dlpack(value)
    array = np.asarray(value)
    if array.dtype == object and all(isinstance(x, Number) for x in array.flat):
        array = np.array(array.tolist()).reshape(array.shape)
    return array


def where_it_lies(value: Any) -> Any:
    """An array of another library as ours, of the same memory: a NumPy array, or a DeviceArray in a device's own memory.

    What is not such an array is returned as it is.
    """
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "__dlpack_device__") or hasattr(value, "__cuda_array_interface__"):
        array = _core.device_array_of(value)
        return as_array(value) if array is None else array
    return value
