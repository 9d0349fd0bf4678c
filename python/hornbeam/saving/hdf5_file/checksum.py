"""The checksums of HDF5: Jenkins's lookup3 for structures, Fletcher's for chunks."""

from __future__ import annotations

import struct

import numpy as np

_MASK = 0xFFFFFFFF


def lookup3(data: bytes) -> int:
    """Bob Jenkins's hash "lookup3" (2006, public domain) with the initial value 0."""
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    if not data:
        return c
    whole = (len(data) - 1) // 12 * 12  # the last 1 to 12 bytes are mixed in another way
    for x, y, z in struct.iter_unpack("<III", data[:whole]):
        a, b, c = a + x, b + y, (c + z) & _MASK
        a = (a - c ^ (c << 4 | c >> 28)) & _MASK
        c = (c + b) & _MASK
        b = (b - a ^ (a << 6 | a >> 26)) & _MASK
        a = (a + c) & _MASK
        c = (c - b ^ (b << 8 | b >> 24)) & _MASK
        b = (b + a) & _MASK
        a = (a - c ^ (c << 16 | c >> 16)) & _MASK
        c = (c + b) & _MASK
        b = (b - a ^ (a << 19 | a >> 13)) & _MASK
        a = (a + c) & _MASK
        c = (c - b ^ (b << 4 | b >> 28)) & _MASK
        b = (b + a) & _MASK
    x, y, z = struct.unpack("<III", data[whole:].ljust(12, b"\0"))
    a, b, c = (a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK
    for turn in (14, 11, 25, 16, 4, 14, 24):
        c, a, b = a, b, ((c ^ b) - (b << turn | b >> 32 - turn)) & _MASK
    return b


def fletcher32(data: bytes) -> tuple[int, int]:
    """The two sums of Fletcher's checksum over 16-bit words, most significant byte first, modulo 65535."""
    words = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2").astype(np.uint64)
    places = np.arange(len(words), 0, -1, dtype=np.uint64) % np.uint64(65535)
    return int(words.sum() % np.uint64(65535)), int((words * places).sum() % np.uint64(65535))
