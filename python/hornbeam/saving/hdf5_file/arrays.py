"""The numbers of a dataset: where they lie in one piece, and where in chunks."""

from __future__ import annotations

import math

import numpy as np

from . import limits, messages
from .chunk_index import ChunkTable, largest_grid
from .filters import unpack
from .messages import Dataspace, Filter, Layout
from .storage import Storage


def padded_bytes(space: Dataspace, layout: Layout, item: int) -> int:
    """Bytes of an array in memory, with the parts of chunks that reach over its edges."""
    shape = space.shape or ()
    if layout.kind != messages.CHUNKED:
        return math.prod(shape) * item
    return math.prod(-(-n // c) * c for n, c in zip(shape, layout.chunk)) * item


def read_plain(storage: Storage, shape: tuple[int, ...], layout: Layout, dtype: np.dtype, fill: bytes) -> np.ndarray:
    """An array that is stored in one piece, in the header or elsewhere."""
    size = math.prod(shape) * dtype.itemsize
    if layout.kind == messages.COMPACT:
        if len(layout.data) < size:
            raise storage.damage(f"an array of {size} bytes has {len(layout.data)} in the file")
        return np.frombuffer(layout.data, dtype, math.prod(shape)).reshape(shape).copy()
    if layout.address is None:
        return filled(shape, dtype, fill)
    if layout.size is not None and layout.size < size:
        raise storage.damage(f"an array of {size} bytes has {layout.size} in the file")
    array = np.empty(shape, dtype)
    if size:
        storage.read_into(layout.address, array.reshape(-1).view(np.uint8).data)
    return array


def filled(shape: tuple[int, ...], dtype: np.dtype, fill: bytes) -> np.ndarray:
    """An array that nobody wrote yet."""
    array = np.zeros(shape, dtype)  # costs nothing until it is used
    if fill:
        array[...] = np.frombuffer(fill, dtype, 1)[0]
    return array


def read_implicit_chunks(storage: Storage, space: Dataspace, layout: Layout, dtype: np.dtype) -> np.ndarray:
    """An array whose chunks, all of the largest shape it may have, lie one after the other."""
    chunk = layout.chunk[:-1]
    grid = [n or 0 for n in largest_grid(space, layout)]
    count = math.prod(grid) * math.prod(chunk)
    if count * dtype.itemsize > storage.size:
        raise storage.damage(f"chunks of {count * dtype.itemsize} bytes in all are beyond its end")
    stored = read_plain(storage, (*grid, *chunk), Layout(messages.CONTIGUOUS, layout.address), dtype, b"")
    rank = len(chunk)
    together = stored.transpose([axis for i in range(rank) for axis in (i, rank + i)])
    array = together.reshape([n * c for n, c in zip(grid, chunk)])
    return array[tuple(slice(n) for n in space.shape or ())].copy()


def read_chunks(
    storage: Storage, shape: tuple[int, ...], layout: Layout, dtype: np.dtype, fill: bytes, table: ChunkTable,
    filters: list[Filter],
) -> np.ndarray:  # fmt: skip
    """An array that is stored in chunks, some of which may be missing."""
    chunk = layout.chunk[:-1]
    size = math.prod(chunk) * dtype.itemsize
    array = filled(shape, dtype, fill)
    for place, address, stored, skipped in table:
        starts = [n * c for n, c in zip(place, chunk)]
        at_edge = any(start + c > n for start, c, n in zip(starts, chunk, shape))
        steps = [] if layout.whole_edges and at_edge else filters
        if stored > size + size // 1000 + limits.CHUNK_SLACK:
            raise storage.damage(f"a chunk of {size} bytes takes {stored} in the file")
        data = storage.contents(address, stored)
        block = np.frombuffer(unpack(storage, data, steps, skipped, size), dtype).reshape(chunk)
        target = array[tuple(slice(start, start + c) for start, c in zip(starts, chunk))]
        target[...] = block[tuple(slice(n) for n in target.shape)]
    return array
