"""TensorFlow's numbers for dtypes, and how the bytes of each are read."""

from __future__ import annotations

from typing import Any

import numpy as np

STRING, BFLOAT16 = 7, 14

_NUMPY = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 8: "complex64", 9: "int64", 10: "bool",
    17: "uint16", 18: "complex128", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
_NUMBERS = {name: number for number, name in _NUMPY.items()}


def name_of(number: int) -> str:
    """TensorFlow's name of a dtype.

    Raises:
        ValueError: the number stands for a dtype that is not read.
    """
    names = {**_NUMPY, STRING: "string", BFLOAT16: "bfloat16"}
    if number not in names:
        raise ValueError(f"it has TensorFlow's dtype number {number}, which is not read")
    return names[number]


def number_of(dtype: Any) -> int:
    """The number of a NumPy dtype.

    Raises:
        ValueError: TensorFlow does not have it.
    """
    name = np.dtype(dtype).name
    if name not in _NUMBERS:
        raise ValueError(f"Arrays of dtype {name} cannot be written to a TensorFlow checkpoint.")
    return _NUMBERS[name]


def stored(number: int) -> np.dtype:
    """How an element lies in the file; bfloat16 is the upper half of a float32, here as an integer."""
    return np.dtype("<u2") if number == BFLOAT16 else np.dtype(_NUMPY[number]).newbyteorder("<")


def from_stored(array: np.ndarray, number: int) -> np.ndarray:
    """The values of an array of stored elements. NumPy has no bfloat16: it becomes float32, which holds each value."""
    if number == BFLOAT16:
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(array.dtype.newbyteorder("="), copy=False)
