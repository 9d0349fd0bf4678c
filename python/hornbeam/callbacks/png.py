"""Grey images as PNG files in memory."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # of as many channels: grey, grey and alpha, colours, colours and alpha


def png(pixels: np.ndarray) -> bytes:
    """Encode a (height, width, channels) array of uint8 with 1 to 4 channels."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[channels], 0, 0, 0)  # 8 bits, not interlaced
    filters = np.zeros((height, 1), "uint8")  # with which each row begins: none
    rows = np.concatenate([filters, pixels.reshape(height, -1)], axis=1)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.tobytes())) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def stretched(values: np.ndarray) -> np.ndarray:
    """Numbers as shades of grey, as TensorFlow shows them: zero is black, or mid-grey where any number is negative."""
    values = np.nan_to_num(np.asarray(values, dtype="float64"), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = values.min(), values.max()
    if low < 0:
        return (values * (127.0 / max(-low, high)) + 128.0).astype("uint8")
    return (values * (255.0 / high if high > 0 else 0.0)).astype("uint8")
