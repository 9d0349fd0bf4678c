"""Where the chunks of a dataset are: five kinds of index, all read into one table. (The sixth, implicit one is a rule.)"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

import numpy as np

from . import btrees, messages
from .messages import Dataspace, Layout
from .storage import Fields, Storage

_PLAIN, _FILTERED = 10, 11  # kinds of B-trees


class ChunkTable:
    """All chunks of an array, an item each.

    Attributes:
        places: which chunk it is, counted in chunks along each dim, of shape (chunks, rank).
        addresses, sizes, masks: where it is stored, in how many bytes, and which filters were left out for it.
    """

    def __init__(self, places: np.ndarray, addresses: np.ndarray, sizes: np.ndarray, masks: np.ndarray) -> None:
        self.places, self.addresses, self.sizes, self.masks = places, addresses, sizes, masks

    def __iter__(self) -> Iterator[tuple[list[int], int, int, int]]:
        return zip(self.places.tolist(), self.addresses.tolist(), self.sizes.tolist(), self.masks.tolist())


def read_chunk_table(storage: Storage, space: Dataspace, layout: Layout, has_filters: bool) -> ChunkTable:
    """Read an index. Chunks beyond the array, which it may have had when it was larger, are left out.

    Raises:
        ValueError: the index is damaged, or its chunks are out of order.
    """
    shape, chunk = space.shape or (), layout.chunk[:-1]
    grid = [-(-n // c) for n, c in zip(shape, chunk)]
    if layout.address is None:
        return ChunkTable(np.zeros((0, len(shape)), np.uint64), *np.zeros((3, 0), np.uint64))
    places, addresses, sizes, masks = _READERS[layout.index](storage, space, layout, has_filters)
    there = (addresses != (1 << 8 * storage.offset_size) - 1) & (places < np.array(grid, np.uint64)).all(axis=1)
    return ChunkTable(places[there], addresses[there], sizes[there], masks[there])


_Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _btree_1(storage: Storage, space: Dataspace, layout: Layout, has_filters: bool) -> _Columns:
    rank = len(layout.chunk) - 1
    pair = np.dtype(
        [("size", "<u4"), ("mask", "<u4"), ("start", "<u8", (rank + 1,)), ("at", f"<u{storage.offset_size}")]
    )
    start = struct.Struct(f"<8x{rank + 1}Q")
    found = b"".join(btrees.leaves(storage, layout.address, 1, start.size, start.unpack))
    pairs = np.frombuffer(found, pair)
    dims = np.array(layout.chunk[:-1], np.uint64)
    starts, within_item = pairs["start"][:, :-1], pairs["start"][:, -1]
    if (starts % dims).any() or within_item.any() or not _increasing(starts):
        raise storage.damage("the chunks of an array are out of order")
    addresses, sizes, masks = (pairs[name].astype(np.uint64) for name in ("at", "size", "mask"))
    return starts // dims, addresses, sizes, masks


def _increasing(rows: np.ndarray) -> bool:
    """Whether each row comes after the one before, as a library expects that looks for it by halves."""
    before, after = rows[:-1], rows[1:]
    first = (before != after).argmax(axis=1)[:, None]
    return bool((np.take_along_axis(after, first, 1) > np.take_along_axis(before, first, 1)).all())


def _single(storage: Storage, space: Dataspace, layout: Layout, has_filters: bool) -> _Columns:
    size, mask = layout.stored or (math.prod(layout.chunk), 0)
    places = np.zeros((1, len(layout.chunk) - 1), np.uint64)
    return places, *np.array([[layout.address], [size], [mask]], np.uint64)


def largest_grid(space: Dataspace, layout: Layout) -> list[int | None]:
    """How many chunks there may be along each dim, when the array has its largest size; None without a limit."""
    return [None if n is None else -(-n // c) for n, c in zip(space.max_shape, layout.chunk)]


def _places(numbers: np.ndarray, counts: list[int | None]) -> np.ndarray:
    """The places of chunks that are counted through, the last dim fastest, but one without limit slowest of all."""
    order = sorted(range(len(counts)), key=lambda i: counts[i] is not None)
    places = np.zeros((len(numbers), len(counts)), np.uint64)
    for i in reversed(order[1:]):
        numbers, places[:, i] = np.divmod(numbers, np.uint64(max(counts[i] or 1, 1)))
    if order:
        places[:, order[0]] = numbers
    return places


def _elements(
    storage: Storage, data: bytes, width: int, layout: Layout, filtered: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Addresses, stored sizes and masks, from the elements of an index."""
    rows = np.frombuffer(data, np.uint8).reshape(-1, width)
    at = storage.offset_size
    addresses = _integers(rows[:, :at])
    if not filtered:
        sizes, masks = np.full(len(rows), math.prod(layout.chunk), np.uint64), np.zeros(len(rows), np.uint64)
    else:
        sizes, masks = _integers(rows[:, at:-4]), _integers(rows[:, -4:])
    return addresses, sizes, masks


