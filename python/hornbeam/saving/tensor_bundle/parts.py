"""Tensors stored in parts (partitioned variables): the keys of the parts, and how they make the whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Extents = list[tuple[int, int] | None]


def part_key(name: str, extents: Extents) -> bytes:
    """The key of a part in the index: name and extents so that keys sort as these do (OrderedCode)."""
    text = name.encode("utf-8").replace(b"\xff", b"\xff\0").replace(b"\0", b"\0\xff")
    rank = len(extents)
    key = b"\0" + text + b"\0\1" + (bytes([1, rank]) if rank else b"\0")
    for extent in extents:
        key += b"\x80\x7f" if extent is None else _signed(extent[0]) + _signed(extent[1])
    return key


def _signed(value: int) -> bytes:
    """A number from 0 on: as many ones as it has bytes, a zero, then the number."""
    size = 1
    while value >> (7 * size - 1):
        size += 1
    ones = ((1 << size) - 1) << (7 * size)
    return (ones | value).to_bytes(size, "big")


def whole(shape: tuple[int, ...], parts: list[Extents], read: Callable[[Extents], np.ndarray]) -> np.ndarray:
    """The tensor that parts make.

    Raises:
        ValueError: they do not cover it, or overlap, or one has another shape.
    """
    places = [_place(shape, extents) for extents in parts]
    sizes = [tuple(s.stop - s.start for s in place) for place in places]
    if sum(int(np.prod(size, dtype=object)) for size in sizes) != int(np.prod(shape, dtype=object)):
        raise ValueError(f"its parts do not make up its shape {shape}")
    arrays = [read(extents) for extents in parts]  # which exist, so that the whole is no larger than the file
    covered = np.zeros(shape, bool)
    out = np.empty(shape, arrays[0].dtype)
    for place, size, array in zip(places, sizes, arrays):
        if array.shape != size or array.dtype != out.dtype or covered[place].any():
            raise ValueError("its parts overlap, or one has another shape or dtype")
        covered[place] = True
        out[place] = array
    return out


def _place(shape: tuple[int, ...], extents: Extents) -> tuple[slice, ...]:
    pairs = [(0, dim) if extent is None else extent for dim, extent in zip(shape, extents)]
    return tuple(slice(start, start + length) for start, length in pairs)
