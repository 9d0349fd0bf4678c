"""Tensors of strings: the lengths, a checksum of them, then the bytes of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...utils.checksum import masked_crc32c
from ...utils.protobuf import read_varint, varint

_CHECKSUM = 4


def decode(data: bytes, shape: tuple[int, ...], crc: int) -> np.ndarray:
    """An array of ``bytes`` objects.

    Args:
        data: all bytes of the tensor.
        crc: what the index states.

    Raises:
        ValueError: lengths or checksums do not fit.
    """
    count = int(np.prod(shape, dtype=object))
    lengths, at = [], 0
    for _ in range(count):
        length, at = read_varint(data, at, len(data))
        lengths.append(length)
    text = at + _CHECKSUM
    if sum(lengths) != len(data) - text:
        raise ValueError("the lengths of its strings do not fit")
    stored, packed = data[at:text], _packed(lengths)
    if int.from_bytes(stored, "little") != masked_crc32c(packed) or crc != masked_crc32c(packed, stored, data[text:]):
        raise ValueError("its checksum does not fit: it is damaged")
    out = np.empty(count, object)
    for i, length in enumerate(lengths):
        out[i] = data[text : text + length]
        text += length
    return out.reshape(shape)


def encode(strings: Sequence[bytes]) -> tuple[bytes, int]:
    """The bytes of a tensor of strings, and the checksum that the index states."""
    lengths = [len(s) for s in strings]
    packed, text = _packed(lengths), b"".join(strings)
    checksum = masked_crc32c(packed).to_bytes(_CHECKSUM, "little")
    return b"".join(map(varint, lengths)) + checksum + text, masked_crc32c(packed, checksum, text)


def _packed(lengths: list[int]) -> bytes:
    """The lengths as they enter checksums."""
    return b"".join(length.to_bytes(4 if length < 1 << 32 else 8, "little") for length in lengths)
