"""The local heap, which has the names in an old group, and global heaps, which have strings of any length."""

from __future__ import annotations

from . import limits
from .storage import Storage


class LocalHeap:
    def __init__(self, storage: Storage, address: int | None) -> None:
        head = storage.fields(address, 8 + 2 * storage.length_size + storage.offset_size, b"HEAP", "a local heap")
        head.version(0)
        head.skip(3)
        size = head.length()
        head.length()  # the first free place
        self._storage = storage
        self._data = storage.fields(head.address(), size, what="the data of a local heap").data

    def name(self, offset: int) -> bytes:
        """The bytes at an offset, up to a zero."""
        end = self._data.find(b"\0", offset, offset + limits.MAX_NAME + 1)
        if offset >= len(self._data) or end < 0:
            raise self._storage.damage(f"a name is missing, or longer than {limits.MAX_NAME} bytes")
        self._storage.metadata.spend(end - offset)  # names may overlap
        return self._data[offset:end]


class GlobalHeap:
    """A collection of strings: they are found by their number in it."""

    def __init__(self, storage: Storage, address: int) -> None:
        self._storage = storage
        head = storage.fields(address, 8 + storage.length_size, b"GCOL", "a global heap")
        head.version(1)
        head.skip(3)
        fields = storage.fields(address, head.length(), what="a global heap")
        fields.skip(8 + storage.length_size)
        self._data, self._places = fields.data, {}
        header = 8 + storage.length_size
        while len(fields.data) - fields.at >= header:
            number = fields.number(2)
            fields.skip(6)  # how often it is used
            size = fields.length()
            if number == 0:  # the free rest
                break
            self._places[number] = (fields.at, size)
            fields.padded(size)

    def get(self, number: int, size: int) -> bytes:
        """The first ``size`` bytes of an object."""
        start, room = self._places.get(number, (0, 0))
        if size > room:
            raise self._storage.damage(f"a string of {size} bytes is missing in a global heap")
        return self._data[start : start + size]
