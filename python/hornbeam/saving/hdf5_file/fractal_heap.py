"""The fractal heap, which has the names of a group of many objects, or the attributes of an object of many."""

from __future__ import annotations

from . import btrees
from .storage import Fields, Storage

_MANAGED, _HUGE, _TINY = range(3)
_HUGE_INDIRECT, _HUGE_DIRECT = 1, 3  # kinds of B-trees


class FractalHeap:
    """Objects in blocks whose sizes double from row to row; small ones are in their id, large ones apart."""

    def __init__(self, storage: Storage, address: int | None) -> None:
        self._storage = storage
        size = 26 + 12 * storage.length_size + 3 * storage.offset_size
        head = storage.checked_fields(address, size, b"FRHP", "a fractal heap")
        head.version(0)
        self._id_size, filters, self._flags, most = head.number(2), head.number(2), head.number(1), head.number(4)
        if filters:
            raise storage.damage("a fractal heap has filters, which Keras never wrote")
        head.length()  # the next number of a huge object
        self._huge_tree = head.address()
        head.length()  # free space, and where it is noted
        head.address()
        for _ in range(8):  # sizes and counts of what is in it
            head.length()
        self._width, self._start, largest = head.number(2), head.length(), head.length()
        bits = head.number(2)
        head.skip(2)  # rows at first
        self._root, self._rows = head.address(), head.number(2)
        powers = self._width, self._start, largest
        if any(n < 1 or n & (n - 1) for n in powers) or largest < self._start or not 1 <= bits <= 64:
            raise storage.damage("the blocks of a fractal heap have impossible sizes")
        self._offset_size = (bits + 7) // 8
        self._size_size = min((largest.bit_length() + 6) // 8, btrees.bytes_for(most))
        self._direct_rows = largest.bit_length() - self._start.bit_length() + 2
        self._most_rows = max(bits - self._start.bit_length() - self._width.bit_length() + 3, 1)
        self._blocks: dict[int, list[int | None]] = {}
        self._huge: dict[bytes, tuple[int | None, int]] | None = None

    def get(self, name: bytes) -> bytes:
        """The object of an id."""
        kind = name[0] >> 4 & 3 if name else None
        if kind == _MANAGED:
            return self._managed(name)
        if kind == _HUGE:
            return self._large(name)
        if kind == _TINY:
            return self._tiny(name)
        raise self._storage.damage("an object in a fractal heap is of an unknown kind")

    def _managed(self, name: bytes) -> bytes:
        offset = int.from_bytes(name[1 : 1 + self._offset_size], "little")
        size = int.from_bytes(name[1 + self._offset_size : 1 + self._offset_size + self._size_size], "little")
        block, rows = self._root, self._rows
        if rows == 0:
            return self._object(block, self._start, offset, size)
        while True:
            row = max((offset // (self._start * self._width)).bit_length(), 0)
            if row >= rows:
                raise self._storage.damage("an object is beyond the end of its fractal heap")
            block_size = self._start << max(row - 1, 0)
            first = self._start * self._width << row - 1 if row else 0  # the offset where the row begins
            column = (offset - first) // block_size
            block = self._children(block, rows)[row * self._width + column]
            offset -= first + column * block_size
            if row < self._direct_rows:
                return self._object(block, block_size, offset, size)
            rows = block_size.bit_length() - (self._start * self._width).bit_length() + 1

    def _object(self, block: int | None, block_size: int, offset: int, size: int) -> bytes:
        head = 5 + self._storage.offset_size + self._offset_size + (4 if self._flags & 2 else 0)
        if block is None or offset < head or offset + size > block_size:
            raise self._storage.damage("an object is beyond its block of a fractal heap")
        return self._storage.read(block + offset, size)

    def _children(self, address: int | None, rows: int) -> list[int | None]:
        """The addresses in an indirect block."""
        if address not in self._blocks:
            if rows > self._most_rows:
                raise self._storage.damage(f"a fractal heap has a block of {rows} rows")
            head = 5 + self._storage.offset_size + self._offset_size
            count = rows * self._width
            size = head + count * self._storage.offset_size + 4
            fields = self._storage.checked_fields(address, size, b"FHIB", "a block of a fractal heap")
            fields.version(0)
            fields.skip(head - 5)
            self._blocks[address or 0] = [fields.address() for _ in range(count)]
        children = self._blocks[address or 0]
        if len(children) != rows * self._width:
            raise self._storage.damage("a fractal heap has blocks that overlap")
        return children

    def _large(self, name: bytes) -> bytes:
        """An object of a place of its own, which its id says or a B-tree."""
        storage = self._storage
        if self._id_size - 1 >= storage.offset_size + storage.length_size:
            return storage.read(
                int.from_bytes(name[1 : 1 + storage.offset_size], "little"),
                int.from_bytes(name[1 + storage.offset_size :][: storage.length_size], "little"),
            )
        if self._huge is None:
            self._huge = {}
            for record in btrees.records(storage, self._huge_tree, _HUGE_INDIRECT)[1]:
                fields = Fields(storage, record, "a B-tree")
                place, size = fields.address(), fields.length()
                self._huge[fields.take(storage.length_size)] = (place, size)
        place, size = self._huge.get(name[1:].ljust(storage.length_size, b"\0")[: storage.length_size], (None, 0))
        if place is None:
            raise storage.damage("a large object is missing in a fractal heap")
        return storage.read(place, size)

    def _tiny(self, name: bytes) -> bytes:
        if self._id_size <= 17:
            start, size = 1, (name[0] & 15) + 1
        else:
            start, size = 2, ((name[0] & 15) << 8 | name[1]) + 1
        if start + size > len(name):
            raise self._storage.damage("a small object is longer than its id in a fractal heap")
        return name[start : start + size]