def _integers(digits: np.ndarray) -> np.ndarray:
    """Integers of any number of bytes, least significant first."""
    wide = np.zeros((len(digits), 8), np.uint8)
    wide[:, : digits.shape[1]] = digits
    return wide.view("<u8")[:, 0].astype(np.uint64)


def _check_width(storage: Storage, width: int, filtered: bool) -> None:
    least = storage.offset_size + (5 if filtered else 0)
    if not least <= width <= least + (7 if filtered else 0):
        raise storage.damage(f"an index of chunks has elements of {width} bytes")


def _fixed_array(storage: Storage, space: Dataspace, layout: Layout, has_filters: bool) -> _Columns:
    counts = largest_grid(space, layout)
    head = _array_header(storage, layout, b"FAHD", 8 + storage.length_size + storage.offset_size + 4, has_filters)
    width, page_bits, count, at = head.number(1), head.number(1), head.length(), head.address()
    _check_width(storage, width, has_filters)
    if count != math.prod(n or 0 for n in counts):
        raise storage.damage(f"an index has {count} chunks for a grid of {counts!s:.100}")
    data = b"" if at is None else _fixed_block(storage, at, width, page_bits, count)
    columns = _elements(storage, data, width, layout, has_filters)
    return _places(np.arange(len(columns[0]), dtype=np.uint64), counts), *columns


def _array_header(storage: Storage, layout: Layout, signature: bytes, size: int, has_filters: bool) -> Fields:
    head = storage.checked_fields(layout.address, size, signature, "an index of chunks")
    head.version(0)
    if head.number(1) != has_filters:
        raise storage.damage("an index of chunks does not agree with the filters")
    return head


