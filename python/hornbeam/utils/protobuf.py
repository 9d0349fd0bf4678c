"""Protocol buffers on the wire: a message is a row of numbered fields, each an integer or bytes. A reader trusts no length."""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator
from typing import Any

import numpy as np

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT = 10  # bytes


# -- reading ------------------------------------------------------------------------------------------------
def read_varint(data: bytes | memoryview, at: int, end: int) -> tuple[int, int]:
    """An unsigned integer of 7 bits a byte, and where it ends.

    Raises:
        ValueError: it goes on beyond ``end``, or beyond 64 bits.
    """
    value = shift = 0
    for place in range(at, min(end, at + _MAX_VARINT)):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, place + 1
        shift += 7
    raise ValueError("an integer in it does not end")


def signed(value: int) -> int:
    """An int64 out of its 64 bits."""
    return value - (1 << 64) if value >> 63 else value


def fields(data: bytes | memoryview) -> Iterator[tuple[int, int, int, int]]:
    """``(number, integer, start, end)`` of each field. For bytes, the integer is -1 and they lie from start to end.

    Raises:
        ValueError: the bytes are not a message.
    """
    at, end = 0, len(data)
    while at < end:
        tag, at = read_varint(data, at, end)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise ValueError("a field in it has the number 0")
        if wire == _VARINT:
            value, at = read_varint(data, at, end)
            yield number, value, at, at
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire, -1)
        if wire == _BYTES:
            size, at = read_varint(data, at, end)
        elif size < 0:
            raise ValueError(f"a field in it is of the kind {wire}, which is not read")
        if size > end - at:
            raise ValueError("a field in it goes beyond its end")
        yield number, -1 if wire == _BYTES else int.from_bytes(data[at : at + size], "little"), at, at + size
        at += size


class Message:
    """The fields of a message by number; where one is missing it is 0 or empty, as the format has it.

    Args:
        data: its bytes.
        wanted: the numbers of the fields that are kept; all by default.

    Raises:
        ValueError: the bytes are not a message, or (when it is asked for) a field is of another kind.
    """

    def __init__(self, data: bytes, wanted: Container[int] | None = None) -> None:
        self._values: dict[int, list[int | bytes]] = {}
        for number, value, start, end in fields(data):
            if wanted is None or number in wanted:
                self._values.setdefault(number, []).append(data[start:end] if value < 0 else value)

    def __contains__(self, number: int) -> bool:
        return number in self._values

    def integer(self, number: int) -> int:
        """An unsigned integer; the last one counts."""
        value = self._values.get(number, [0])[-1]
        if not isinstance(value, int):
            raise ValueError(f"field {number} in it has bytes where a number belongs")
        return value

    def signed(self, number: int) -> int:
        """An integer of 64 bits with a sign."""
        return signed(self.integer(number))

    def parts(self, number: int) -> list[bytes]:
        """The bytes of each occurrence of a field."""
        values = self._values.get(number, [])
        if not all(isinstance(value, bytes) for value in values):
            raise ValueError(f"field {number} in it has a number where bytes belong")
        return values  # type: ignore[return-value]

    def data(self, number: int) -> bytes:
        """The bytes of a field; the last occurrence counts."""
        return (self.parts(number) or [b""])[-1]

    def text(self, number: int) -> str:
        try:
            return self.data(number).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"field {number} in it is not text") from error


# -- writing ------------------------------------------------------------------------------------------------
def varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are written as 64-bit two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def double_field(field: int, value: float) -> bytes:
    return varint(field << 3 | _FIXED64) + struct.pack("<d", value)


def float_field(field: int, value: float) -> bytes:
    return varint(field << 3 | _FIXED32) + struct.pack("<f", value)


def fixed32_field(field: int, value: int) -> bytes:
    return varint(field << 3 | _FIXED32) + struct.pack("<I", value)


def int_field(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def bytes_field(field: int, value: bytes) -> bytes:
    """A string, nested message or any bytes."""
    return varint(field << 3 | _BYTES) + varint(len(value)) + value


def text_field(field: int, value: str) -> bytes:
    return bytes_field(field, value.encode())


def doubles_field(field: int, values: Any) -> bytes:
    """Repeated doubles, packed."""
    return bytes_field(field, np.asarray(values, dtype="<f8").tobytes())


def field(number: int, value: int | bytes | str) -> bytes:
    """A field with an integer (as varint), bytes or text."""
    if isinstance(value, int):
        return int_field(number, value)
    return text_field(number, value) if isinstance(value, str) else bytes_field(number, value)
