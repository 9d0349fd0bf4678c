"""The attributes of an object, in its header or, if there are many, in a fractal heap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from . import btrees, headers
from .datatypes import LONG_TEXT
from .fractal_heap import FractalHeap
from .headers import Header
from .messages import Attribute, read_attribute
from .open_file import OpenFile
from .values import check_readable, values

_BY_NAME, _BY_ORDER = 8, 9  # kinds of B-trees


class Empty:
    """A dataset or attribute of a type and without even one value."""

    shape = None

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype


class Attributes(Mapping):
    """The attributes of an object by name: numbers and arrays of NumPy, ``str``, or :class:`Empty`."""

    def __init__(self, file: OpenFile, header: Header) -> None:
        self._file = file
        found = list(_attributes(header))
        self._found = {item.name: item for item in found}
        if len(self._found) != len(found):
            raise header.storage.damage("an object has an attribute twice")
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._value(self._found[name])
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _value(self, item: Attribute) -> Any:
        if item.shape is None:
            check_readable(self._file, item.datatype)
            return Empty(item.datatype.item)
        array = values(self._file, item.datatype, item.shape, item.data, self._file.storage.attributes)
        if item.datatype.kind == LONG_TEXT:
            texts = np.empty(array.shape, object)
            texts.reshape(-1)[:] = [text.decode("utf-8", "surrogateescape") for text in array.reshape(-1)]
            array = texts
        array.flags.writeable = False  # whoever asks again gets it too
        return array[()]


def _attributes(header: Header) -> Iterator[Attribute]:
    """All attributes of an object, those in its header and those in a heap."""
    storage = header.storage
    for message in header.all(headers.ATTRIBUTE):
        yield read_attribute(storage, message)
    if headers.ATTRIBUTE_INFO not in header:
        return
    info = header.fields(headers.ATTRIBUTE_INFO, "its attributes")
    info.version(0)
    info.skip(2 if info.number(1) & 1 else 0)  # the order of creation so far
    address, tree = info.address(), info.address()
    if address is None:
        return
    heap = FractalHeap(storage, address)
    for record in btrees.records(storage, tree, _BY_NAME, _BY_ORDER)[1]:
        if record[8] & 2:
            raise storage.damage("it shares messages between objects, which Keras never did")
        yield read_attribute(storage, heap.get(record[:8]))