def _fixed_block(storage: Storage, address: int, width: int, page_bits: int, count: int) -> bytes:
    start = 6 + storage.offset_size
    per_page = 1 << min(page_bits, 63)
    if count <= per_page:
        data = storage.checked_fields(address, start + count * width + 4, b"FADB", "an index of chunks").data
        return data[start:-4]
    pages = -(-count // per_page)
    start += (pages + 7) // 8
    block = storage.checked_fields(address, start + 4, b"FADB", "an index of chunks")
    written = np.unpackbits(np.frombuffer(block.data[6 + storage.offset_size : -4], np.uint8))
    return _pages(storage, address + start + 4, written, width, per_page, count)


def _pages(storage: Storage, address: int, written: np.ndarray, width: int, per_page: int, count: int) -> bytes:
    """Elements in pages with a checksum each; those that were never written have no chunks."""
    parts = []
    for page in range(-(-count // per_page)):
        here = min(per_page, count - page * per_page)
        if written[page]:
            data = storage.read(address + page * (per_page * width + 4), here * width + 4)
            storage.verify(data, "an index of chunks")
            parts.append(data[:-4])
        else:
            storage.metadata.spend(here * width)
            parts.append(b"\xff" * (here * width))
    return b"".join(parts)


def _extensible_array(storage: Storage, space: Dataspace, layout: Layout, has_filters: bool) -> _Columns:
    reader = _ExtensibleArray(storage, layout, has_filters)
    numbers, data = reader.read()
    addresses, sizes, masks = _elements(storage, data, reader.width, layout, has_filters)
    addresses[numbers >= reader.used] = (1 << 8 * storage.offset_size) - 1  # were never written
    return _places(numbers, largest_grid(space, layout)), addresses, sizes, masks


class _ExtensibleArray:
    """An array that grows: elements in the index block, then in data blocks, then in data blocks of super blocks."""

    def __init__(self, storage: Storage, layout: Layout, has_filters: bool) -> None:
        self._storage = storage
        size = 12 + 6 * storage.length_size + storage.offset_size + 4
        head = _array_header(storage, layout, b"EAHD", size, has_filters)
        self.width, bits, self._in_index, self._least = (head.number(1) for _ in range(4))
        self._least_pointers, page_bits = head.number(1), head.number(1)
        for _ in range(4):  # numbers and sizes of blocks
            head.length()
        self.used, _ = head.length(), head.length()
        self._index = head.address()
        _check_width(storage, self.width, has_filters)
        powers = self._least, self._least_pointers
        if any(n < 1 or n & (n - 1) for n in powers) or not 1 <= bits <= 64 or page_bits > 63:
            raise storage.damage("an index of chunks has impossible sizes")
        self._per_page = 1 << page_bits
        self._offset_size = (bits + 7) // 8
        self._super_blocks = 1 + bits - (self._least.bit_length() - 1)
        self._found: list[tuple[int, bytes]] = []

    def read(self) -> tuple[np.ndarray, bytes]:
        """Numbers of elements, and the elements, of all blocks that were written."""
        storage = self._storage
        if self._index is not None:
            direct = 2 * (self._least_pointers - 1)
            first_super = 2 * (self._least_pointers.bit_length() - 1)
            supers = self._super_blocks - first_super
            if supers < 0:
                raise storage.damage("an index of chunks has impossible sizes")
            in_index = self._in_index * self.width
            fields = self._block(self._index, b"EAIB", in_index + (direct + supers) * storage.offset_size)
            self._found.append((0, fields.take(in_index)))
            at = self._in_index
            for level in range(first_super):
                for _ in range(1 << level // 2):
                    at = self._data_block(fields.address(), level, at, None)
            for level in range(first_super, self._super_blocks):
                at = self._super_block(fields.address(), level, at)
        numbers = [np.arange(start, start + len(data) // self.width, dtype=np.uint64) for start, data in self._found]
        return np.concatenate([np.zeros(0, np.uint64), *numbers]), b"".join(data for _, data in self._found)

    def _block(self, address: int | None, signature: bytes, size: int) -> Fields:
        """A block of a header and ``size`` bytes, behind the header."""
        start = 6 + self._storage.offset_size + (0 if signature == b"EAIB" else self._offset_size)
        fields = self._storage.checked_fields(address, start + size + 4, signature, "an index of chunks")
        fields.skip(start - 4)
        return fields

    def _super_block(self, address: int | None, level: int, at: int) -> int:
        """Read the data blocks of a super block; the number of the first element behind them."""
        blocks, each = self._sizes(level)
        if address is None:
            return at + blocks * each
        storage = self._storage
        flags = (each // self._per_page + 7) // 8 if each > self._per_page else 0
        fields = self._block(address, b"EASB", blocks * (flags + storage.offset_size))
        written = np.unpackbits(np.frombuffer(fields.take(blocks * flags), np.uint8))
        pages = each // self._per_page
        for block in range(blocks):
            at = self._data_block(fields.address(), level, at, written[block * pages : (block + 1) * pages])
        return at

    def _sizes(self, level: int) -> tuple[int, int]:
        """How many data blocks a super block has, and how many elements each of them."""
        return 1 << level // 2, self._least << (level + 1) // 2

    def _data_block(self, address: int | None, level: int, at: int, written: np.ndarray | None) -> int:
        _, each = self._sizes(level)
        if address is None:
            return at + each
        if each <= self._per_page or written is None:
            data = self._block(address, b"EADB", each * self.width).take(each * self.width)
        else:
            start = len(self._block(address, b"EADB", 0).data)
            data = _pages(self._storage, address + start, written, self.width, self._per_page, each)
        if at + each >= 1 << 63:
            raise self._storage.damage("an index of chunks has impossible sizes")
        self._found.append((at, data))
        return at + each


def _btree_2(storage: Storage, space: Dataspace, layout: Layout, has_filters: bool) -> _Columns:
    rank = len(layout.chunk) - 1
    _, found = btrees.records(storage, layout.address, _FILTERED if has_filters else _PLAIN)
    width = len(found[0]) if found else storage.offset_size + (5 if has_filters else 0) + 8 * rank
    _check_width(storage, width - 8 * rank, has_filters)
    rows = np.frombuffer(b"".join(found), np.uint8).reshape(-1, width)
    places = np.ascontiguousarray(rows[:, width - 8 * rank :]).view("<u8").astype(np.uint64)
    if not _increasing(places):
        raise storage.damage("the chunks of an array are out of order")
    return places, *_elements(storage, rows[:, : width - 8 * rank].tobytes(), width - 8 * rank, layout, has_filters)


_READERS = {
    messages.BTREE_1: _btree_1, messages.SINGLE: _single,
    messages.FIXED_ARRAY: _fixed_array, messages.EXTENSIBLE_ARRAY: _extensible_array, messages.BTREE_2: _btree_2,
}  # fmt: skip
