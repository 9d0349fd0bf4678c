"""Reading protocol buffers, as far as records of examples need it. A reader trusts no length."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


def varint_at(data: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place behind it.

    Raises:
        ValueError: it does not end within the data, or within ten bytes.
    """
    value = 0
    for i in range(_LONGEST_VARINT):
        if at + i >= len(data):
            break
        byte = data[at + i]
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at + i + 1
    raise ValueError("a number does not end")


def fields(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Number, wire type and value of each field: an integer, or the bytes of those of other types.

    Raises:
        ValueError: a field does not lie within the data, or is of a type that no message has.
    """
    at = 0
    while at < len(data):
        key, at = varint_at(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = varint_at(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = varint_at(data, at)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"field {number} has the wire type {kind}")
        if size > len(data) - at:
            raise ValueError(f"field {number} has {size} bytes, and {len(data) - at} are left")
        yield number, kind, data[at : at + size]
        at += size


def signed(value: int) -> int:
    """An int64 out of its 64 bits."""
    return value - (1 << 64) if value >> 63 else value
