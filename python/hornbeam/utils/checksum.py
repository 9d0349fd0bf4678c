"""CRC-32C as TensorFlow stores it: turned and shifted, so that a checksum over checksums means something."""

from __future__ import annotations

from typing import Any

from .. import _core

_MASK_DELTA = 0xA282EAD8


def masked_crc32c(*parts: Any) -> int:
    """What TensorFlow stores for the bytes of all parts, one after the other."""
    crc = 0
    for part in parts:
        crc = _core.crc32c(part, crc)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
