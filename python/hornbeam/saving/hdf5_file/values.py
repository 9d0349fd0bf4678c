"""From the bytes of attributes and arrays to what they mean: numbers, bools, texts."""

from __future__ import annotations

import math

import numpy as np

from . import limits
from .datatypes import LONG_TEXT, NUMBER, TEXT, Datatype
from .open_file import OpenFile
from .storage import Budget, Fields


def check_readable(file: OpenFile, datatype: Datatype) -> None:
    """Raise ValueError for a datatype of which no value is read, not even the one that is empty."""
    if datatype.kind not in (NUMBER, TEXT, LONG_TEXT):
        raise ValueError(f"{file.storage.where} has a value that is neither a number nor a text ({datatype.kind})")


def values(file: OpenFile, datatype: Datatype, shape: tuple[int, ...], data: bytes, budget: Budget) -> np.ndarray:
    """The array of a datatype that ``data`` is in a file; strings of any length are bytes in it."""
    check_readable(file, datatype)
    size, count = math.prod(shape) * datatype.size, math.prod(shape) * math.prod(datatype.dims)
    if size > len(data):
        raise file.storage.damage(f"an array of {size} bytes has {len(data)} in the file")
    data = data[:size]  # messages are padded to a multiple of 8
    if datatype.kind == LONG_TEXT:
        if size != count * (8 + file.storage.offset_size):
            raise file.storage.damage("strings of any length have a place of another size")
        array = np.empty(count, object)
        array[:] = _texts(file, data, count, budget)
        return array.reshape(shape + datatype.dims)
    budget.spend(size)
    array = np.frombuffer(data, np.uint8 if datatype.is_bool else datatype.dtype, count)
    return finished(array, datatype).reshape(shape + datatype.dims)


def _texts(file: OpenFile, data: bytes, count: int, budget: Budget) -> list[bytes]:
    """Strings of any length, by what stands for them in an array: a length, a heap, a number in it."""
    fields = Fields(file.storage, data, "an array of strings")
    found = []
    for _ in range(count):
        size, heap, number = fields.number(4), fields.address(), fields.number(4)
        budget.spend(size + limits.STRING_OVERHEAD)
        text = file.heap(heap).get(number, size) if size and heap else b""
        found.append(text.split(b"\0", 1)[0])  # they are C's strings
    return found


def finished(array: np.ndarray, datatype: Datatype) -> np.ndarray:
    """Numbers and texts as they are stored, made into what they mean."""
    if datatype.is_bool:
        return array != 0
    if datatype.kind == TEXT and datatype.padding != 1:
        flat = array.reshape(-1).tolist()
        clean = [x.rstrip(b" ") if datatype.padding == 2 else x.split(b"\0", 1)[0] for x in flat]
        return np.array(clean, datatype.dtype).reshape(array.shape)
    return array
