"""Writing protocol buffers: a field is its number and kind, then the value."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are written as 64-bit two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def double_field(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value)


def float_field(field: int, value: float) -> bytes:
    return varint(field << 3 | 5) + struct.pack("<f", value)


def int_field(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def bytes_field(field: int, value: bytes) -> bytes:
    """A string, nested message or any bytes."""
    return varint(field << 3 | 2) + varint(len(value)) + value


def text_field(field: int, value: str) -> bytes:
    return bytes_field(field, value.encode())


def doubles_field(field: int, values: Any) -> bytes:
    """Repeated doubles, packed."""
    return bytes_field(field, np.asarray(values, dtype="<f8").tobytes())
