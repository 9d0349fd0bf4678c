"""Hashes of strings that do not change from version to version: FarmHash's Fingerprint64, and SipHash-2-4 with a key.

TensorFlow puts strings into buckets by them (``tf.strings.to_hash_bucket_fast`` and ``_strong``, the layer ``Hashing``).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _rotate(value: int, shift: int) -> int:
    value &= _MASK
    return (value >> shift | value << 64 - shift) & _MASK


def _mix(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _half(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _of_two(u: int, v: int, factor: int) -> int:
    a = _mix(((u ^ v) & _MASK) * factor)
    b = _mix(((v ^ a) & _MASK) * factor)
    return b * factor & _MASK


def _of_32(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(data, at + 8 * i) for i in range(4))
    a += w
    b = _rotate(b + a + z, 21)
    c = a
    a += x + y
    b += _rotate(a, 44)
    return (a + z) & _MASK, (b + c) & _MASK


def fingerprint64(data: bytes) -> int:
    """FarmHash's Fingerprint64, an unsigned number of 64 bits."""
    size = len(data)
    if size > 64:
        return _long(data)
    factor = _K2 + size * 2
    if size > 16:
        a = _word(data, 0) * (_K1 if size <= 32 else _K2)
        b = _word(data, 8)
        c = _word(data, size - 8) * factor
        d = _word(data, size - 16) * _K2
        y = _rotate(a + b, 43) + _rotate(c, 30) + d
        z = _of_two(y & _MASK, (a + _rotate(b + _K2, 18) + c) & _MASK, factor)
        if size <= 32:
            return z
        e = _word(data, 16) * factor
        f = _word(data, 24)
        g = (y + _word(data, size - 32)) * factor
        h = (z + _word(data, size - 24)) * factor
        return _of_two((_rotate(e + f, 43) + _rotate(g, 30) + h) & _MASK, (e + _rotate(f + a, 18) + g) & _MASK, factor)
    if size >= 8:
        a = _word(data, 0) + _K2
        b = _word(data, size - 8)
        c = _rotate(b, 37) * factor + a
        d = (_rotate(a, 25) + b) * factor
        return _of_two(c & _MASK, d & _MASK, factor)
    if size >= 4:
        return _of_two(size + (_half(data, 0) << 3), _half(data, size - 4), factor)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _mix(y * _K2 & _MASK ^ z * _K0 & _MASK) * _K2 & _MASK
    return _K2


def _long(data: bytes) -> int:
    size = len(data)
    x = (81 * _K2 + _word(data, 0)) & _MASK
    y = (81 * _K1 + 113) & _MASK
    z = _mix(y * _K2 + 113) * _K2 & _MASK
    v = w = (0, 0)
    end = (size - 1) // 64 * 64
    for at in (*range(0, end, 64), None):  # the last 64 bytes come once more, with another factor
        factor, nine = _K1, 1
        if at is None:
            at, factor, nine = size - 64, _K1 + ((z & 0xFF) << 1), 9
            w = ((w[0] + (size - 1 & 63)) & _MASK, w[1])
            v = ((v[0] + w[0]) & _MASK, v[1])
            w = ((w[0] + v[0]) & _MASK, w[1])
        x = _rotate(x + y + v[0] + _word(data, at + 8), 37) * factor & _MASK
        y = _rotate(y + v[1] + _word(data, at + 48), 42) * factor & _MASK
        x ^= w[1] * nine & _MASK
        y = (y + v[0] * nine + _word(data, at + 40)) & _MASK
        z = _rotate(z + w[0], 33) * factor & _MASK
        v = _of_32(data, at, v[1] * factor, x + w[0])
        w = _of_32(data, at + 32, z + w[1], y + _word(data, at + 16))
        z, x = x, z
    return _of_two(
        (_of_two(v[0], w[0], factor) + _mix(y) * _K0 + z) & _MASK, (_of_two(v[1], w[1], factor) + x) & _MASK, factor
    )


def siphash(data: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 with a key of two numbers of 64 bits."""
    k0, k1 = (k & _MASK for k in key)
    v0, v1 = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D
    v2, v3 = k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])

    def rounds(count: int, v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
        for _ in range(count):
            v0 = (v0 + v1) & _MASK
            v1 = _rotate(v1, 51) ^ v0
            v0 = _rotate(v0, 32)
            v2 = (v2 + v3) & _MASK
            v3 = _rotate(v3, 48) ^ v2
            v0 = (v0 + v3) & _MASK
            v3 = _rotate(v3, 43) ^ v0
            v2 = (v2 + v1) & _MASK
            v1 = _rotate(v1, 47) ^ v2
            v2 = _rotate(v2, 32)
        return v0, v1, v2, v3

    for (word,) in struct.iter_unpack("<Q", padded):
        v0, v1, v2, v3 = rounds(2, v0, v1, v2, v3 ^ word)
        v0 ^= word
    v0, v1, v2, v3 = rounds(4, v0, v1, v2 ^ 0xFF, v3)
    return v0 ^ v1 ^ v2 ^ v3


def crossed(values: Iterable[bytes | int]) -> int:
    """The hash of a combination, as TensorFlow's ``SparseCross`` has it; strings count by their fingerprint."""
    total = 0xDECAFCAFFE
    for value in values:
        number = fingerprint64(value) if isinstance(value, bytes) else value & _MASK
        total = _joined(total, number)
    return total


def _joined(first: int, second: int) -> int:
    """TensorFlow's ``FingerprintCat64``."""
    factor = 0xC6A4A7935BD1E995
    total = first ^ factor ^ (_mix(second * factor) * factor & _MASK)
    return _mix(_mix(total * factor) * factor)
