"""Grey images as PNG files in memory."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def grey_png(pixels: np.ndarray) -> bytes:
    """Encode a (height, width) array of uint8."""
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # 8 bits, grey, neither palette nor interlacing
    rows = np.concatenate([np.zeros((height, 1), "uint8"), pixels], axis=1)  # each row begins with its filter: none
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.tobytes())) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def stretched(values: np.ndarray) -> np.ndarray:
    """Numbers as shades of grey, as TensorFlow shows them: zero is black, or mid-grey where any number is negative."""
    values = np.nan_to_num(np.asarray(values, dtype="float64"), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = values.min(), values.max()
    if low < 0:
        return (values * (127.0 / max(-low, high)) + 128.0).astype("uint8")
    return (values * (255.0 / high if high > 0 else 0.0)).astype("uint8")
